"""cocotb bench of the neuron array: potentials, spikes and adaptations over ticks, parameters.

Parameters: ``chip`` of one core; ``image``; ``latency`` from sums to spikes; ``config_latency``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import STATE_FIRED_BIT, core_regions, unpack_state
from spikelet.golden.neuron_array import NeuronArray
from spikelet.sim.drivers import cycle
from spikelet.sim.testbench import (
    Checks,
    config_words,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

TICKS = 12

MUST_MEET = (
    *("spike", "upper rail", "lower rail", "gaps", "not updated", "adapted", "kept", "inhibited"),
)


class Collector:
    """Collects the rows of spikes as (cycle, marks)."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.rows: list[tuple[int, int]] = []
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        edge, raised = RisingEdge(self.dut.clk), RisingEdge(self.dut.fired_valid)
        while True:
            if not self.dut.fired_valid.value:
                await raised
            await edge
            if self.dut.fired_valid.value:
                self.rows.append((cycle(), int(self.dut.fired.value)))


async def _give(dut: Any, edge: RisingEdge, rows: list[int], gaps: list[int]) -> list[int]:
    """Give one tick's rows of sums; return the cycle of each, once all have been dealt with."""
    dut.start.value = 1
    await edge
    dut.start.value = 0
    at = []
    for row, gap in zip(rows, gaps, strict=True):
        for _ in range(gap):
            await edge
        dut.sums.value = row
        dut.sums_valid.value = 1
        await edge
        dut.sums_valid.value = 0
        at.append(cycle())
    await edge
    while dut.busy.value:
        await edge
    return at


def _currents(rng: np.random.Generator, core: CoreParams) -> npt.NDArray[np.int64]:
    """Return sums that drive the potentials about, some of them as large as can be."""
    low, high = core.n_axons * core.weight_min, core.n_axons * core.weight_max
    size = max(1, (core.v_max >> core.weight_exponent) >> int(rng.integers(0, 4)))
    usual = rng.integers(max(low, -size), min(high, size) + 1, core.n_neurons)
    return np.where(rng.random(core.n_neurons) < 0.15, rng.choice((low, high)), usual)


async def _load(dut: Any, given: dict[str, Any], regions: list[str], checks: Checks) -> None:
    """Write the parameters and read them back."""
    core = given["chip"].cores[0]
    for name in regions:
        words = config_words(given["chip"], given["image"], 0, name)
        await write_region(dut, name, words)
        offsets, data = zip(*words, strict=True)
        read = await read_region(dut, name, offsets, latency=given["config_latency"])
        mask = (1 << core_regions(core, 1)[name].bits) - 1
        checks.sequence([word & mask for word in data], read, name)


async def _clear(dut: Any, edge: RisingEdge) -> int:
    """Clear the states; return for how many cycles the array was busy."""
    dut.clear.value = 1
    await edge
    dut.clear.value = 0
    await edge
    waited = 1
    while dut.busy.value:
        waited += 1
        await edge
    return waited


async def _set_state(dut: Any, rng: np.random.Generator, golden: NeuronArray) -> None:
    """Put golden's neurons at the rails and around 0, and write the same into the memory."""
    core = golden.core
    golden.v = rng.choice((core.v_min, core.v_max, 0, 1, -1), (1, core.n_neurons))
    golden.fired = rng.random((1, core.n_neurons)) < 0.5
    words = (golden.v & ((1 << STATE_FIRED_BIT) - 1)) | golden.fired << STATE_FIRED_BIT
    await write_region(dut, "state", enumerate(words[0].tolist()))


def _rows(core: CoreParams, current: npt.NDArray[np.int64]) -> list[int]:
    """Return the rows of sums as the port wants them."""
    mask = (1 << core.current_bits) - 1
    return [
        sum((value & mask) << lane * core.current_bits for lane, value in enumerate(row))
        for row in current.reshape(core.rows, core.pipelines).tolist()
    ]


