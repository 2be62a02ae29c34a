"""Drivers and monitors of streams (``payload``, ``valid``, ``ready``) for cocotb benches.

They work on any design: :class:`StreamNames` says how it names its wires and its clock. All of them
look at the wires at the rising edge, where cocotb still shows the values before it, and write after
it. While there is nothing to do they do not follow the clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Event, RisingEdge
from cocotb.utils import get_sim_time

__all__ = [
    "AXI4_STREAM",
    "CLOCK_NS",
    "PAUSES",
    "Monitor",
    "Outbox",
    "Sink",
    "Source",
    "StreamNames",
    "StrobeCounter",
    "cycle",
    "never",
    "pauses",
]

CLOCK_NS = 2
"""Clock period in simulation."""

PAUSES = ("never", "seldom", "often", "bursts")
"""Kinds of pauses; see :func:`pauses`."""


@dataclass(frozen=True)
class StreamNames:
    """How a design names the wires of its streams, and its clock.

    Parameters
    ----------
    payload, valid, ready : str
        What follows the name of the stream. By default as Amaranth writes it.
    clock : str
        Name of the clock, whose rising edge counts.
    """

    payload: str = "__payload"
    valid: str = "__valid"
    ready: str = "__ready"
    clock: str = "clk"


_AMARANTH = StreamNames()

AXI4_STREAM = StreamNames("_tdata", "_tvalid", "_tready", "aclk")
"""AXI4-Stream (Arm IHI 0051); each transfer stands for itself, so ``tlast`` and others are left."""


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

    def __init__(self, dut: Any, name: str, names: StreamNames) -> None:
        self.name = name
        self.payload = getattr(dut, name + names.payload)
        self.valid = getattr(dut, name + names.valid)
        self.ready = getattr(dut, name + names.ready)
        self.edge = RisingEdge(getattr(dut, names.clock))
        self.raised = RisingEdge(self.valid)
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        raise NotImplementedError


class Outbox:
    """Payloads that wait for a driver to send them."""

    def __init__(self) -> None:
        self.waiting: deque[int] = deque()
        self.more = Event()
        self.empty = Event()
        self.empty.set()

    def send(self, payloads: Iterable[Any]) -> None:
        """Queue payloads."""
        self.waiting.extend(int(payload) for payload in payloads)
        if self.waiting:
            self.empty.clear()
            self.more.set()

    async def sent(self) -> None:
        """Wait until every payload has been taken."""
        await self.empty.wait()

    async def filled(self) -> None:
        """For the driver, once all is taken: tell it to those who wait, and wait for payloads."""
        if not self.waiting:
            self.empty.set()
            self.more.clear()
            await self.more.wait()


class Source(Outbox, _Stream):
    """Sends payloads, in order, with pauses between them.

    A payload that is offered stays until it is taken.

    Parameters
    ----------
    dut : handle
    name : str
        Of the stream, as its wires begin.
    pause : iterator of bool
        For each cycle in which the next payload could be offered, whether to wait; by default
        :func:`never`.
    names : StreamNames
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        pause: Iterator[bool] | None = None,
        *,
        names: StreamNames = _AMARANTH,
    ) -> None:
        self.pause = pause or never()
        Outbox.__init__(self)
        _Stream.__init__(self, dut, name, names)
        self.valid.value = 0

    async def _run(self) -> None:
        offered = False
        while True:
            if not offered:
                await self.filled()
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

    Parameters
    ----------
    dut, name, names
        As for :class:`Source`.
    pause : iterator of bool
        For each cycle, whether ``ready`` is to be low; by default :func:`never`.
    after_valid : bool
        ``ready`` rises only once ``valid`` has been seen, which finds a sender that waits for it.
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        pause: Iterator[bool] | None = None,
        *,
        after_valid: bool = False,
        names: StreamNames = _AMARANTH,
    ) -> None:
        self.pause = pause or never()
        self.after_valid = after_valid
        super().__init__(dut, name, names)
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
    """Records transfers, and checks that what is offered stays as it is until it is taken.

    A violation is an AssertionError of ``task``, which fails the cocotb test: while ``valid`` is
    high and ``ready`` is not, ``valid`` must not fall and the payload must not change, and what is
    compared must be known (0 or 1). Make it after the reset: it knows of none.

    Parameters
    ----------
    dut, name, names
        As for :class:`Source`.
    taken : callable
        Called with each payload when it is transferred.

    Attributes
    ----------
    transfers : list of (cycle, payload)
        The cycle is that of :func:`cycle`, in periods of :data:`CLOCK_NS`.
    stalls : int
        How many cycles a payload waited.
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        taken: Callable[[int], None] | None = None,
        *,
        names: StreamNames = _AMARANTH,
    ) -> None:
        self.transfers: list[tuple[int, int]] = []
        self.stalls = 0
        self.taken = taken
        super().__init__(dut, name, names)

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
            assert stalled is None or payload is not None, (
                f"{self.valid._path} at {get_sim_time('ns')} ns: fell before ready took "
                f"payload {stalled:#x}"
            )
            assert stalled in (None, payload), (
                f"{self.payload._path} at {get_sim_time('ns')} ns: changed from {stalled:#x} to "
                f"{payload:#x} before ready took it"
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
    """Counts the cycles in which a signal is high; of one of several bits, it adds its values."""

    def __init__(self, dut: Any, name: str) -> None:
        self.count = 0
        self.signal = getattr(dut, name)
        self.edge = RisingEdge(dut.clk)
        self.raised = RisingEdge(self.signal) if len(self.signal) == 1 else None
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        while True:
            if self.raised is not None and not self.signal.value:
                await self.raised
            await self.edge
            self.count += int(self.signal.value)
