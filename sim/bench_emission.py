"""cocotb bench of emission: flits of fired neurons, in order, under backpressure.

Parameters: ``chip``, whose core 0 this is; ``image``; ``config_latency``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from golden.axon_bitmap import AxonBitmap
from golden.emission import emit
from sim.drivers import PAUSES, Monitor, Sink, cycle, pauses
from sim.testbench import (
    Checks,
    config_words,
    flits_of,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)
from spikelet.description.image import NO_DESTINATION, ChipImage
from spikelet.description.packets import HOST_ROW, flit_packet
from spikelet.description.params import ChipParams

TICKS = 16


def _arrivals(
    chip: ChipParams, flits: list[int]
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Return what flits of tick 0 bring: arrivals by core, tick and axon, and output spikes."""
    fields = flit_packet(chip).unpack(np.array(flits, np.int64))
    arrivals = [np.zeros((1 + c.delay_slots, c.n_axons), np.int64) for c in chip.cores]
    outputs = np.zeros(chip.n_outputs, np.int64)
    for axon, delay, x, y in zip(*(fields[n].tolist() for n in fields), strict=True):
        if y == HOST_ROW:
            outputs[axon] += 1
        else:
            arrivals[(y - 1) * chip.mesh_width + x][1 + delay, axon] += 1
    return arrivals, outputs


async def _give(dut: Any, edge: RisingEdge, rows: list[int], gaps: list[int]) -> None:
    dut.start.value = 1
    await edge
    dut.start.value = 0
    for row, gap in zip(rows, gaps, strict=True):
        for _ in range(gap):
            await edge
        dut.fired.value = row
        dut.fired_valid.value = 1
        await edge
        dut.fired_valid.value = 0
    await edge
    while dut.busy.value:
        await edge


def _rows(fired: npt.NDArray[np.bool_], pipelines: int) -> list[int]:
    rows = fired.reshape(-1, pipelines) @ (1 << np.arange(pipelines))
    return [int(row) for row in rows]


async def _begin(dut: Any, given: dict[str, Any], checks: Checks) -> RisingEdge:
    edge = await start(dut, start=0, fired_valid=0, config__write=0, config__read=0)
    words = config_words(given["chip"], given["image"], 0, "destinations")
    await write_region(dut, "config", words)
    offsets, data = zip(*words, strict=True)
    read = await read_region(dut, "config", offsets, latency=given["config_latency"])
    checks.sequence(data, read, "table entry")
    return edge


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def spikes(dut: Any) -> None:
    """Every flit of every tick, once and in order; what they bring is what golden says."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    image: ChipImage = given["image"]
    core = chip.cores[0]
    checks = Checks("silent tick", "all neurons", "stall", "to the host", "to a core")
    edge = await _begin(dut, given, checks)
    flits = Monitor(dut, "flit")
    for tick in range(TICKS):
        kind = PAUSES[tick % len(PAUSES)]
        sink = Sink(dut, "flit", pauses(rng, kind), after_valid=bool(tick // 4 % 2))
        fired = rng.random(core.n_neurons) < (0.0, 1.0, 0.1, 0.4)[int(rng.integers(4))]
        fired = fired | (tick == 1)
        flits.transfers.clear()
        gaps = rng.integers(0, 1 + 3 * (tick % 3), core.rows).tolist()
        await _give(dut, edge, _rows(fired, core.pipelines), gaps)
        sink.task.cancel()
        dut.flit__ready.value = 0
        got = flits.payloads
        expected = flits_of(chip, image, 0, np.flatnonzero(fired).tolist())
        checks.sequence(expected, got, "flit", tick=tick, core=0)
        bitmaps = [AxonBitmap(c, 1, 1) for c in chip.cores]
        outputs = np.zeros((1, 1, chip.n_outputs), np.uint16)
        emit(fired[None, None], 0, image.cores[0].destinations, bitmaps, outputs)
        arrived, put_out = _arrivals(chip, got)
        checks.equal(outputs[0, 0], put_out, "spikes on output line", tick=tick)
        for target, bitmap in enumerate(bitmaps):
            checks.equal(bitmap.arrivals[0], arrived[target], "arrivals", tick=tick, core=target)
            checks.reach("to a core", bitmap.arrivals.any())
        checks.reach("to the host", outputs.any())
        checks.reach("silent tick", not fired.any())
        checks.reach("all neurons", fired.all())
    checks.reach("stall", flits.stalls)
    checks.finish()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def timing(dut: Any) -> None:
    """The first flit comes five cycles after its row, the others at the stated pace."""
    given = parameters()
    chip: ChipParams = given["chip"]
    core = chip.cores[0]
    checks = Checks()
    edge = await _begin(dut, given, checks)
    dut.flit__ready.value = 1
    flits = Monitor(dut, "flit")
    lists = (given["image"].cores[0].destinations[..., 0] != NO_DESTINATION).sum(axis=1)
    lists = lists.reshape(core.rows, core.pipelines)
    for row in range(core.rows):
        flits.transfers.clear()
        marks = [0] * core.rows
        marks[row] = (1 << core.pipelines) - 1
        given_at = cycle() + row + 2
        await _give(dut, edge, marks, [0] * core.rows)
        expected, now = [], given_at + 5
        for n in lists[row]:
            expected += [now + i for i in range(n)]
            now += max(1, n) + (core.fan_out > 1)
        checks.sequence(expected, [at for at, _ in flits.transfers], "cycle of flit", row=row)
    checks.finish()
