"""cocotb bench of what knows whether a core's neurons rest.

Parameters: ``core``; ``layout`` of a neuron's states; ``latency`` from ``entering`` to ``leaving``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import FallingEdge, RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.golden.rest import Rest
from spikelet.sim.testbench import Checks, Layout, pack, parameters, random_source, start

TICKS = 120

_States = dict[str, npt.NDArray[np.int64]]


class Bench:
    """The component, and golden's, tick by tick."""

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.core: CoreParams = given["core"]
        self.layout: Layout = given["layout"]
        self.latency: int = given["latency"]
        self.golden = Rest(1)
        self.edge = RisingEdge(dut.clk)
        kinds = ["quiet", "an axon at rest", "woken", "held", "spikes", "still", "last row moves"]
        self.checks = Checks(*kinds, *(f"moves {name}" for name in self.core.state_ranges))
        self.states = self._states()

    def _states(self) -> _States:
        """Return states of neurons of which none has fired."""
        found = {
            name: self.rng.integers(low, high + 1, self.core.n_neurons)
            for name, (low, high) in self.core.state_ranges.items()
        }
        return found | {"fired": np.zeros(self.core.n_neurons, np.int64)}

    async def cycle(self, **ports: int) -> None:
        """Give the ports some values for a cycle, and 0 to the others."""
        names = ("start", "woken", "axon_valid", "row_valid", "held", "entering", "leaving")
        for name in names:
            getattr(self.dut, name).value = ports.get(name, 0)
        await FallingEdge(self.dut.clk)

    def _row(self, states: _States, row: int) -> int:
        """Return a row of neurons as a port takes it."""
        word, width = 0, sum(bits for _, bits in self.layout)
        first = row * self.core.pipelines
        for lane in range(self.core.pipelines):
            values = {name: int(states[name][first + lane]) for name, _ in self.layout}
            word |= pack(self.layout, values) << lane * width
        return word

    def _after(self) -> _States:
        """Return the states after an update: often the same, or with a single one changed."""
        rng, after = self.rng, {name: values.copy() for name, values in self.states.items()}
        if self.states["fired"].any():
            after["fired"][:] = 0  # so that all are silent again, but have spiked
            return after
        if rng.random() < 0.55:
            self.checks.reach("still")
            return after
        name = str(rng.choice(list(after)))
        low, high = self.core.state_ranges[name]
        last = rng.random() < 0.3
        neuron = self.core.n_neurons - 1 if last else int(rng.integers(self.core.n_neurons))
        old = int(after[name][neuron])
        near = [value for value in (old ^ 1, low, high) if value != old and low <= value <= high]
        after[name][neuron] = rng.choice(near)
        self.checks.reach(f"moves {name}")
        self.checks.reach("spikes", after["fired"].any())
        self.checks.reach("last row moves", neuron >= self.core.n_neurons - self.core.pipelines)
        return after

    async def tick(self) -> None:
        """Begin a tick, perhaps with an axon, and update all rows unless it is cut short."""
        rng, checks = self.rng, self.checks
        active = np.array([rng.random() < 0.3])
        was_awake = bool(self.golden.awake[0])
        await self.cycle(start=1)
        checks.equal(int(not was_awake), int(self.dut.quiet.value), "quiet at first")
        if active[0]:
            for valid in (1, *rng.integers(0, 2, int(rng.integers(3))).tolist(), 0):
                await self.cycle(axon_valid=valid)
        else:
            await self.cycle()
        quiet = bool(self.golden.quiet(active)[0])
        checks.equal(int(quiet), int(self.dut.quiet.value), "quiet behind the scan")
        checks.reach("quiet", quiet)
        checks.reach("an axon at rest", active[0] and not was_awake)
        after, held = self.states, False
        if not quiet:
            held = rng.random() < 0.1
            checks.reach("held", held)
            after = self.states if held else self._after()
            await self._rows(after, held)
        self.golden.note(active | held, _batch(self.states), _batch(after))
        self.states = after

    async def _rows(self, after: _States, held: bool) -> None:
        """Let all rows pass, one a cycle, with what else may be on the ports in between."""
        core, latency = self.core, self.latency
        for step in range(core.rows + latency):
            leaving = step - latency
            await self.cycle(
                entering=self._row(self.states, step) if step < core.rows else 0,
                leaving=self._row(after, leaving) if leaving >= 0 else 1,
                row_valid=leaving >= 0,
                held=held,
            )

    async def between(self) -> None:
        """Perhaps write something; begin the next tick at once, or later."""
        if self.rng.random() < 0.1:
            await self.cycle(woken=1)
            self.golden = Rest(1)
            self.checks.reach("woken")
        for _ in range(int(self.rng.integers(3))):
            await self.cycle()


def _batch(states: _States) -> _States:
    """Return states as those of one sample."""
    return {name: values[None] for name, values in states.items()}


@cocotb.test(timeout_time=400, timeout_unit="us")
async def random_ticks(dut: Any) -> None:
    """Every tick that golden cuts short is quiet, and no other."""
    given, rng = parameters(), random_source()
    await start(dut, **dict.fromkeys(("start", "woken", "axon_valid", "row_valid", "held"), 0))
    bench = Bench(dut, given, rng)
    await FallingEdge(dut.clk)
    for _ in range(TICKS):
        await bench.tick()
        await bench.between()
    bench.checks.finish()
