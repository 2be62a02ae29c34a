"""cocotb bench of a neuron-update pipeline, of any model.

Parameters: ``core``; ``layouts`` of the ports; ``latency``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.expression import range_of
from spikelet.description.neurons.update import DRAWS, can_spike
from spikelet.golden.neuron_update import neuron_update
from spikelet.sim.testbench import Checks, Layout, pack, parameters, random_source, start

BLOCKS, NEURONS = 12, 100
"""Blocks, in each of which shared parameters and ``learning`` hold still, of so many neurons."""

_Int = npt.NDArray[np.int64]


def _values(rng: np.random.Generator, low: int, high: int, size: int) -> _Int:
    """Return values over the whole range, over small magnitudes, and the ends."""
    small = max(1, high >> int(rng.integers(1, 4)))
    kinds = np.stack(
        [
            rng.integers(low, high + 1, size),
            np.clip(rng.integers(-small, small + 1, size), low, high),
            np.clip(rng.choice((low, high, -1, 0, 1), size), low, high),
        ]
    )
    return kinds[rng.integers(0, 3, size), np.arange(size)]


class Stimulus:
    """Random neurons of a core, and what golden makes of them."""

    def __init__(self, rng: np.random.Generator, core: CoreParams, names: list[str]) -> None:
        self.core, self.names, update = core, names, core.update
        self.values: dict[str, _Int] = {}
        for name in names:
            low, high = update.ranges[name]
            if name == "current":
                low, high = core.sum_range
            if name == "teacher":
                low, high = core.teacher_range
            still = name == "learning" or (
                name in update.parameters and core.scope(name) == "shared"
            )
            values = _values(rng, low, high, 1 if still else NEURONS)
            self.values[name] = np.broadcast_to(values, NEURONS)
        if "current" in self.values:  # half of them small enough that neither rail is near
            most = max(1, core.v_max >> core.weight_exponent)
            usual = np.clip(rng.integers(-most, most + 1, NEURONS), *_ends(self.values["current"]))
            self.values["current"] = np.where(
                rng.random(NEURONS) < 0.5, usual, self.values["current"]
            )

    def results(self, **changes: _Int) -> dict[str, _Int]:
        """Return the states after the tick, with other values of some names."""
        core = self.core
        model, update = core.neuron, core.update
        states_not_built = {name: update.ranges[name][0] for name in model.state_names}
        unread = {name: update.ranges[name][0] for name in core.parameters}
        names = ("current", "inhibited", "learning", "teacher", "draw", "draw_low")
        inputs = dict.fromkeys(names, 0)
        bounds = {"v_min": core.v_min, "v_max": core.v_max}
        given: dict[str, Any] = {**inputs, **bounds, **states_not_built, **unread}
        given |= {**self.values, **changes}
        values: dict[str, _Int] = {name: np.asarray(v, np.int64) for name, v in given.items()}
        for name in ("current", "teacher"):
            values[name] = values[name] << core.weight_exponent
        found = neuron_update(model, values)
        return {name: np.broadcast_to(found[name], NEURONS) for name in core.state_ranges}

    def thresholds(self) -> _Int:
        """Return the least threshold at which each neuron does not fire; one too many: none."""
        low, high = (np.full(NEURONS, end) for end in self.core.update.ranges["threshold"])
        while (low < high).any():
            middle = (low + high) >> 1
            fires = self.results(threshold=middle)["fired"] != 0
            low, high = np.where(fires, middle + 1, low), np.where(fires, high, middle)
        return low

    def aim(self, rng: np.random.Generator) -> int:
        """Set thresholds just to where neurons begin not to fire; return how many are there."""
        if "threshold" not in self.values:
            return 0
        least, (low, high) = self.thresholds(), self.core.update.ranges["threshold"]
        limits = np.clip(least - rng.integers(0, 2, NEURONS), low, high)
        if self.core.scope("threshold") == "shared":
            inside = limits[(least > low) & (least < high)]
            limits = np.full(NEURONS, rng.choice(inside) if inside.size else low)
        else:
            limits = np.where(rng.random(NEURONS) < 0.5, limits, self.values["threshold"])
        self.values["threshold"] = limits
        easier = self.results(threshold=np.maximum(limits - 1, low))["fired"]
        return int((easier > self.results()["fired"]).sum())

    def words(self, layout: Layout) -> list[int]:
        """Return what the port wants in each cycle: a neuron, and what one before it draws."""
        late = self.core.update.lines_before_draws
        columns = {
            name: np.pad(values, (late, 0) if name in DRAWS else (0, late), mode="edge").tolist()
            for name, values in self.values.items()
        }
        return [
            pack(layout, {name: column[i] for name, column in columns.items()})
            for i in range(NEURONS + late)
        ]


def _ends(values: _Int) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _unpacked(core: CoreParams, layout: Layout, words: list[int]) -> dict[str, _Int]:
    """Return the states in words of the port ``result``."""
    found = {}
    shift = 0
    for name, width in layout:
        values = [word >> shift & ((1 << width) - 1) for word in words]
        if core.state_ranges[name][0] < 0:
            values = [value - (value >> (width - 1) << width) for value in values]
        found[name] = np.array(values, np.int64)
        shift += width
    return found


@cocotb.test(timeout_time=100, timeout_unit="us")
async def arithmetic(dut: Any) -> None:
    """All states of every neuron, one neuron a cycle, after ``latency`` cycles."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    layouts: dict[str, Layout] = given["layouts"]
    names = [name for name, _ in layouts["neuron"]]
    aimed = "threshold" in names
    corners = [*(["spike"] if can_spike(core.neuron) else []), *(["equality"] if aimed else [])]
    checks = Checks("no spike", "top", "bottom", *corners)
    low, high = range_of(core.update.results["v"], core.update.ranges)
    edge = await start(dut, neuron=0)
    for block in range(BLOCKS):
        stimulus = Stimulus(rng, core, names)
        if block % 3 and stimulus.aim(rng):
            checks.reach("equality")
        expected = stimulus.results()
        words = await _passed(dut, edge, stimulus.words(layouts["neuron"]), given["latency"])
        got = _unpacked(core, layouts["result"], words)
        for name, values in expected.items():
            checks.equal(values, got[name], f"{name} of neuron", block=block)
        fired = expected["fired"] != 0
        if fired.any():
            checks.reach("spike")
        checks.reach("no spike", (~fired).any())
        checks.reach("top", fired.any() or (expected["v"] == high).any())
        checks.reach("bottom", (expected["v"] == low).any())
    checks.finish()


