"""All that surrounds a tick control, modelled for its bench: cores that work for a while after a
start, events on their way, configuration requests in the chain, and a host.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge

from spikelet.sim.testbench import Checks, parameters, start
from spikelet.sim.tick_scoreboard import FOR_EVER, NAMES, Scoreboard

__all__ = ["Surroundings"]

CHAIN = 7
"""Cycles in which a configuration request is under way."""

INPUTS = (
    *("start", "clear", "event_waits", "event_taken", "config_waits", "all_idle", "configured"),
    *("dropped", "core_dropped", "write", "write_register", "write_data"),
)


class Surroundings:
    """Cores, network, configuration chain and host, in lockstep with the tick control.

    Attributes
    ----------
    work : callable
        How many cycles the cores work on the next tick or clear.
    travel : callable
        How many cycles the next event is under way.
    pause : callable
        How many cycles the host waits before it offers its next event.
    held_up : callable
        Whether the network does not take an event in this cycle.
    spikes : callable
        Whether a spike reaches the host in this cycle, in which cores work.
    log : list of dict
        A row for each cycle: ``busy``, ``core_start``, ``core_clear``, ``idle``, ``event_taken``.
    """

    def __init__(self, dut: Any, latency: int, checks: Checks, rng: np.random.Generator) -> None:
        self.dut, self.latency, self.checks, self.rng = dut, latency, checks, rng
        self.work: Callable[[], int] = lambda: 12
        self.travel: Callable[[], int] = lambda: 3
        self.pause: Callable[[], int] = lambda: 0
        self.held_up: Callable[[], bool] = lambda: False
        self.spikes: Callable[[], bool] = lambda: bool(rng.random() < 0.1)
        self.early_stop: bool = parameters()["early_stop"]
        self.board = Scoreboard(self.early_stop, parameters()["tick_timer"])
        self.log: list[dict[str, Any]] = []
        self.events, self.next_event = 0, 0
        self.requests: deque[tuple[str, int] | None] = deque()
        self.written: tuple[str, int] | None = None
        self.strobes: dict[str, int] = {}
        self.starts_after: deque[int] = deque()  # cycles in which a strobe reaches the cores
        self.working_until = self.travelling_until = self.chain_until = 0
        self.now = 0
        self.expect_busy = False
        self.edge = FallingEdge(dut.clk)

    async def begin(self) -> None:
        """Reset, with nothing under way."""
        quiet = dict.fromkeys(INPUTS, 0) | {"all_idle": 1, "configured": 1}
        if self.early_stop:
            quiet["output_taken"] = 0
        await start(self.dut, **quiet)

    async def cycles(self, n: int) -> None:
        """Let some clock cycles pass."""
        for _ in range(n):
            await self.cycle()

    async def until(self, condition: Callable[[], bool], most: int = 5000) -> None:
        """Let cycles pass until a condition holds."""
        for _ in range(most):
            if condition():
                return
            await self.cycle()
        raise AssertionError(f"cycle {self.now}: waited {most} cycles in vain")

    async def strobe(self, name: str) -> int:
        """Hold ``start`` or ``clear`` until it is not ignored; return the cycle in which it was."""
        self.strobes = {name: 1}
        await self.until(lambda: bool(self.log) and bool(self.log[-1].get(name)))
        self.strobes = {}
        return self.now - 1

    async def write(self, **registers: int) -> int:
        """Write registers; return the cycle of the last write strobe."""
        self.requests.extend(registers.items())
        await self.until(lambda: not self.requests and self.written is None)
        return self.now - 1

    async def cycle(self) -> None:
        """Let one clock cycle pass; check all outputs and predict those of the next."""
        await self.edge
        dut, now, latency = self.dut, self.now, self.latency
        busy = bool(dut.busy.value)
        strobes = {name: bool(getattr(dut, name).value) for name in ("core_start", "core_clear")}
        self._check(busy)
        inputs = self._inputs(busy, strobes)
        for name, value in inputs.items():
            getattr(dut, name).value = value
        reach = self.starts_after
        if reach and reach[0] == now:
            reach.popleft()
            self.working_until = now + self.work()
        idle = now >= max(self.working_until, self.travelling_until)
        if any(strobes.values()):
            quiet = idle and not reach and inputs["configured"]
            assert quiet, f"cycle {now}: a strobe while something is under way"
            reach.append(now + latency)
            if not latency:
                reach.popleft()
                self.working_until = now + self.work()
                idle = now >= self.working_until
        # What the cores answer is as old as the barrier is long.
        self.log.append({"busy": busy, **strobes, **inputs, "idle": idle})
        dut.all_idle.value = inputs["all_idle"] = int(self._idle_then(now - latency))
        self.board.tell(now, busy, inputs, strobes)
        strobed = inputs["clear"] or (inputs["start"] and not self.board.stopped)
        begins = not busy and bool(strobed or self.board.begins)
        ends = busy and self._ends(now)
        if ends:
            self.board.end()
        self.expect_busy = (busy and not ends) or begins
        self.log[-1]["begins"] = begins
        if inputs["event_taken"]:
            self.travelling_until = max(self.travelling_until, now + 1 + self.travel())
        self.now += 1

    def is_now(self, cycle: int) -> bool:
        """Return whether this is the cycle that comes next."""
        return self.now == cycle

    def _idle_then(self, cycle: int) -> bool:
        return self.log[cycle]["idle"] if cycle >= 0 else True

    def _ends(self, now: int) -> bool:
        """Return whether a tick or a clear ends in this cycle: its cores are known to be idle."""
        since = next(
            now - number
            for number in range(now + 1)
            if not self.log[now - number]["busy"]
            or self.log[now - number]["core_start"]
            or self.log[now - number]["core_clear"]
        )
        started = self.log[since]["busy"]
        return started and now > since + 2 * self.latency and self._idle_then(now - self.latency)

    def _inputs(self, busy: bool, strobes: dict[str, bool]) -> dict[str, int]:
        """Return what the surroundings drive in this cycle."""
        inputs = dict.fromkeys(INPUTS, 0)
        if not busy:
            inputs |= self.strobes
        elif self.strobes:
            self.dut.start.value = self.dut.clear.value = 0
        if self.written is not None:
            register, value = self.written
            inputs |= {"write": 1, "write_register": NAMES.index(register)}
            inputs["write_data"] = value
            self.written = None
        if self.events and self.now >= self.next_event:
            inputs["event_waits"] = 1
            if not busy and not self.held_up():
                inputs["event_taken"] = 1
                self.events -= 1
                self.next_event = self.now + 1 + self.pause()
        inputs["configured"] = int(self.now >= self.chain_until)
        if self.requests:
            inputs["config_waits"] = 1
            if not busy:
                self.written = self.requests.popleft()
                self.chain_until = self.now + 1 + CHAIN
        if self.rng.random() < 0.05:
            inputs["dropped"] = int(self.rng.integers(1, 1 << 13))
        if self.rng.random() < 0.02:
            inputs["core_dropped"] = 1
        if self.early_stop:
            working = self.now < self.working_until and not self.starts_after
            inputs["output_taken"] = int(working and self.spikes())
        return inputs

    def _check(self, busy: bool) -> None:
        """Compare what the tick control shows in this cycle with what was predicted."""
        assert busy == self.expect_busy, f"cycle {self.now}: busy is {busy}"
        names = list(self.board.registers)
        expected = [self.board.registers[name] & FOR_EVER for name in names]
        got = [int(getattr(self.dut, name).value) for name in names]
        wrong = [
            f"{name} is {have}, not {want}"
            for name, want, have in zip(names, expected, got, strict=True)
            if want != have
        ]
        assert not wrong, f"cycle {self.now}: {', '.join(wrong)}"
        self.checks.compared += len(names)

    def when(self, what: str) -> list[int]:
        """Return the cycles in which something was so."""
        return [cycle for cycle, row in enumerate(self.log) if row[what]]
