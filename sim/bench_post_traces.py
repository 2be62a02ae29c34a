"""cocotb bench of the neurons' traces: groups as they are shown, their update, configuration.

Parameters: ``core``; ``update_latency`` from a row's sums to its spikes; ``config_latency``.
"""

from collections import defaultdict
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import FallingEdge, RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import post_bits, post_fields
from spikelet.description.lanes import pack_lanes
from spikelet.golden.post_traces import PostTraces
from spikelet.sim.bench_learning_rule import port_word
from spikelet.sim.drivers import cycle
from spikelet.sim.testbench import (
    Checks,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

TICKS = 14

WRITTEN = 4
"""Cycles from a group's last row of spikes until it is in the memory."""

_Int = npt.NDArray[np.int64]

_INPUTS = ("load", "take", "leave", "sums_valid", "fired_valid")


class Schedule:
    """What the ports are given in each cycle of a tick, from the one after ``start`` on.

    The shortest times are those of the crossbar: the group that follows is taken while the one
    before leaves, and leaves with the last row of it.

    Attributes
    ----------
    inputs : dict of dict
        Cycle: name and value of ports; the others are 0.
    shown : dict
        Cycle: group that is shown from there on.
    last : int
        Cycle of the last row of spikes.
    touching : bool
        Whether a group left in the cycle of the last row of the one before.
    """

    def __init__(
        self,
        core: CoreParams,
        rng: np.random.Generator,
        fired: npt.NDArray[np.bool_],
        potentials: _Int,
        update_latency: int,
    ) -> None:
        self.inputs: defaultdict[int, dict[str, int]] = defaultdict(dict)
        self.shown: dict[int, int] = {}
        self.touching = False
        self.longest = int(rng.choice((1, 4)))

        def gap() -> int:
            return int(rng.integers(self.longest))

        taken = left = row_at = 0
        for group in range(core.groups):
            loaded = max(1, taken) + gap()
            taken = max(loaded + 1, left) + gap()
            left = max(taken + 1, row_at) + gap()
            self.touching |= group > 0 and left == row_at
            self.inputs[loaded] |= {"load": 1, "group": group}
            self.inputs[taken] |= {"take": 1}
            self.inputs[left] |= {"leave": 1}
            self.shown[taken + 1] = group
            row_at = left
            for row in range(group * core.lanes, (group + 1) * core.lanes, core.pipelines):
                row_at += 1 + gap()
                here = slice(row, row + core.pipelines)
                self.inputs[row_at] |= {"sums_valid": 1}
                self.inputs[row_at + update_latency] |= {
                    "fired_valid": 1,
                    "fired": port_word(fired[here], 1),
                    "potentials": port_word(potentials[here], core.potential_bits),
                }
        self.last = row_at + update_latency


class Bench:
    """The component between two ticks, golden's traces and the potentials.

    Attributes
    ----------
    values : dict of array of int64, shape (n_neurons,)
        What the memory holds of each neuron for the coming tick.
    """

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut, self.rng, self.given = dut, rng, given
        self.core: CoreParams = given["core"]
        assert self.core.learning is not None
        self.rule = self.core.learning
        self.fields = post_fields(self.core)
        self.edge = RisingEdge(dut.clk)
        corners = ["silent tick", "all fire", "groups touch", "gaps"]
        self.checks = Checks(*corners, *(f"top of {name}" for name in self.rule.post_traces))
        self.tick = 0
        self.values = self._zeros()

    def _zeros(self) -> dict[str, _Int]:
        return {name: np.zeros(self.core.n_neurons, np.int64) for name in self.fields}

    def _rows(self, values: dict[str, _Int]) -> _Int:
        """Return the fields of all neurons as codes, shape (groups, lanes)."""
        codes, first = np.zeros(self.core.n_neurons, np.int64), 0
        for name, bits in self.fields.items():
            codes |= (values[name] & ((1 << bits) - 1)) << first
            first += bits
        return codes.reshape(self.core.groups, self.core.lanes)

    async def configure(self, *, write: bool) -> None:
        """Read what the memory holds, in any order; write something else first if asked for."""
        core, latency = self.core, self.given["config_latency"]
        if write:
            some = self.rng.random(core.n_neurons) < 0.7
            for name, trace in self.rule.post_traces.items():
                values = self.rng.integers(0, trace.largest + 1, core.n_neurons)
                self.values[name] = np.where(some, values, 0)
            if "v" in self.fields:
                self.values["v"] = self._potentials()
        offsets, words = pack_lanes(self._rows(self.values), post_bits(core))
        pairs = list(zip(offsets.tolist(), words.tolist(), strict=True))
        if write:
            await write_region(self.dut, "config", pairs)
        order = self.rng.permutation(len(pairs)).tolist()
        read = await read_region(self.dut, "config", [pairs[i][0] for i in order], latency=latency)
        self.checks.sequence([pairs[i][1] for i in order], read, "word", tick=self.tick)

    def _potentials(self) -> _Int:
        return self.rng.integers(self.core.v_min, self.core.v_max + 1, self.core.n_neurons)

    async def clear(self) -> None:
        """Clear the memory, and check for how long that takes."""
        idle = cocotb.start_soon(self._idle())
        self.dut.clear.value = 1
        began = cycle() + 1
        await self.edge
        self.dut.clear.value = 0
        cycles = await idle - began
        rows = 2 << (self.core.groups - 1).bit_length()
        assert cycles == rows, f"clearing took {cycles} cycles, not {rows}"
        await self.edge
        self.dut.half.value = 0
        self.tick, self.values = 0, self._zeros()

    async def _idle(self) -> int:
        """Return the first cycle in which the component is not busy any more."""
        await FallingEdge(self.dut.busy)
        return cycle()

    async def update(self, density: float) -> None:
        """Run a tick; a group that is shown is as the tick before left it."""
        fired = self.rng.random(self.core.n_neurons) < density
        potentials = self._potentials()
        latency = self.given["update_latency"]
        schedule = Schedule(self.core, self.rng, fired, potentials, latency)
        self.dut.start.value = 1
        await self.edge
        self.dut.start.value = 0
        self.dut.half.value = (self.tick + 1) % 2
        await self._play(schedule)
        await self._show_again()
        traces = {name: self.values[name][None] for name in self.rule.post_traces}
        golden = PostTraces(self.rule, traces)
        golden.advance(fired[None])
        self._note(schedule, fired)
        self.values = {name: values[0] for name, values in golden.values.items()}
        self.values |= {"v": potentials} if "v" in self.fields else {}
        self.tick += 1

    async def _play(self, schedule: Schedule) -> None:
        """Give the ports what is planned; check the group shown, and when the memory is idle."""
        before, bits = self._rows(self.values), post_bits(self.core)
        group = None
        for at in range(1, schedule.last + WRITTEN + 1):
            here = schedule.inputs[at]
            for name in _INPUTS:
                getattr(self.dut, name).value = here.get(name, 0)
            for name in here.keys() - set(_INPUTS):
                if hasattr(self.dut, name):
                    getattr(self.dut, name).value = here[name]
            group = schedule.shown.get(at, group)
            await self.edge
            if group is not None:
                want, got = port_word(before[group], bits), int(self.dut.neurons.value)
                where = {"tick": self.tick, "group": group, "cycle": at}
                self.checks.sequence([want], [got], "neurons", **where)
            busy = bool(self.dut.busy.value)
            after = at - schedule.last
            if after > 0:
                assert busy == (after < WRITTEN), f"tick {self.tick}, {after} cycles after: {busy}"

    async def _show_again(self) -> None:
        """Show groups in any order when the tick's update is done: they are still the old ones."""
        before, bits = self._rows(self.values), post_bits(self.core)
        for group in self.rng.permutation(self.core.groups).tolist()[:3]:
            if hasattr(self.dut, "group"):
                self.dut.group.value = group
            self.dut.load.value = 1
            await self.edge
            self.dut.load.value = 0
            for _ in range(self.rng.integers(3)):
                await self.edge
            self.dut.take.value = 1
            await self.edge
            self.dut.take.value = 0
            await self.edge
            want, got = port_word(before[group], bits), int(self.dut.neurons.value)
            self.checks.sequence([want], [got], "neurons", tick=self.tick, group_again=group)

    def _note(self, schedule: Schedule, fired: npt.NDArray[np.bool_]) -> None:
        """Note what a tick has reached; ``values`` are still those before it."""
        self.checks.reach("silent tick", not fired.any())
        self.checks.reach("all fire", fired.all())
        self.checks.reach("groups touch", schedule.touching)
        self.checks.reach("gaps", schedule.longest > 1)
        for name, trace in self.rule.post_traces.items():
            room = trace.largest - trace.increment if trace.mode == "add" else 0
            self.checks.reach(f"top of {name}", (fired & (self.values[name] > room)).any())


@cocotb.test(timeout_time=200, timeout_unit="us")
async def ticks(dut: Any) -> None:
    """Ticks of every density; between them the memory is read, and now and then written."""
    given, rng = parameters(), random_source()
    inputs = ("start", "clear", "half", *_INPUTS, "config__read", "config__write")
    await start(dut, **dict.fromkeys(inputs, 0))
    bench = Bench(dut, given, rng)
    for _ in range(3):
        await bench.clear()
        await bench.configure(write=False)
        for tick in range(TICKS):
            density = 0.0 if tick == 4 else 1.0 if tick % 6 == 0 else rng.random() ** 2
            await bench.update(density)
            await bench.configure(write=tick % 6 == 5)
    bench.checks.finish()
