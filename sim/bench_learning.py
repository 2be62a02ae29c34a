"""cocotb bench of one plastic core: all that it learns, tick by tick, through its own ports.

Parameters: ``chip``; ``core``, which of its cores this is; ``image``; ``node_latency``.
"""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import COUNTERS, LEARNING_REGISTERS, ChipMap
from spikelet.description.chip.neuron_words import unpack_states
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.chip.state_words import learned_words, restore_program, state_words
from spikelet.description.learning.rule import LearningRule
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.golden.core import Core
from spikelet.golden.learning import sweep_terms
from spikelet.sim.bench_core import ConfigLink, quiet, random_events, strobe
from spikelet.sim.drivers import PAUSES, Monitor, Sink, Source, cycle, pauses
from spikelet.sim.testbench import Checks, flits_of, parameters, random_source, start

TICKS = 12

DRAIN = 12
"""Cycles that a phase may take from its last visit until the next phase or the tick's end."""

_Words = dict[str, npt.NDArray[np.uint32]]


class Expected:
    """The core as golden has it; ``tick`` is the coming one, and ``reward`` that of all ticks."""

    def __init__(self, chip: ChipParams, image: ChipImage, number: int) -> None:
        self.chip, self.image, self.number = chip, image, number
        self.core: CoreParams = chip.cores[number]
        assert self.core.learning is not None
        self.rule: LearningRule = self.core.learning
        self.reward = 0
        self.golden = Core(self.core, image.cores[number], [CoreState.cleared(self.core)])
        self.clear()

    def clear(self) -> None:
        """Clear the state; what has been learned stays."""
        self.bitmap = AxonBitmap(self.core, 1, TICKS + self.core.delay_slots)
        self.tick = self.active_axons = 0
        self._renew(self.golden.contents(), CoreState.cleared(self.core))

    def change(self, **fields: Any) -> None:
        """Change some of the contents."""
        self._renew(replace(self.golden.contents(), **fields), self._state())

    def _renew(self, contents: CoreImage, state: CoreState) -> None:
        self.golden = Core(self.core, contents, [state])

    def _state(self) -> CoreState:
        due = self.bitmap.arrivals[0, self.tick : self.tick + self.core.delay_slots] > 0
        return self.golden.state(due)

    def snapshot(self) -> ChipState:
        """Return a snapshot; the other cores are as they were loaded, and cleared."""
        states = [CoreState.cleared(core) for core in self.chip.cores]
        contents = list(self.image.cores)
        states[self.number], contents[self.number] = self._state(), self.golden.contents()
        image = ChipImage(tuple(contents))
        return ChipState(self.chip.digest, self.tick, image, tuple(states))

    def arrive(self, word: int) -> None:
        """Take an event."""
        fields = flit_packet(self.chip).unpack(word)
        self.bitmap.arrivals[0, self.tick + int(fields["delay"]), int(fields["axon"])] += 1

    def run(self) -> None:
        """Run the tick whose arrivals are complete: the one before ``tick``."""
        number = self.tick - 1
        self.active = self.bitmap.arrivals[0, number] > 0
        self.active_axons += int(self.active.sum())
        active = self.active[None, None]
        rewards = np.array([self.reward], np.int32)
        self.fired: npt.NDArray[np.bool_] = self.golden.run(active, number, rewards)[0, 0]

    def compare(self, checks: Checks, words: _Words, **where: int) -> None:
        """Compare the state that was read after a tick, and what was learned."""
        for name, values in unpack_states(self.core, words["state"]).items():
            expected = self.golden.neurons.states[name][0]
            checks.equal(expected, values, f"{name} of neuron", **where)
        checks.equal(self.fired, self.golden.neurons.fired[0], "spikes of neuron", **where)
        learned = {name: v for name, v in self.golden.learned().items() if v.size}
        read = learned_words(self.core, words)
        assert read.keys() == learned.keys(), f"{sorted(read)} and {sorted(learned)}"
        for name, values in learned.items():
            checks.equal(values, read[name], name, **where)

    def compare_activity(
        self, checks: Checks, words: _Words, flits: list[int], **where: int
    ) -> None:
        """Compare the flits of a tick, and the counters since the clear."""
        expected = flits_of(self.chip, self.image, self.number, self.fired)
        checks.sequence(expected, flits, "flit", **where)
        counted = [self.active_axons, int(self.bitmap.merged()[0]), 0]
        checks.equal(counted, words["counters"], "counters", **where)


