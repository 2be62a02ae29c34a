"""Verification IP for event ports: streams, AXI4-Stream, and the four-phase AER handshake.

Stands on cocotb and numpy only, so that it can be used on any design; docs/verification-ip.md shows
how. The streams' part is that of ``sim/drivers.py``, under its usual names.

The four-phase handshake (the paper is named in ``rtl_gen/aer_bridge.py``) has no clock:

===== ============ =========================================
phase who moves    what happens
===== ============ =========================================
1     sender       the address settles, then ``req`` rises
2     receiver     takes the address, ``ack`` rises
3     sender       ``req`` falls
4     receiver     ``ack`` falls
===== ============ =========================================
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Event, FallingEdge, ReadOnly, RisingEdge, Timer
from cocotb.utils import get_sim_time

from spikelet.sim.drivers import AXI4_STREAM, Outbox, StreamNames
from spikelet.sim.drivers import Monitor as StreamMonitor
from spikelet.sim.drivers import Sink as StreamReceiver
from spikelet.sim.drivers import Source as StreamDriver

__all__ = [
    "AXI4_STREAM",
    "FourPhaseMonitor",
    "FourPhaseNames",
    "FourPhaseReceiver",
    "FourPhaseSender",
    "StreamDriver",
    "StreamMonitor",
    "StreamNames",
    "StreamReceiver",
    "random_delays",
]


@dataclass(frozen=True)
class FourPhaseNames:
    """How a design names the wires of its four-phase ports.

    Parameters
    ----------
    req, ack, address : str
        What follows the name of the port. By default as Amaranth writes it.
    """

    req: str = "__req"
    ack: str = "__ack"
    address: str = "__address"


_AMARANTH = FourPhaseNames()


def random_delays(rng: np.random.Generator, longest_ps: int) -> Iterator[int]:
    """Draw delays for :class:`FourPhaseSender` and :class:`FourPhaseReceiver`.

    Parameters
    ----------
    rng : numpy.random.Generator
    longest_ps : int
        At least 1.

    Yields
    ------
    int
        Picoseconds, from 1 to ``longest_ps``, both inclusive.
    """
    while True:
        yield int(rng.integers(1, longest_ps, endpoint=True))


class _FourPhase:
    """The wires of one port; a subclass has a coroutine ``_run`` that starts at once."""

    def __init__(self, dut: Any, name: str, names: FourPhaseNames) -> None:
        self.name = name
        self.req = getattr(dut, name + names.req)
        self.ack = getattr(dut, name + names.ack)
        self.address = getattr(dut, name + names.address)
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        raise NotImplementedError


class FourPhaseSender(Outbox, _FourPhase):
    """Sends addresses, in order: ``send(addresses)`` queues them, ``await sent()`` awaits the end.

    Parameters
    ----------
    dut : handle
    name : str
        Of the port, as its wires begin.
    delays : iterator of int
        Picoseconds, at least 1: one from the address to ``req``, one from each edge of ``ack`` to
        what follows it. Default: always 1, so back to back.
    names : FourPhaseNames
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        delays: Iterator[int] | None = None,
        *,
        names: FourPhaseNames = _AMARANTH,
    ) -> None:
        self.delays = delays or repeat(1)
        Outbox.__init__(self)
        _FourPhase.__init__(self, dut, name, names)
        self.req.value = 0

    async def _run(self) -> None:
        while True:
            await self.filled()
            self.address.value = self.waiting.popleft()
            await Timer(next(self.delays), "ps")
            self.req.value = 1
            if not self.ack.value:
                await RisingEdge(self.ack)
            await Timer(next(self.delays), "ps")
            self.req.value = 0
            if self.ack.value:
                await FallingEdge(self.ack)
            await Timer(next(self.delays), "ps")


class FourPhaseReceiver(_FourPhase):
    """Takes addresses; ``addresses`` lists them in order.

    The address is read when ``req`` rises, where one that comes too late is not there yet.

    Parameters
    ----------
    dut, name, names
        As for :class:`FourPhaseSender`.
    delays : iterator of int
        Picoseconds, at least 1, from each edge of ``req`` to that of ``ack``. Default: always 1.
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        delays: Iterator[int] | None = None,
        *,
        names: FourPhaseNames = _AMARANTH,
    ) -> None:
        self.delays = delays or repeat(1)
        self.addresses: list[int] = []
        super().__init__(dut, name, names)
        self.ack.value = 0

    async def _run(self) -> None:
        while True:
            if not self.req.value:
                await RisingEdge(self.req)
            self.addresses.append(int(self.address.value))
            await Timer(next(self.delays), "ps")
            self.ack.value = 1
            if self.req.value:
                await FallingEdge(self.req)
            await Timer(next(self.delays), "ps")
            self.ack.value = 0


class FourPhaseMonitor(_FourPhase):
    """Records handshakes, and checks their order and that the address stays as it is.

    A violation is an AssertionError of ``task``, which fails the cocotb test; it names wire and
    time. Every edge of ``req`` and ``ack`` must be the next of the four, so that a pulse that
    nobody answered is a violation; and the address must be there before ``req`` rises and stay
    until ``ack`` has risen. Wires are looked at when a time step has settled, and must then be
    known (0 or 1). Make it after the reset: it knows of none.

    Parameters
    ----------
    dut, name, names
        As for :class:`FourPhaseSender`.

    Attributes
    ----------
    events : list of (float, int)
        Time in ns at which ``ack`` rose, and address.
    """

    def __init__(self, dut: Any, name: str, *, names: FourPhaseNames = _AMARANTH) -> None:
        self.events: list[tuple[float, int]] = []
        super().__init__(dut, name, names)

    @property
    def addresses(self) -> list[int]:
        """What has been acknowledged, in order."""
        return [address for _, address in self.events]

    def _look(self) -> tuple[bool, bool, int]:
        return bool(self.req.value), bool(self.ack.value), int(self.address.value)

    async def _run(self) -> None:
        moved = Event()
        wires = (self.req, self.ack, self.address)
        followers = [cocotb.start_soon(_follow(wire, moved)) for wire in wires]
        try:
            await ReadOnly()
            before = self._look()
            while True:
                moved.clear()
                await moved.wait()
                await ReadOnly()
                now = self._look()
                self._check(before, now)
                if now[1] and not before[1]:
                    self.events.append((get_sim_time("ns"), before[2]))
                before = now
        finally:
            for follower in followers:
                follower.cancel()

    def _check(self, before: tuple[bool, bool, int], now: tuple[bool, bool, int]) -> None:
        """Raise AssertionError unless these states may follow each other."""
        req, ack, address = before
        req_now, ack_now, address_now = now
        # If both wires changed, they took two of the four steps at once, and in order.
        if req != req_now and ack == ack_now:
            self._demand(req == ack, self.req, f"{_moved(req_now)} while ack was {ack:d}")
        if ack != ack_now and req == req_now:
            self._demand(ack != req, self.ack, f"{_moved(ack_now)} while req was {req:d}")
        if address != address_now:
            change = f"changed from {address:#x} to {address_now:#x}"
            late = req_now and not req
            self._demand(not late, self.address, f"{change} together with req")
            asked = req and not ack and not ack_now
            self._demand(not asked, self.address, f"{change} between req and ack")

    @staticmethod
    def _demand(holds: bool, wire: Any, violation: str) -> None:
        assert holds, f"{wire._path} at {get_sim_time('ns')} ns: {violation}"


async def _follow(wire: Any, moved: Event) -> None:
    while True:
        await wire.value_change
        moved.set()


def _moved(level: bool) -> str:
    return "rose" if level else "fell"
