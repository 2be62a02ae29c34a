"""Drivers and monitors of streams (``payload``, ``valid``, ``ready``) for cocotb benches.

All of them look at the wires at the rising edge, where cocotb still shows the values before it, and
write after it. While there is nothing to do they do not follow the clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Event, RisingEdge
from cocotb.utils import get_sim_time

__all__ = [
    "CLOCK_NS",
    "PAUSES",
    "Monitor",
    "Sink",
    "Source",
    "StrobeCounter",
    "cycle",
    "never",
    "pauses",
]

CLOCK_NS = 2
"""Clock period in simulation."""

PAUSES = ("never", "seldom", "often", "bursts")
"""Kinds of pauses; see :func:`pauses`."""


def cycle() -> int:
    """Return the number of the clock cycle that begins with the rising edge just seen."""
    return round(get_sim_time("ns")) // CLOCK_NS


def never() -> Iterator[bool]:
    """Never pause."""
    while True:
        yield False


def pauses(rng: np.random.Generator, kind: str) -> Iterator[bool]:
    """Return whether to pause, cycle by cycle.

    ``kind`` is ``"never"``, ``"often"`` (three cycles of four), ``"seldom"`` (one of four), or
    ``"bursts"`` (long pauses, long runs).
    """
    while kind == "bursts":
        for pause in (False, True):
            for _ in range(rng.integers(1, 24)):
                yield pause
    rate = {"never": 0.0, "often": 0.75, "seldom": 0.25}[kind]
    while True:
        yield bool(rng.random() < rate)


class _Stream:
    """The wires of one stream; a subclass has a coroutine ``_run`` that starts at once."""

    def __init__(self, dut: Any, name: str) -> None:
        self.name = name
        self.payload = getattr(dut, f"{name}__payload")
        self.valid = getattr(dut, f"{name}__valid")
        self.ready = getattr(dut, f"{name}__ready")
        self.edge = RisingEdge(dut.clk)
        self.raised = RisingEdge(self.valid)
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        raise NotImplementedError


class Source(_Stream):
    """Sends payloads, in order, with pauses between them.

    ``pause`` says, for each cycle in which the next payload could be offered, whether to wait. A
    payload that is offered stays until it is taken.
    """

    def __init__(self, dut: Any, name: str, pause: Iterator[bool] | None = None) -> None:
        self.pause = pause or never()
        self.waiting: deque[int] = deque()
        self.more = Event()
        self.empty = Event()
        self.empty.set()
        super().__init__(dut, name)
        self.valid.value = 0

    def send(self, payloads: Iterable[Any]) -> None:
        """Queue payloads."""
        self.waiting.extend(int(payload) for payload in payloads)
        if self.waiting:
            self.empty.clear()
            self.more.set()

    async def sent(self) -> None:
        """Wait until every payload has been taken."""
        await self.empty.wait()

    async def _run(self) -> None:
        offered = False
        while True:
            if not self.waiting and not offered:
                self.empty.set()
                self.more.clear()
                await self.more.wait()
            await self.edge
            if offered and self.ready.value:
                offered = False
                self.valid.value = 0
            if self.waiting and not offered and not next(self.pause):
                self.payload.value = self.waiting.popleft()
                self.valid.value = 1
                offered = True


class Sink(_Stream):
    """Takes payloads, with pauses.

    With ``after_valid``, ``ready`` rises only once ``valid`` has been seen, which finds a sender
    that waits for it.
    """

    def __init__(
        self, dut: Any, name: str, pause: Iterator[bool] | None = None, *, after_valid: bool = False
    ) -> None:
        self.pause = pause or never()
        self.after_valid = after_valid
        super().__init__(dut, name)
        self.ready.value = 0

    async def _run(self) -> None:
        ready = False
        while True:
            if self.after_valid and not ready and not self.valid.value:
                await self.raised
            await self.edge
            if self.after_valid:
                ready = bool(self.valid.value) and not ready and not next(self.pause)
            else:
                ready = not next(self.pause)
            self.ready.value = int(ready)


class Monitor(_Stream):
    """Records transfers as (cycle, payload), and that a stalled payload stays as it is.

    ``stalls`` counts the cycles in which a payload waited. ``taken`` is called with each payload.
    """

    def __init__(self, dut: Any, name: str, taken: Callable[[int], None] | None = None) -> None:
        self.transfers: list[tuple[int, int]] = []
        self.stalls = 0
        self.taken = taken
        super().__init__(dut, name)

    @property
    def payloads(self) -> list[int]:
        """What has been transferred, in order."""
        return [payload for _, payload in self.transfers]

    async def _run(self) -> None:
        stalled: int | None = None
        while True:
            if stalled is None and not self.valid.value:
                await self.raised
            await self.edge
            valid = bool(self.valid.value)
            payload = int(self.payload.value) if valid else None
            assert stalled is None or payload == stalled, (
                f"{self.name}, cycle {cycle()}: payload {stalled:#x} was withdrawn while stalled, "
                f"now {'nothing' if payload is None else hex(payload)}"
            )
            stalled = None
            if payload is not None and self.ready.value:
                self.transfers.append((cycle(), payload))
                if self.taken:
                    self.taken(payload)
            elif payload is not None:
                stalled = payload
                self.stalls += 1


class StrobeCounter:
    """Counts the cycles in which a signal is high."""

    def __init__(self, dut: Any, name: str) -> None:
        self.count = 0
        self.signal = getattr(dut, name)
        self.edge = RisingEdge(dut.clk)
        self.raised = RisingEdge(self.signal)
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        while True:
            if not self.signal.value:
                await self.raised
            await self.edge
            self.count += bool(self.signal.value)