class Probe:
    """The core's ports, as a host without a chip around it would use them."""

    def __init__(self, dut: Any, given: dict[str, Any]) -> None:
        self.dut = dut
        self.chip: ChipParams = given["chip"]
        self.number: int = given["core"]
        self.map = ChipMap(self.chip)
        self.edge = RisingEdge(dut.clk)
        self.link = ConfigLink(dut, given["node_latency"])

    async def set_register(self, name: str, value: int) -> None:
        """Write a register of learning."""
        offset = LEARNING_REGISTERS.index(name)
        address = int(self.map.address(self.number, "learning", offset))
        await quiet(self.dut, self.edge)
        await self.link.write(np.array([[address, value & 0xFFFFFFFF]], np.uint64))

    async def registers(self) -> list[int]:
        """Read the registers of learning."""
        offsets = np.arange(len(LEARNING_REGISTERS))
        words = await self.link.read(self.map.address(self.number, "learning", offsets))
        return [int(word) for word in words]

    async def read(self) -> _Words:
        """Read all that changes, and the counters."""
        addresses = dict(state_words(self.chip)[self.number])
        del addresses["arrivals"]
        offsets = np.arange(len(COUNTERS))
        addresses["counters"] = self.map.address(self.number, "counters", offsets)
        words = await self.link.read(np.concatenate(list(addresses.values())))
        ends = np.cumsum([len(where) for where in addresses.values()])
        return dict(zip(addresses, np.split(words, ends[:-1]), strict=True))

    async def tick(self) -> int:
        """Run a tick; return for how many cycles the core was busy, once it is not any more."""
        self.dut.start.value = 1
        await self.edge
        self.dut.start.value = 0
        began = cycle()
        await self.edge
        assert self.dut.busy.value, "not busy after start"
        await quiet(self.dut, self.edge)
        return cycle() - began


async def _begin(dut: Any, given: dict[str, Any]) -> tuple[Probe, Expected]:
    """Reset, and load the image."""
    strobes = ("start", "clear", "event_out__ready", "event_in__valid", "config_in__response")
    await start(dut, **dict.fromkeys((*strobes, "config_in__write", "config_in__read"), 0))
    probe = Probe(dut, given)
    image: ChipImage = given["image"]
    await probe.link.write(image.program(probe.chip))
    return probe, Expected(probe.chip, image, probe.number)


def _note(checks: Checks, expected: Expected, before: dict[str, Any], on: bool) -> None:
    """Note what a tick has reached."""
    rule, learned = expected.rule, expected.golden.learned()
    checks.reach("spike", expected.fired.any())
    checks.reach("silent tick", not expected.active.any())
    checks.reach("weights learn", (learned["weights"] != before["weights"]).any())
    checks.reach("learning is off", not on)
    if rule.devices and rule.devices.count > 1:
        checks.reach("the next device", learned["selected"] != before["selected"])
    if rule.devices:
        checks.reach("devices learn", (learned["devices"] != before["devices"]).any())
    if rule.tag:
        checks.reach("tags learn", (learned["tags"] != before["tags"]).any())
    if "sweep" in rule.phases:
        due = sweep_terms(rule, expected.tick - 1, expected.reward)
        checks.reach("sweep", on and due)
        checks.reach("no sweep", on and not due)
    if rule.reads_error:
        error = expected.golden.neurons.states["e"][0]
        checks.reach("error without spike", ((error != 0) & ~expected.fired).any())
        checks.reach("error below 0", (error < 0).any() or rule.reads_chance)
        checks.reach("error above 0", (error > 0).any())


@cocotb.test(timeout_time=500, timeout_unit="us")
async def ticks(dut: Any) -> None:
    """All that changes, after each tick; in two runs, with learning switched off and on again."""
    given, rng = parameters(), random_source()
    probe, expected = await _begin(dut, given)
    rule, edge = expected.rule, probe.edge
    corners = ["spike", "silent tick", "weights learn", "learning is off", "stall"]
    corners += ["tags learn"] if rule.tag else []
    corners += ["devices learn"] if rule.devices else []
    corners += ["the next device"] if rule.devices and rule.devices.count > 1 else []
    corners += ["sweep", "no sweep"] if "sweep" in rule.phases else []
    if rule.reads_error:
        corners += ["error without spike", "error below 0", "error above 0"]
    checks = Checks(*corners)
    source = Source(dut, "event_in", pauses(rng, "seldom"))
    out = Monitor(dut, "event_out")
    sink = Sink(dut, "event_out", pauses(rng, PAUSES[rng.integers(1, 4)]))
    arrivals = Monitor(dut, "event_in", expected.arrive)
    on = True
    for epoch in range(2):
        await strobe(dut, edge, "clear")
        expected.clear()
        for tick in range(TICKS):
            if (tick % 5 != 4) != on:
                on = not on
                expected.change(learning=on)
                await probe.set_register("enable", int(on))
            if "r" in rule.variables:
                half = 1 << (rule.reward_bits - 1)
                expected.reward = int(rng.integers(-half, half) * (rng.random() < 0.5))
                await probe.set_register("reward", expected.reward)
            kind = int(rng.integers(3)) if tick else 0
            source.send(random_events(rng, probe.chip, probe.number, kind))
            await source.sent()
            out.transfers.clear()
            await quiet(dut, edge)
            expected.tick = tick + 1  # what comes from now on is for the tick after this one
            before = {name: np.copy(v) for name, v in expected.golden.learned().items()}
            running = cocotb.start_soon(probe.tick())
            source.send(random_events(rng, probe.chip, probe.number, int(rng.integers(2))))
            await running
            await source.sent()
            await quiet(dut, edge)
            expected.run()
            words = await probe.read()
            expected.compare(checks, words, epoch=epoch, tick=tick)
            expected.compare_activity(checks, words, out.payloads, epoch=epoch, tick=tick)
            mask = (1 << max(rule.reward_bits, 1)) - 1
            registers = [int(on), expected.reward & mask]
            checks.sequence(registers, [r & mask for r in await probe.registers()], "register")
            _note(checks, expected, before, on)
    checks.reach("stall", out.stalls + arrivals.stalls)
    sink.task.cancel()
    checks.finish()