async def _compare(
    dut: Any, golden: NeuronArray, checks: Checks, where: dict[str, int], latency: int
) -> None:
    """Compare potentials, fired marks and adaptations, read from the memories, with golden's."""
    neurons = range(golden.core.n_neurons)
    words = np.array(await read_region(dut, "state", neurons, latency=latency), np.uint32)
    v, marked = unpack_state(words)
    checks.equal(golden.v[0], v, "potentials of neuron", **where)
    checks.equal(golden.fired[0], marked, "fired marks of neuron", **where)
    if golden.adaptation is not None:
        values = await read_region(dut, "adaptation", neurons, latency=latency)
        checks.equal(golden.adaptation[0], values, "adaptations of neuron", **where)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def ticks(dut: Any) -> None:
    """Spikes as they leave, and every potential after each tick; twice, with clears between."""
    given, rng = parameters(), random_source()
    image: ChipImage = given["image"]
    core: CoreParams = given["chip"].cores[0]
    reads = {"latency": given["config_latency"]}
    checks = Checks(*MUST_MEET)
    regions = [name for name in core_regions(core, 1) if hasattr(dut, f"{name}__write")]
    strobes = [f"{name}__{strobe}" for name in regions for strobe in ("write", "read")]
    inputs = dict.fromkeys(
        (*strobes, "start", "clear", "sums_valid", "sums", "update", "learning"), 0
    )
    edge = await start(dut, **inputs)
    await _load(dut, given, [name for name in regions if name != "state"], checks)
    neurons = range(core.n_neurons)
    collector = Collector(dut)
    adaptation = NeuronArray.cleared(core, image.cores[0], 1).adaptation
    for epoch in range(2):
        waited = await _clear(dut, edge)
        assert core.rows <= waited <= core.rows + 1, f"clearing took {waited} cycles"
        golden = NeuronArray.cleared(core, image.cores[0], 1)
        golden.adaptation = adaptation  # clearing leaves it as it is
        state = await read_region(dut, "state", neurons, **reads)
        checks.equal(np.zeros(len(neurons)), state, "cleared states of neuron", epoch=epoch)
        if epoch:
            await _set_state(dut, rng, golden)
        for tick in range(TICKS):
            current = _currents(rng, core)
            gaps = rng.integers(0, 3 if tick % 2 else 1, core.rows).tolist()
            updated = tick >= core.first_tick
            learning = bool(rng.integers(0, 2))
            dut.update.value = int(updated)
            dut.learning.value = int(learning)
            collector.rows.clear()
            came = await _give(dut, edge, _rows(core, current), gaps)
            golden.update(current[None, None].astype(np.int32), tick)
            if learning and updated:
                golden.adapt()
            fired, potentials = golden.fired[0], golden.v[0]
            where = {"epoch": epoch, "tick": tick, "core": 0}
            if updated:
                left = [when for when, _ in collector.rows]
                checks.sequence([when + given["latency"] for when in came], left, "cycle", **where)
                marks = np.array([word for _, word in collector.rows])
                got = (marks[:, None] >> np.arange(core.pipelines)) & 1
                checks.equal(fired, got.ravel(), "spikes of neuron", **where)
            else:
                assert not collector.rows, f"tick {tick}: spikes before the first tick"
            await _compare(dut, golden, checks, where, given["config_latency"])
            adapts, some = core.adaptation is not None, bool(fired.any())
            met = {
                "spike": some,
                "upper rail": some or (potentials == core.v_max).any(),
                "lower rail": (potentials == core.v_min).any(),
                "gaps": sum(gaps),
                "not updated": not updated or core.first_tick == 0,
                "adapted": not adapts or (learning and some),
                "kept": not adapts or (not learning and some),
                "inhibited": core.inhibition == "none" or (some and not fired.all()),
            }
            for what, count in met.items():
                checks.reach(what, count)
        adaptation = golden.adaptation
    checks.finish()