async def _passed(dut: Any, edge: RisingEdge, words: list[int], latency: int) -> list[int]:
    """Give words to the pipeline, one a cycle; return what leaves it for each."""
    left = []
    for step in range(len(words) + latency + 1):
        if step < len(words):
            dut.neuron.value = words[step]
        await edge
        if step >= latency:
            left.append(int(dut.result.value))
    return left[:NEURONS]


@cocotb.test(timeout_time=50, timeout_unit="us")
async def latency(dut: Any) -> None:
    """A single neuron that is another leaves ``latency`` cycles later, and for one cycle."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    layout: Layout = given["layouts"]["neuron"]
    edge = await start(dut, neuron=0)
    stimulus = Stimulus(rng, core, [name for name, _ in layout])
    for name in DRAWS & stimulus.values.keys():  # they come later than the neuron
        stimulus.values[name] = np.broadcast_to(stimulus.values[name][:1], NEURONS)
    words, results = stimulus.words(layout), stimulus.results()
    results_by_neuron = np.stack(list(results.values()), axis=1)
    other = int(np.flatnonzero((results_by_neuron != results_by_neuron[0]).any(axis=1))[0])
    for word in [words[0]] * (2 * given["latency"] + 2):
        dut.neuron.value = word
        await edge
    usual = int(dut.result.value)
    dut.neuron.value = words[other]
    await edge
    dut.neuron.value = words[0]
    seen = []
    for _ in range(3 * given["latency"]):
        await edge
        seen.append(int(dut.result.value) != usual)
    assert sum(seen) == 1, f"differed {sum(seen)} times"
    assert seen.index(True) + 1 == given["latency"], f"latency is {seen.index(True) + 1} cycles"
