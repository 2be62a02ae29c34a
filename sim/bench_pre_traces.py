"""cocotb bench of the axons' traces: update, look-ups, the list of eligible axons, configuration.

Parameters: ``core``; ``latency`` of a look-up; ``config_latency``.
"""

from collections import deque
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import FallingEdge, RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import scan_rows
from spikelet.description.lanes import pack_lanes
from spikelet.golden.pre_traces import PreTraces
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

UPDATE = 5
"""Cycles from the last row's turn until the update is over."""


def _words(core: CoreParams, values: dict[str, npt.NDArray[np.int64]]) -> list[tuple[int, int]]:
    """Return (offset, data) of the traces of all axons."""
    assert core.learning is not None
    codes, first = np.zeros(core.trace_rows * core.trace_lanes, np.int64), 0
    for name, trace in core.learning.pre_traces.items():
        codes[: core.n_axons] |= values[name][0] << first
        first += trace.bits
    offsets, words = pack_lanes(codes.reshape(core.trace_rows, core.trace_lanes), first)
    return list(zip(offsets.tolist(), words.tolist(), strict=True))


def _marks(core: CoreParams, marks: npt.NDArray[np.bool_]) -> list[int]:
    """Return marks of the axons as words."""
    return [int(word) for word in pack_lanes(scan_rows(core, marks), 1)[1]]


