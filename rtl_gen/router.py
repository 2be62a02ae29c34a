"""A mesh router: dimension-order routing of single-flit packets. Twin of ``golden/router.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.layouts import flit_stream
from spikelet.description.packets import Packet

__all__ = ["PORTS", "FlitBuffer", "Router"]

PORTS = ("local", "north", "east", "south", "west")


class FlitBuffer(wiring.Component):
    """Two flits of elastic buffer: cuts both ``valid`` and ``ready`` of a link.

    Timing: one cycle; a flit every cycle.
    Reset: empties it.

    Parameters
    ----------
    flit : Packet

    Members
    -------
    i : ``In(stream of flit)``
    o : ``Out(stream of flit)``
    """

    def __init__(self, flit: Packet) -> None:
        super().__init__({"i": In(flit_stream(flit)), "o": Out(flit_stream(flit))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal.like(self.i.payload)
        full = Signal()
        leaves = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(~full)
        with m.If(leaves):
            m.d.sync += [
                self.o.payload.eq(Mux(full, waiting, self.i.payload)),
                self.o.valid.eq(full | self.i.valid),
                full.eq(0),
            ]
        with m.Elif(self.i.ready):
            m.d.sync += full.eq(self.i.valid)
        with m.If(self.i.ready):
            m.d.sync += waiting.eq(self.i.payload)
        return m


class Router(wiring.Component):
    """Routes flits along x first, then along y; the host lies north of mesh position (0, 0).

    Timing: one cycle a hop at low load; a flit per port and cycle. Contention is resolved round
    robin.
    Reset: drops the flits in its buffers.

    Parameters
    ----------
    flit : Packet
    x, y : int
        Position in flit coordinates: mesh column, and mesh row + 1.
    ports : tuple of str
        Which of :data:`PORTS` exist; routers at an edge have fewer.

    Members
    -------
    PORT_in : ``In(stream of flit)``
    PORT_out : ``Out(stream of flit)``
        For each port.
    busy : ``Out(1)``
        A flit is in one of the buffers.
    """

    def __init__(self, flit: Packet, *, x: int, y: int, ports: tuple[str, ...]) -> None:
        self.flit = flit
        self.x = x
        self.y = y
        self.ports = ports
        super().__init__(
            {
                **{f"{port}_in": In(flit_stream(flit)) for port in ports},
                **{f"{port}_out": Out(flit_stream(flit)) for port in ports},
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wanted = {}
        heads = {}
        for port in self.ports:
            m.submodules[f"{port}_buffer"] = buffer = FlitBuffer(self.flit)
            wiring.connect(m, wiring.flipped(getattr(self, f"{port}_in")), buffer.i)
            heads[port] = buffer.o
            wanted[port] = self._route(m, port, buffer.o)
        m.d.comb += self.busy.eq(Cat(head.valid for head in heads.values()).any())

        granted: dict[str, list[Value]] = {port: [] for port in self.ports}
        for target in self.ports:
            sources = [port for port in self.ports if target in wanted[port]]
            out = getattr(self, f"{target}_out")
            requests = Cat(heads[source].valid & wanted[source][target] for source in sources)
            grant = self._arbitrate(m, target, requests, out.ready)
            m.d.comb += out.valid.eq(requests.any())
            payload: Value = C(0, self.flit.width)
            for number, source in enumerate(sources):
                chosen = Value.cast(heads[source].payload)
                payload = payload | Mux(grant[number], chosen, 0)
                granted[source].append(grant[number] & out.ready)
            m.d.comb += Value.cast(out.payload).eq(payload)
        for port, grants in granted.items():
            m.d.comb += heads[port].ready.eq(Cat(grants).any())
        return m

    def _route(self, m: Module, port: str, head: object) -> dict[str, Signal]:
        """Return, for each port where a flit from ``port`` can leave, whether it is to."""
        flit = head.p
        directions = {
            "east": flit.x > self.x,
            "west": flit.x < self.x,
            "south": (flit.x == self.x) & (flit.y > self.y),
            "north": (flit.x == self.x) & (flit.y < self.y),
            "local": (flit.x == self.x) & (flit.y == self.y),
        }
        wanted = {}
        for target in self.ports:
            if target != port or port == "local":
                wanted[target] = Signal(name=f"{port}_to_{target}")
                m.d.comb += wanted[target].eq(directions[target])
        return wanted

    def _arbitrate(self, m: Module, target: str, requests: Value, ready: Value) -> Signal:
        """Return a one-hot grant: the next requester after the one that was served last.

        A grant stands until its flit has left, so that a stalled output is stable.
        """
        n = len(requests)
        request = Signal(n, name=f"{target}_request")
        grant = Signal(n, name=f"{target}_grant")
        granted = Signal(n, name=f"{target}_granted")
        stalled = Signal(name=f"{target}_stalled")
        favoured = Signal(n, name=f"{target}_favoured")  # requesters after the last one served
        preferred = request & favoured
        lowest_preferred = preferred & ~(preferred - 1)[:n]
        lowest = request & ~(request - 1)[:n]
        m.d.comb += [
            request.eq(requests),
            grant.eq(Mux(stalled, granted, Mux(preferred.any(), lowest_preferred, lowest))),
        ]
        m.d.sync += [granted.eq(grant), stalled.eq(grant.any() & ~ready)]
        with m.If(grant.any() & ready):
            m.d.sync += favoured.eq(~((grant << 1) - 1)[:n])
        return grant
