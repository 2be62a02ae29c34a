"""A router of single-flit packets with multicast. No twin in golden: ``golden/routing.py`` has its
model, and nothing else of it can be seen in a result.
"""

import random
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.packets import Packet
from spikelet.rtl_gen.elaborate import Shared
from spikelet.rtl_gen.flit_fifo import FlitFifo
from spikelet.rtl_gen.layouts import flit_stream
from spikelet.rtl_gen.link_register import LinkRegister
from spikelet.rtl_gen.round_robin import round_robin

__all__ = ["Head", "Router", "Routing"]


class Routing(Protocol):
    """Where flits go at one router; see :mod:`spikelet.rtl_gen.routing`."""

    @property
    def kind(self) -> Hashable: ...

    def place(self, flit: Packet) -> dict[str, int]: ...

    def told(self, place: dict[str, Value]) -> "Routing": ...

    def carried(self, flit: Packet, port: str, *, leaving: bool) -> Packet: ...

    def is_end(self, port: str) -> bool: ...

    def enters_ring(self, source: str, target: str) -> bool: ...

    def wanted(self, port: str, flit: data.View) -> dict[str, Value]: ...


class Router(wiring.Component):
    """Takes flits from the queues of its input ports and sends each to all the ports it wants.

    A flit that wants several ports gets each as soon as it is free, and leaves its queue with the
    last; no port waits for another. Contention is resolved round robin. What wants a port that is
    not there, or has no place to go to, is dropped and counted once.

    In a ring, where packets could wait for each other in a circle, one may enter only if the next
    queue has room for another besides (bubble flow control: Carrion et al. 1997, Puente et al.
    2001). A forking one may pass on and take the last free place; the place it still holds comes
    back, since from then on it waits for a core, the host or, in a row, a column, never for its
    ring.

    Timing: one cycle a hop at low load, two where the input has a register; a flit per port and
    cycle. A grant stands until its flit has been taken, so a stalled output is stable.
    Reset: drops the flits in its queues.

    Parameters
    ----------
    flit : Packet
    routing : Routing
    ports : tuple of str
        Ports that there are.
    depth : int
        Flits in the queue of each input port.
    seed : int
        Decides the order in which the input ports take turns.
    registered : bool
        Whether what comes from other routers stands in a register first, so that wires between
        routers have a cycle, and where a flit goes is worked out in the next.
    told : bool
        Whether it is told its place in the network by ports instead of having it built in: then
        routers that differ in nothing else are the same module.

    Members
    -------
    PORT_in : ``In(stream of routing.carried(flit, PORT, leaving=False))``
    PORT_out : ``Out(stream of routing.carried(flit, PORT, leaving=True))``
        For each port.
    PORT_in_room : ``Out(1)``
        The queue of this port has room for two flits or more.
    PORT_out_room : ``In(1)``
        The queue behind this port has.
    busy : ``Out(1)``
        A flit is in one of the queues.
    dropped : ``Out(1)``
        Strobe: a flit wanted a port that is not there.
    x, y : ``In``
        Position, as wide as these fields of a flit, if they have bits; only if ``told``, on a grid.
    """

    def __init__(
        self,
        flit: Packet,
        routing: Routing,
        *,
        ports: tuple[str, ...],
        depth: int,
        seed: int = 0,
        registered: bool = False,
        told: bool = False,
    ) -> None:
        self.flit = flit
        self.place = routing.place(flit) if told else {}
        self.routing = routing
        self.ports = ports
        self.depth = depth
        self.seed = seed
        self.packets = {port: routing.carried(flit, port, leaving=False) for port in ports}
        self.registered = registered
        bits = {field.name: field.width for field in flit.fields}
        members = {"busy": Out(1), "dropped": Out(1)}
        members |= {name: In(bits[name]) for name in self.place}
        for port in ports:
            members[f"{port}_in"] = In(flit_stream(self.packets[port]))
            members[f"{port}_out"] = Out(flit_stream(routing.carried(flit, port, leaving=True)))
            members[f"{port}_in_room"] = Out(1)
            members[f"{port}_out_room"] = In(1)
        super().__init__(members)
        if self.place:
            self.routing = routing.told({name: getattr(self, name) for name in self.place})

    @cached_property
    def registers(self) -> dict[str, LinkRegister]:
        """Registers at the inputs from other routers, if it has them."""
        return {
            port: LinkRegister(self.packets[port])
            for port in self.ports
            if self.registered and not self.routing.is_end(port)
        }

    @property
    def shared(self) -> Shared:
        """This router as one module with all that are equal to it, but for a place it is told."""
        built_in = self.flit, self.routing.kind, self.ports, self.depth, self.registered
        return Shared(self, (*built_in, self.seed, tuple(self.place)))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        turns = random.Random(self.seed)
        heads = {port: self._head(m, port) for port in self.ports}
        m.d.comb += self.busy.eq(Cat(head.busy for head in heads.values()).any())

        served: dict[str, dict[str, Value]] = {port: {} for port in self.ports}
        for target in (*self.ports, "nowhere"):
            sources = [port for port in self.ports if target in heads[port].pending]
            if not sources:
                continue
            turns.shuffle(sources)
            requests = Cat(self._request(source, target, heads[source]) for source in sources)
            if target == "nowhere":
                ready: Value = C(1)
                m.d.comb += self.dropped.eq(requests.any())
            else:
                out = getattr(self, f"{target}_out")
                ready = out.ready
                m.d.comb += out.valid.eq(requests.any())
            grant = round_robin(m, requests, ready, name=target)
            for number, source in enumerate(sources):
                served[source][target] = grant[number] & ready
            if target != "nowhere":
                for name in out.p.shape().members:
                    chosen = (
                        Mux(grant[number], heads[source].flit.p[name], 0)
                        for number, source in enumerate(sources)
                        if name in heads[source].flit.p.shape().members
                    )
                    m.d.comb += out.p[name].eq(_any(chosen))
        for port, head in heads.items():
            left = {target: waits & ~served[port][target] for target, waits in head.pending.items()}
            m.d.comb += head.flit.ready.eq(~_any(left.values()))
            for target, waits in head.pending.items():
                m.d.sync += waits.eq(Mux(head.load, head.wanted[target], left[target]))
        return m

    def _head(self, m: Module, port: str) -> "Head":
        """Build the queue of a port, and what its head still waits for."""
        m.submodules[f"{port}_queue"] = queue = FlitFifo(self.packets[port], depth=self.depth)
        source, busy = wiring.flipped(getattr(self, f"{port}_in")), queue.o.valid
        if port in self.registers:
            # A flit in the register has its place in the queue, of which room tells: no other can
            # come between. So what room promises holds.
            m.submodules[f"{port}_register"] = register = self.registers[port]
            wiring.connect(m, source, register.i)
            source, busy = register.o, busy | register.o.valid
        wiring.connect(m, source, queue.i)
        m.d.comb += getattr(self, f"{port}_in_room").eq(queue.room)
        wanted = self.routing.wanted(port, queue.coming)
        missing = [value for target, value in wanted.items() if target not in self.ports]
        wanted = {target: value for target, value in wanted.items() if target in self.ports}
        if missing:
            wanted["nowhere"] = _any(missing)
        pending = {target: Signal(name=f"{port}_to_{target}") for target in wanted}
        return Head(queue.o, queue.load, busy, wanted, pending)

    def _request(self, source: str, target: str, head: "Head") -> Value:
        """Return whether the head of ``source`` asks for ``target`` now."""
        request: Value = head.pending[target]
        if self.routing.enters_ring(source, target):
            request = request & getattr(self, f"{target}_out_room")
        return request


@dataclass
class Head:
    """The first flit of a queue, and the ports that it still waits for.

    ``wanted`` says so of the flit that is about to take its place, when ``load``; ``busy`` that a
    flit is here, or about to be.
    """

    flit: wiring.PureInterface
    load: Value
    busy: Value
    wanted: dict[str, Value]
    pending: dict[str, Signal]


def _any(values: Iterable[Value]) -> Value:
    """Return the OR of some values of the same width; 0 of none."""
    result: Value = C(0)
    for value in values:
        result = result | value
    return result