class Bench:
    """The component between two ticks, and golden's traces.

    Attributes
    ----------
    plastic : array of bool, shape (n_axons,)
    before, risen : dict of array of int64, shape (1, n_axons)
        Traces of the tick that is running, before and after its spikes.
    active : array of bool, shape (n_axons,)
        Spikes of the tick that is running.
    """

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.core: CoreParams = given["core"]
        assert self.core.learning is not None
        self.rule = self.core.learning
        self.names = list(self.rule.pre_traces)
        pre_terms = [term for term in self.rule.terms if term.phase == "pre"]
        self.used_before = any(term.variables & set(self.names) for term in pre_terms)
        self.given = given
        self.edge = RisingEdge(dut.clk)
        traced = ("eligible without a spike", "top", "rows behind the scan")
        self.checks = Checks(*("x0", "not plastic", "silent tick", *(traced if self.names else ())))
        self.plastic = np.zeros(self.core.n_axons, np.bool_)
        self.forget()
        self.tick = 0
        self.asked: deque[tuple[int, int, bool]] = deque()

    def forget(self) -> None:
        """Clear golden's traces."""
        zeros = {name: np.zeros((1, self.core.n_axons), np.int64) for name in self.names}
        self.golden = PreTraces(self.rule, zeros)

    def ask(self, before: bool) -> None:
        """Look up a random axon; :meth:`step` compares what comes."""
        axon = int(self.rng.integers(self.core.n_axons))
        self.dut.axon.value = axon
        self.dut.unraised.value = int(before)
        self.asked.append((cycle() + self.given["latency"] + 1, axon, before))

    async def step(self) -> None:
        """Let a cycle pass."""
        await self.edge
        if not self.asked or self.asked[0][0] != cycle():
            return
        _, axon, before = self.asked.popleft()
        where = {"tick": self.tick, "axon": axon, "before": int(before)}
        if before:
            mark = self.plastic[axon]
            self.checks.equal(mark, bool(self.dut.plastic.value), "plastic", **where)
            self.checks.reach("not plastic", not mark)
        else:
            spike = self.active[axon]
            self.checks.equal(spike, bool(self.dut.x0.value), "x0", **where)
            self.checks.reach("x0", spike)
        if before and not self.used_before:
            return
        for name in self.names:
            value = (self.before if before else self.risen)[name][0, axon]
            self.checks.equal(value, int(getattr(self.dut, name).value), name, **where)

    async def configure(self, *, write: bool) -> None:
        """Read traces and plastic marks, in any order; write others first if asked for."""
        core, latency = self.core, self.given["config_latency"]
        if write:
            self.plastic = self.rng.random(core.n_axons) < 0.7
            await write_region(self.dut, "plastic_config", enumerate(_marks(core, self.plastic)))
            for name, trace in self.rule.pre_traces.items():
                values = self.rng.integers(0, trace.largest + 1, (1, core.n_axons))
                some = self.rng.random(core.n_axons) < 0.7
                self.golden.values[name] = np.where(some, values, 0)
            if self.names:
                await write_region(self.dut, "pre_traces", _words(core, self.golden.values))
        regions = {"plastic_config": list(enumerate(_marks(core, self.plastic)))}
        if self.names:
            regions["pre_traces"] = _words(core, self.golden.values)
        for port, words in regions.items():
            order = self.rng.permutation(len(words)).tolist()
            read = await read_region(self.dut, port, [words[i][0] for i in order], latency=latency)
            wanted = [words[i][1] for i in order]
            self.checks.sequence(wanted, read, f"{port} word", tick=self.tick)

    async def clear(self) -> None:
        """Clear the traces, and check for how long that takes."""
        idle = cocotb.start_soon(self._idle())
        self.dut.clear.value = 1
        began = cycle() + 1
        await self.edge
        self.dut.clear.value = 0
        if self.names:
            cycles = await idle - began
            rows = 2 << (self.core.trace_rows - 1).bit_length()
            assert cycles == rows, f"clearing took {cycles} cycles, not {rows}"
        await self.edge
        self.forget()
        self.tick = 0
        self.dut.half.value = 0

    async def _idle(self) -> int:
        """Return the first cycle in which the component is not busy any more."""
        await FallingEdge(self.dut.busy)
        return cycle()

    async def update(self, density: float) -> None:
        """Run a tick: the words come as from a scan, while axons are looked up."""
        core, dut, rng = self.core, self.dut, self.rng
        self.active = rng.random(core.n_axons) < density
        self.before = dict(self.golden.values)
        self.golden.rise(self.active[None])
        self.risen = dict(self.golden.values)
        idle = cocotb.start_soon(self._idle())
        dut.start.value = 1
        await self.step()
        dut.start.value = 0
        dut.half.value = (self.tick + 1) % 2
        slowest = int(rng.choice((1, 4, 20)))
        turn, behind = 0, False
        for number, word in enumerate(_marks(core, self.active)):
            for _ in range(rng.integers(slowest)):
                await self._maybe_look_up()
            if hasattr(dut, "word"):
                dut.word.value = number
            dut.word_data.value = word
            dut.word_valid.value = 1
            behind |= turn > cycle()
            turn = max(turn, cycle() + 1) + core.scan_bits // core.trace_lanes
            await self._maybe_look_up()
            dut.word_valid.value = 0
        if self.names:
            while not idle.done():
                await self._maybe_look_up()
            assert idle.result() == turn - 1 + UPDATE, f"tick {self.tick}: {idle.result()}, {turn}"
            self.checks.reach("rows behind the scan", behind or core.scan_words == 1)
        await self._answers()
        await self.step()
        assert not dut.busy.value, f"tick {self.tick}: still busy"
        self.golden.decay()
        self.tick += 1
        self.checks.reach("silent tick", not self.active.any())
        for name, trace in self.rule.pre_traces.items():
            risen = self.active & (self.before[name][0] > 0)
            highest = trace.increment if trace.mode == "set" else trace.largest
            self.checks.reach("top", (risen & (self.risen[name][0] == highest)).any())

    async def _maybe_look_up(self) -> None:
        if self.rng.random() < 0.7:
            self.ask(before=True)
        await self.step()

    async def _answers(self) -> None:
        """Wait for what has been asked."""
        while self.asked:
            await self.step()
        self.dut.unraised.value = 0

    async def listing(self) -> None:
        """Fetch the list of eligible axons word by word, while axons are looked up."""
        core, dut, rng = self.core, self.dut, self.rng
        traced = np.any([values[0] > 0 for values in self.risen.values()], axis=0)
        eligible = self.plastic & (self.active | traced)
        marks = (_marks(core, eligible), _marks(core, self.plastic))
        if self.names:
            self.checks.reach("eligible without a spike", (eligible & ~self.active).any())
        for number in range(core.scan_words):
            dut.list_fetch.value = 1
            if hasattr(dut, "list_word"):
                dut.list_word.value = number
            self.ask(before=False)
            await self.step()
            dut.list_fetch.value = 0
            for _ in range(rng.integers(1, 4)):
                everything = int(rng.integers(2))
                dut.list_all.value = everything
                self.ask(before=False)
                await self.step()
                where = {"tick": self.tick - 1, "word": number, "all": everything}
                want = marks[everything][number]
                self.checks.equal(want, int(dut.list_data.value), "list", **where)
        await self._answers()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def ticks(dut: Any) -> None:
    """Ticks of every density; between them traces are read, and now and then written or cleared."""
    given, rng = parameters(), random_source()
    inputs = ("start", "clear", "half", "word_valid", "axon", "unraised", "list_fetch", "list_all")
    ports = [port for port in ("plastic_config", "pre_traces") if hasattr(dut, f"{port}__read")]
    strobes = [f"{port}__{strobe}" for port in ports for strobe in ("read", "write")]
    await start(dut, **dict.fromkeys((*inputs, *strobes), 0))
    bench = Bench(dut, given, rng)
    await bench.configure(write=True)
    for _ in range(3):
        await bench.clear()
        for tick in range(TICKS):
            density = 0.0 if tick == 4 else 1.0 if tick % 6 == 0 else rng.random() ** 2
            await bench.update(density)
            await bench.listing()
            await bench.configure(write=tick % 6 == 5)
    bench.checks.finish()