def _phases(expected: Expected) -> list[tuple[int, int]]:
    """Return the plastic axons and groups that each phase after the neuron update will visit."""
    core, rule, learning = expected.core, expected.rule, expected.golden.learning
    assert learning is not None
    traced = np.any([values[0] > 0 for values in learning.pre.values.values()], axis=0)
    active = expected.bitmap.arrivals[0, expected.tick] > 0
    eligible = learning.plastic & (active | traced | rule.visits_silent_axons)
    due = bool(sweep_terms(rule, expected.tick, expected.reward))
    expected.tick += 1
    expected.run()
    marked = expected.fired
    if rule.visits_errors:
        marked = marked | (expected.golden.neurons.states["e"][0] != 0)
    groups = np.count_nonzero(marked.reshape(core.groups, core.lanes).any(axis=1))
    phases = [(int(eligible.sum()), int(groups) * ("post" in rule.phases))]
    phases.append((int(learning.plastic.sum()), core.groups * due))
    return [phase for phase in phases if phase[1]]


def _check_added(
    checks: Checks, expected: Expected, phases: list[tuple[int, int]], added: int
) -> None:
    """Check the cycles that learning has added to a tick: at most those of its visits and scans.

    And at least those of its visits, unless it did them while spikes were on their way out, or
    behind the walk over axons with short-term plasticity.
    """
    core = expected.core
    pace = 2 if core.weight_memory == "spram" else 1
    scan = core.scan_words + 4
    visits = pace * sum(axons * groups for axons, groups in phases)
    most = visits + sum(pace * scan + groups + DRAIN for _, groups in phases)
    if core.weight_memory == "spram":
        most += int(expected.active.sum()) * core.groups + scan
    assert added <= most, f"tick {expected.tick - 1}: {added} cycles added, {most} expected"
    if not expected.fired.any() and not core.short_term:
        assert added >= visits, f"tick {expected.tick - 1}: {added} cycles for {visits}"
    if not phases and core.weight_memory == "block":
        checks.equal(0, added, "added cycles", tick=expected.tick - 1)
    if not expected.rule.visits_errors:
        checks.reach("pre phase only", not phases and expected.active.any())
    checks.reach("visits afterwards", visits)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def timing(dut: Any) -> None:
    """What learning adds to a tick: nothing in the pre phase, a visit a cycle afterwards.

    Each tick is run without learning, then again, restored, with learning.
    """
    given, rng = parameters(), random_source()
    probe, expected = await _begin(dut, given)
    core, rule, edge = expected.core, expected.rule, probe.edge
    checks = Checks("visits afterwards", *([] if rule.visits_errors else ["pre phase only"]))
    source = Source(dut, "event_in")
    Monitor(dut, "event_in", expected.arrive)
    dut.event_out__ready.value = 1
    loaded = expected.image.cores[probe.number].parameters
    await strobe(dut, edge, "clear")
    for tick in range(TICKS):
        expected.reward = int(rng.integers(-2, 2)) * (tick % 4 > 1)
        nobody_fires = {"threshold": np.full_like(loaded["threshold"], core.v_max)}
        expected.change(parameters={**loaded, **({} if tick % 3 else nobody_fires)})
        source.send(random_events(rng, probe.chip, probe.number, 1 + tick % 2))
        await source.sent()
        await quiet(dut, edge)
        state = expected.snapshot()
        cycles = []
        for on in (0, 1):
            await strobe(dut, edge, "clear")
            await probe.link.write(restore_program(probe.chip, state))
            await probe.set_register("enable", on)
            await probe.set_register("reward", expected.reward)
            cycles.append(await probe.tick())
        _check_added(checks, expected, _phases(expected), cycles[1] - cycles[0])
        expected.compare(checks, await probe.read(), tick=tick)
    checks.finish()
