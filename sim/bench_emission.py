"""cocotb bench of emission: flits of fired neurons, in order, under backpressure.

Parameters: ``chip``, whose core 0 this is; ``image``; ``config_latency``.
"""

from itertools import chain
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.packets import COUNT, destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.golden.emission import emit, single_targets
from spikelet.sim.drivers import PAUSES, Monitor, Sink, cycle, pauses
from spikelet.sim.testbench import (
    Checks,
    config_words,
    flits_of,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

TICKS = 16


def _arrivals(
    chip: ChipParams, flits: list[int]
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Return what flits of tick 0 bring: arrivals by core, tick and axon, and output spikes."""
    arrivals = [np.zeros((1 + c.delay_slots, c.n_axons), np.int64) for c in chip.cores]
    outputs = np.zeros(chip.n_outputs, np.int64)
    for flit in flits:
        fields = {name: int(value) for name, value in flit_packet(chip).unpack(flit).items()}
        if fields["host"]:
            outputs[fields["axon"]] += fields.get(COUNT, 1)
            continue
        x, y = fields["x"], fields["y"]
        for row in range(y, fields.get("y_last", y) + 1):
            for column in range(x, fields.get("x_last", x) + 1):
                due = arrivals[row * chip.width + column]
                due[1 + fields["delay"], fields["axon"]] += fields.get(COUNT, 1)
    return arrivals, outputs


async def _give(
    dut: Any, edge: RisingEdge, rows: list[int], gaps: list[int], most: int = 1 << 20
) -> None:
    """Run a tick with these rows of neurons; ``busy`` must fall ``most`` cycles after the last."""
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
    began = cycle()
    while dut.busy.value:
        await edge
        assert cycle() - began <= most, f"still busy after {most} cycles"


def _rows(fired: npt.NDArray[Any], core: CoreParams) -> list[int]:
    places = 1 << (np.arange(core.pipelines) * core.fired_bits).astype(object)
    rows = fired.astype(np.int64).astype(object).reshape(-1, core.pipelines) @ places
    return [int(row) for row in rows]


def _counted(rng: np.random.Generator, core: CoreParams, fired: npt.NDArray[Any]) -> Any:
    """Return how often neurons fired that did."""
    if core.fired_bits == 1:
        return fired
    return fired * rng.integers(1, 1 << core.fired_bits, fired.size).astype(np.uint8)


def _counts(given: dict[str, Any]) -> npt.NDArray[np.int64]:
    """Return how many destinations each neuron has."""
    neurons = given["image"].cores[0].destinations[:, 0]
    return np.bincount(neurons, minlength=given["chip"].cores[0].n_neurons)


async def _load(
    dut: Any, given: dict[str, Any], checks: Checks, words: list[tuple[int, int]]
) -> None:
    """Write the table, and compare what is read."""
    await write_region(dut, "config", words)
    offsets, data = zip(*words, strict=True)
    read = await read_region(dut, "config", offsets, latency=given["config_latency"])
    checks.sequence(data, read, "table word")


async def _begin(dut: Any, given: dict[str, Any], checks: Checks) -> RisingEdge:
    edge = await start(dut, start=0, fired_valid=0, config__write=0, config__read=0)
    await _load(dut, given, checks, config_words(given["chip"], given["image"], 0, "destinations"))
    return edge


def _compare(
    checks: Checks, given: dict[str, Any], fired: npt.NDArray[Any], got: list[int], tick: int
) -> None:
    """Compare a tick's flits, and what they bring, with the image and with golden."""
    chip: ChipParams = given["chip"]
    image: ChipImage = given["image"]
    expected = flits_of(chip, image, 0, fired)
    checks.sequence(expected, got, "flit", tick=tick, core=0)
    bitmaps = [AxonBitmap(c, 1, 1, chip.count_bits > 1) for c in chip.cores]
    outputs = np.zeros((1, 1, chip.n_outputs), np.uint16)
    targets = single_targets(chip, image.cores[0].destinations)
    emit(fired[None, None], 0, targets, bitmaps, outputs)
    arrived, put_out = _arrivals(chip, got)
    checks.equal(outputs[0, 0], put_out, "spikes on output line", tick=tick)
    for target, bitmap in enumerate(bitmaps):
        checks.equal(bitmap.arrivals[0], arrived[target], "arrivals", tick=tick, core=target)
        checks.reach("to a core", bitmap.arrivals.any())
    checks.reach("to the host", outputs.any())
    checks.reach("silent tick", not fired.any())
    checks.reach("all neurons", fired.all())
    if chip.multicast:
        sent = flit_packet(chip).unpack(got).get(COUNT, np.ones(len(got))).sum()
        checks.reach("to several cores", sum(a.sum() for a in arrived) > sent - put_out.sum())


@cocotb.test(timeout_time=100, timeout_unit="us")
async def spikes(dut: Any) -> None:
    """Every flit of every tick, once and in order; what they bring is what golden says."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    core = chip.cores[0]
    corners = ["silent tick", "all neurons", "stall", "to the host", "to a core"]
    checks = Checks(*corners, *(["to several cores"] if chip.multicast else []))
    edge = await _begin(dut, given, checks)
    flits = Monitor(dut, "flit")
    for tick in range(TICKS):
        kind = PAUSES[tick % len(PAUSES)]
        sink = Sink(dut, "flit", pauses(rng, kind), after_valid=bool(tick // 4 % 2))
        fired = rng.random(core.n_neurons) < (0.0, 1.0, 0.1, 0.4)[int(rng.integers(4))]
        fired = _counted(rng, core, (fired | (tick == 1)) & (tick != 2))
        flits.transfers.clear()
        gaps = rng.integers(0, 1 + 3 * (tick % 3), core.rows).tolist()
        await _give(dut, edge, _rows(fired, core), gaps)
        sink.task.cancel()
        dut.flit__ready.value = 0
        _compare(checks, given, fired, flits.payloads, tick)
    checks.reach("stall", flits.stalls)
    checks.finish()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def timing(dut: Any) -> None:
    """Every flit leaves in the cycle that was promised, with all neurons and with some."""
    given, rng = parameters(), random_source()
    core = given["chip"].cores[0]
    counts = _counts(given)
    corners = ["none", "only destination"] + (["list"] if core.list_entries else [])
    checks = Checks(*corners)
    edge = await _begin(dut, given, checks)
    dut.flit__ready.value = 1
    flits = Monitor(dut, "flit")
    for tick in range(TICKS):
        flits.transfers.clear()
        fired = rng.random(core.n_neurons) < (1.0, 0.8, 0.3, 0.1)[tick % 4]
        gaps = rng.integers(0, 1 + tick // 4 * 6, core.rows)
        given_at = cycle() + 2 + np.cumsum(gaps + 1) - 1
        await _give(dut, edge, _rows(_counted(rng, core, fired), core), gaps.tolist())
        expected: list[int] = []
        free, idle = 0, int(given_at[-1]) + 1
        for neuron in np.flatnonzero(fired).tolist():
            count, now = int(counts[neuron]), max(free, int(given_at[neuron // core.pipelines]) + 5)
            expected += range(now + 2 * (count > 1), now + 2 * (count > 1) + count)
            free = now + (count + 3 if count > 1 else 1)
            idle = max(idle, free - (count > 1))
            checks.reach(corners[min(count, 2)])
        got = [at for at, _ in flits.transfers]
        checks.sequence(expected, got, "cycle of flit", tick=tick)
        checks.equal(idle, cycle(), "cycle in which busy has fallen", tick=tick)
    checks.finish()


def _wrong_tables(
    rng: np.random.Generator, given: dict[str, Any]
) -> dict[str, npt.NDArray[np.int64]]:
    """Return tables that no image has."""
    core = given["chip"].cores[0]
    packet = destination_packet(given["chip"], core)
    neurons, words = core.n_neurons, core.n_neurons + core.list_entries
    anything = rng.integers(0, 1 << packet.width, words)
    marks = 3 << (packet.width - 2)
    valid = 1 << (packet.width - 1)
    addresses = 1 << (words - 1).bit_length()
    endless = anything & ~marks | valid
    endless[:neurons] = rng.integers(neurons, words + (words == neurons), neurons)
    beyond = np.concatenate([rng.integers(words - 2, addresses, neurons), endless[neurons:]])
    around = anything & ~marks | valid
    around[0] = 1
    return {
        "anything": anything,
        "zeros": np.zeros(words, np.int64),
        "lists without end": endless,
        "lists without entries": rng.integers(0, words, words),
        "lists beyond the table": beyond,
        "a list once around": around,
    }


def _walk(given: dict[str, Any], table: npt.NDArray[np.int64], neuron: int) -> list[int]:
    """Return the flits of one neuron; words beyond the table, up to the last address, are 0."""
    core = given["chip"].cores[0]
    packet = destination_packet(given["chip"], core)
    flit_bits = flit_packet(given["chip"]).without(COUNT).width
    once = (1 << flit_bits) if given["chip"].count_bits > 1 else 0

    def word(row: int) -> tuple[int, int, int]:
        bits = int(table[row]) if row < len(table) else 0
        fields = packet.unpack(bits)
        return bits, int(fields["valid"]), int(fields["list_ends"])

    bits, valid, ends = word(neuron)
    if valid:
        return [bits & ((1 << flit_bits) - 1) | once]
    flits: list[int] = []
    if core.list_entries and not ends:
        addresses = 1 << (len(table) - 1).bit_length()
        row = bits % addresses
        while (found := word(row))[1]:
            flits.append(found[0] & ((1 << flit_bits) - 1) | once)
            if found[2]:
                break
            row = (row + 1) % addresses
    return flits


@cocotb.test(timeout_time=100, timeout_unit="us")
async def wrong_tables(dut: Any) -> None:
    """Whatever the table holds, each list ends, and the table that is loaded then works."""
    given, rng = parameters(), random_source()
    core = given["chip"].cores[0]
    checks = Checks("flits", "no flits", *(["once around"] if core.list_entries else []))
    edge = await _begin(dut, given, checks)
    dut.flit__ready.value = 1
    flits = Monitor(dut, "flit")
    everyone = np.ones(core.n_neurons, np.bool_)
    words = core.n_neurons + core.list_entries
    for number, (name, table) in enumerate(_wrong_tables(rng, given).items()):
        cocotb.log.info("table %d: %s", number, name)
        await _load(dut, given, checks, list(enumerate(table.tolist())))
        flits.transfers.clear()
        rows, most = _rows(everyone, core), core.n_neurons * (2 * words + 3) + 5
        await _give(dut, edge, rows, [0] * core.rows, most)
        sent = [_walk(given, table, neuron) for neuron in range(core.n_neurons)]
        checks.sequence(list(chain(*sent)), flits.payloads, "flit", table=number)
        checks.reach("flits" if flits.transfers else "no flits")
        if core.list_entries:
            checks.reach("once around", len(sent[0]) == words - 1)
    await _load(dut, given, checks, config_words(given["chip"], given["image"], 0, "destinations"))
    flits.transfers.clear()
    await _give(dut, edge, _rows(everyone, core), [0] * core.rows)
    expected = flits_of(given["chip"], given["image"], 0, everyone)
    checks.sequence(expected, flits.payloads, "flit")
    checks.finish()
