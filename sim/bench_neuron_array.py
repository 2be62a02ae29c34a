"""cocotb bench of the neuron array: all states over ticks, spikes, parameters, draws.

Parameters: ``chip`` of one core; ``image``; ``latency`` from sums to spikes; ``config_latency``.
"""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import core_regions
from spikelet.description.chip.neuron_words import (
    pack_states,
    state_offsets,
    unpack_kept,
    unpack_states,
)
from spikelet.description.chip.state import CoreState
from spikelet.description.chip.teacher import error_bits
from spikelet.description.expression import range_of
from spikelet.description.neurons.draws import first_words, words_after
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
    *("spike", "upper rail", "lower rail", "gaps", "not updated", "learning", "inhibited"),
    "inhibited from elsewhere alone",
)

_States = dict[str, npt.NDArray[Any]]


class Collector:
    """Collects the rows of spikes as (cycle, marks), and their errors where there are any."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.errors: list[int] = []
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
                if hasattr(self.dut, "errors"):
                    self.errors.append(int(self.dut.errors.value))

    def clear(self) -> None:
        """Forget what was collected."""
        self.rows.clear()
        self.errors.clear()


async def _give(
    dut: Any,
    edge: RisingEdge,
    rows: list[int],
    taught: list[int],
    gaps: list[int],
    others: bool,
) -> list[int]:
    """Give one tick's rows of sums; return the cycle of each, once all have been dealt with."""
    dut.start.value = 1
    await edge
    dut.start.value = 0
    if others:
        dut.others_fired.value = 1
        await edge
        dut.others_fired.value = 0
    at = []
    for row, teacher, gap in zip(rows, taught, gaps, strict=True):
        for _ in range(gap):
            await edge
        dut.sums.value = row
        if hasattr(dut, "teacher_sums"):
            dut.teacher_sums.value = teacher
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
    low, high = core.sum_range
    size = max(1, (core.v_max >> core.weight_exponent) >> int(rng.integers(0, 4)))
    usual = rng.integers(max(low, -size), min(high, size) + 1, core.n_neurons)
    return np.where(rng.random(core.n_neurons) < 0.15, rng.choice((low, high)), usual)


async def _load(dut: Any, given: dict[str, Any], regions: list[str], checks: Checks) -> None:
    """Write the parameters and read them back."""
    core = given["chip"].cores[0]
    for name in regions:
        words = config_words(given["chip"], given["image"], 0, name)
        assert words, f"the image has nothing for {name}"
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


class Golden:
    """Golden's neurons, of one sample."""

    def __init__(self, core: CoreParams, image: CoreImage) -> None:
        self.core = core
        self.image = image
        self.states: _States = {}
        self.teacher = np.zeros(core.n_neurons, np.int32)
        self.clear()

    def clear(self) -> None:
        """Clear all but the states that stay."""
        kept = {name: self.states.get(name, self.image.states[name]) for name in self.image.states}
        self.states = {**CoreState.cleared(self.core).states, **kept}

    def errors(self, updated: bool) -> list[int]:
        """Return the rows of errors of a tick, if it has updated any that the rule reads."""
        bits = error_bits(self.core.learning)
        return _rows(self.core, self.states["e"], bits) if bits and updated else []

    def teach(self, rng: np.random.Generator) -> list[int]:
        """Draw what teachers add up to in the coming tick; return the rows of it."""
        low, high = self.core.teacher_range
        self.teacher = rng.integers(low, high + 1, self.core.n_neurons).astype(np.int32)
        return _rows(self.core, self.teacher.astype(np.int64), self.core.teacher_bits)

    def update(
        self, sums: npt.NDArray[np.int32], tick: int, *, learning: bool, others: bool
    ) -> None:
        """Advance by a tick; ``others`` have fired in other cores in the one before."""
        update = self.core.update
        kept = {name: self.states[name].astype(np.int32) for name in update.kept}
        image = replace(self.image, learning=learning, states=kept)
        cleared = CoreState.cleared(self.core)
        state = replace(cleared, states={name: self.states[name] for name in update.states})
        neurons = NeuronArray(self.core, image, [state])
        there = np.full((1, 1), others) if self.core.inhibition_axon else None
        neurons.update(sums[None, None], tick, others=there, teacher=self.teacher[None, None])
        self.states = {name: values[0] for name, values in neurons.states.items()}


async def _set_state(dut: Any, rng: np.random.Generator, golden: Golden) -> None:
    """Put golden's neurons at the ends of their ranges and around 0, and the memories, too."""
    core = golden.core
    for name in golden.states:
        low, high = core.state_ranges[name]
        values = np.clip(rng.choice((low, high, 0, 1, -1), core.n_neurons), low, high)
        golden.states[name] = values
    words = pack_states(core, golden.states).tolist()
    await write_region(dut, "state", zip(state_offsets(core).tolist(), words, strict=True))
    for name in core.update.kept:
        await write_region(dut, name, enumerate(golden.states[name].tolist()))


