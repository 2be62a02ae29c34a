"""What is proved of one router, in its place in a network."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, connect, flipped

from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.formal.followed import Place, Ways, ways_at
from spikelet.formal.tracking import OTHER, Marks, assert_stable, no_reset
from spikelet.rtl_gen.layouts import flit_stream
from spikelet.rtl_gen.router import Router
from spikelet.rtl_gen.routing import GridRouting, TreeRouting

__all__ = ["RouterDelivers", "RouterIsBlind", "RouterServes"]


class _RouterAlone(wiring.Component):
    """A router whose neighbours do what they like, within what the golden model says.

    Parameters
    ----------
    chip : ChipParams
    place : tuple of int
    """

    def __init__(self, chip: ChipParams, place: Place) -> None:
        self.chip = chip
        self.place = place
        self.flit = flit_packet(chip)
        self.ways: Ways = ways_at(chip, place)
        self.ports = tuple(sorted(self.ways))
        rings = (chip.width, chip.height) if chip.topology in ("torus", "ring") else None
        self.routing = (
            TreeRouting(*place, chip.width)
            if chip.topology == "tree"
            else GridRouting(*place, rings)
        )
        members = {}
        for port in self.ports:
            carried = self.routing.carried(self.flit, port, leaving=False)
            members[f"{port}_in"] = In(flit_stream(carried))
            members |= {f"{port}_ready": In(1), f"{port}_room": In(1)}
        super().__init__(members)

    def router(self, m: Module) -> Router:
        """Build the router, and what is assumed of its neighbours."""
        no_reset(m)
        m.submodules.router = router = Router(
            self.flit, self.routing, ports=self.ports, depth=self.chip.fifo_depth
        )
        for port in self.ports:
            i, out = getattr(self, f"{port}_in"), getattr(router, f"{port}_out")
            ready, room = getattr(self, f"{port}_ready"), getattr(self, f"{port}_room")
            connect(m, flipped(i), getattr(router, f"{port}_in"))
            m.d.comb += [out.ready.eq(ready), getattr(router, f"{port}_out_room").eq(room)]
            if not self.is_entry(port):
                with m.If(i.valid):
                    m.d.comb += Assume(self.known(i.p, port))
            elif self.chip.topology == "tree":  # where x of a packet to the host does not matter
                m.d.comb += Assume(~i.p.host | ~Cat(i.p.x, i.p.x_last).any())
            # Where there is room for two there is for one, until something comes.
            had_room = Signal(name=f"{port}_had_room")
            m.d.sync += had_room.eq(room & ~out.valid)
            m.d.comb += [Assume(ready | ~room), Assume(room | ~had_room)]
        return router

    def is_entry(self, port: str) -> bool:
        """Return whether a core or the host is behind a port: anything can come from there."""
        if self.chip.topology == "tree":
            return self.routing.carried(self.flit, port, leaving=True) != self.flit
        return port in ("local", "host")

    def known(self, flit: data.View, source: str, port: str | None = None) -> Value:
        """Return whether golden has a flit come from ``source``, and leave through ``port``."""
        names = [field.name for field in self.flit.without("axon", "delay").fields]
        here = [name for name in names if name in flit.shape().members and len(flit[name])]
        patterns = set()
        for header, leaves in self.ways[source].items():
            if port is None or port in leaves:
                values = dict(zip(names, header, strict=True))
                bits = (format(values[name], f"0{len(flit[name])}b") for name in reversed(here))
                patterns.add("".join(bits))
        return Cat(flit[name] for name in here).matches(*sorted(patterns))


class RouterDelivers(_RouterAlone):
    """A flit leaves through exactly the ports that golden says, once each, unchanged and in order.

    Two marked flits come in at one port, and whatever there can be at the others. When the router
    is not busy, nothing is lost. What is offered stands. Only malformed flits are dropped.

    Parameters
    ----------
    chip : ChipParams
    place : tuple of int
    source : str
        Port at which the marked flits come in.
    """

    def __init__(self, chip: ChipParams, place: Place, source: str) -> None:
        super().__init__(chip, place)
        self.source = source

    def elaborate(self, platform: object) -> Module:
        m = Module()
        router = self.router(m)
        marks = Marks(m, getattr(router, f"{self.source}_in"), self.ports)
        wants = {
            port: {mark: self.known(mark.flit, self.source, port) for mark in marks.both}
            for port in self.ports
        }
        malformed = Signal()
        for port in self.ports:
            i, o = getattr(router, f"{port}_in"), getattr(router, f"{port}_out")
            assert_stable(m, o, port)
            marks.watch(m, o, port, wants[port])
            with m.If(i.valid):
                if port != self.source:
                    m.d.comb += Assume(i.p.axon == OTHER)
                with m.If(i.ready & ~self.known(i.p, port)):
                    m.d.sync += malformed.eq(1)
        m.d.comb += Assert(~router.dropped | malformed)
        for port in sorted(set().union(*self.ways[self.source].values())):
            m.d.comb += Cover(marks.second.left[port])
        with m.If(~router.busy):
            for mark in marks.both:
                for port in self.ports:
                    left = ~wants[port][mark] | mark.left[port]
                    m.d.comb += Assert(~mark.came | left)
        return m


class RouterServes(_RouterAlone):
    """The first flit of a full queue leaves in time, if every output takes flits now and then.

    Parameters
    ----------
    chip : ChipParams
        Without rings: what wants to enter a ring waits as long as others pass.
    place : tuple of int
    patience : int
        Of so many cycles in which an output is offered a flit, it takes one in the last at least.
    """

    def __init__(self, chip: ChipParams, place: Place, patience: int) -> None:
        super().__init__(chip, place)
        self.patience = patience

    @property
    def bound(self) -> int:
        """Clock cycles in which a queue can stay full: all others are served before."""
        return len(self.ports) * self.patience

    def elaborate(self, platform: object) -> Module:
        m = Module()
        router = self.router(m)
        for port in self.ports:
            o, i = getattr(router, f"{port}_out"), getattr(router, f"{port}_in")
            waits = Signal(range(self.patience + 1), name=f"{port}_waits")
            m.d.sync += waits.eq(Mux(o.valid & ~o.ready, waits + 1, 0))
            m.d.comb += Assume(waits < self.patience)
            full = Signal(range(self.bound + 2), name=f"{port}_full")
            m.d.sync += full.eq(Mux(i.ready, 0, full + 1))
            m.d.comb += [Assert(full <= self.bound), Cover(full > self.patience)]
        return m


class RouterIsBlind(_RouterAlone):
    """What a router does depends neither on axons nor on delays.

    Two routers are sent the same headers with other axons and delays; they take, offer and drop in
    the same cycles.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        router = self.router(m)
        m.submodules.twin = twin = Router(
            self.flit, self.routing, ports=self.ports, depth=self.chip.fifo_depth
        )
        m.d.comb += Assert((router.busy == twin.busy) & (router.dropped == twin.dropped))
        for port in self.ports:
            i, other = getattr(router, f"{port}_in"), getattr(twin, f"{port}_in")
            o, other_o = getattr(router, f"{port}_out"), getattr(twin, f"{port}_out")
            m.d.comb += [
                other.valid.eq(i.valid),
                Value.cast(other.payload).eq(i.payload),
                other.p.axon.eq(~i.p.axon),
                other.p.delay.eq(~i.p.delay),
                other_o.ready.eq(o.ready),
                getattr(twin, f"{port}_out_room").eq(getattr(router, f"{port}_out_room")),
                Assert(i.ready == other.ready),
                Assert(o.valid == other_o.valid),
                Assert(getattr(router, f"{port}_in_room") == getattr(twin, f"{port}_in_room")),
            ]
            m.d.comb += Cover(o.valid & ~o.ready)
        return m