def _rows(core: CoreParams, current: npt.NDArray[np.int64], bits: int) -> list[int]:
    """Return the rows of sums, of so many bits each, as the port wants them."""
    mask = (1 << bits) - 1
    return [
        sum((value & mask) << lane * bits for lane, value in enumerate(row))
        for row in current.reshape(core.rows, core.pipelines).tolist()
    ]


async def _compare(
    dut: Any, golden: Golden, checks: Checks, where: dict[str, int], latency: int
) -> None:
    """Compare all states, read from the memories, with golden's."""
    core = golden.core
    offsets = state_offsets(core).tolist()
    words = np.array(await read_region(dut, "state", offsets, latency=latency), np.uint32)
    found = unpack_states(core, words)
    for name in core.update.kept:
        neurons = range(core.n_neurons)
        words = np.array(await read_region(dut, name, neurons, latency=latency), np.uint32)
        found[name] = unpack_kept(core, name, words)
    for name, values in golden.states.items():
        checks.equal(values, found[name], f"{name} of neuron", **where)
    if core.update.draws:
        await _check_draws(dut, golden.image, checks, 1 + where.get("tick", -1), latency)


async def _check_draws(
    dut: Any, image: CoreImage, checks: Checks, ticks: int, latency: int
) -> None:
    """Read the first words, and behind a tick those of the coming one."""
    first = first_words(image.draw_key, image.draw_indices)
    expected = np.stack([first, words_after(first, ticks)], axis=1)[:, : 1 + (ticks > 0)]
    offsets = (2 * np.arange(first.size)[:, None] + np.arange(expected.shape[1])).ravel()
    words = await read_region(dut, "draws", offsets.tolist(), latency=latency)
    checks.sequence(expected.ravel().tolist(), words, "draws")


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
    strobes += ["others_fired"] if core.inhibition_axon else []
    inputs = dict.fromkeys(
        (*strobes, "start", "clear", "sums_valid", "sums", "update", "learning"), 0
    )
    edge = await start(dut, **inputs)
    await _load(dut, given, [name for name in regions if name != "state"], checks)
    collector = Collector(dut)
    golden = Golden(core, image.cores[0])
    for epoch in range(2):
        waited = await _clear(dut, edge)
        assert core.rows <= waited <= core.rows + 1, f"clearing took {waited} cycles"
        golden.clear()
        await _compare(dut, golden, checks, {"epoch": epoch, "cleared": 1}, **reads)
        if epoch:
            await _set_state(dut, rng, golden)
        for tick in range(TICKS):
            current = _currents(rng, core)
            gaps = rng.integers(0, 3 if tick % 2 else 1, core.rows).tolist()
            updated = tick >= core.first_tick
            learning = bool(rng.integers(0, 2))
            dut.update.value = int(updated)
            dut.learning.value = int(learning)
            collector.clear()
            others = core.inhibition_axon and bool(rng.integers(0, 2))
            alone = others and not golden.states["fired"].any()
            taught = golden.teach(rng)
            came = await _give(
                dut, edge, _rows(core, current, core.current_bits), taught, gaps, others
            )
            golden.update(current.astype(np.int32), tick, learning=learning, others=others)
            where = {"epoch": epoch, "tick": tick, "core": 0}
            fired, v = golden.states["fired"] != 0, golden.states["v"]
            if updated:
                left = [when for when, _ in collector.rows]
                checks.sequence([when + given["latency"] for when in came], left, "cycle", **where)
                marks = np.array([word for _, word in collector.rows])
                checks.equal(
                    fired,
                    ((marks[:, None] >> np.arange(core.pipelines)) & 1).ravel(),
                    "spikes of neuron",
                    **where,
                )
            else:
                assert not collector.rows, f"tick {tick}: spikes before the first tick"
            checks.sequence(golden.errors(updated), collector.errors, "row of errors", **where)
            await _compare(dut, golden, checks, where, **reads)
            (low, high), some = range_of(core.update.results["v"], core.update.ranges), fired.any()
            met = {
                "spike": some,
                "upper rail": some or (v == high).any(),
                "lower rail": (v == low).any(),
                "gaps": sum(gaps),
                "not updated": not updated or core.first_tick == 0,
                "learning": "learning" not in core.update.inputs or (learning and some),
                "inhibited": "inhibited" not in core.update.inputs or (some and not fired.all()),
                "inhibited from elsewhere alone": not core.inhibition_axon or alone,
            }
            for what, count in met.items():
                checks.reach(what, count)
    checks.finish()
