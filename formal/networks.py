"""What is proved of whole networks."""

from itertools import product

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, connect, flipped

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import Packet
from spikelet.description.chip.params import ChipParams
from spikelet.formal.followed import Place, header, routers_of, targets
from spikelet.formal.tracking import FIRST, OTHER, Mark, no_reset
from spikelet.rtl_gen.layouts import flit_stream
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from spikelet.rtl_gen.router import Head, Router, Routing
from spikelet.rtl_gen.routing import GridRouting, TreeRouting

__all__ = ["NetworkDelivers", "NetworkNeverLocks", "RingKeepsAPlace"]

_OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}


class _OpenNetwork(NetworkOnChip):
    """A network of which more can be seen.

    Attributes
    ----------
    moves : Signal
        A flit leaves a router, or a register at its input.
    """

    def __init__(self, chip: ChipParams) -> None:
        super().__init__(chip)
        self.moves = Signal()

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        places = routers_of(self.chip)
        routers = [self.routers[place] for place in places]
        outs = [getattr(router, f"{port}_out") for router in routers for port in router.ports]
        outs += [register.o for router in routers for register in router.registers.values()]
        m.d.comb += self.moves.eq(self.dropped.any() | Cat(o.valid & o.ready for o in outs).any())
        return m


class _OpenRouter(Router):
    """A router of which more can be seen.

    Attributes
    ----------
    passed_on : dict of str to Signal
        By side: the first flit of its queue has passed on in its ring, and waits for a port that
        leaves the ring.
    """

    def __init__(
        self,
        flit: Packet,
        routing: Routing,
        *,
        ports: tuple[str, ...],
        depth: int,
        registered: bool,
    ) -> None:
        super().__init__(flit, routing, ports=ports, depth=depth, registered=registered)
        self.passed_on = {
            side: Signal(name=f"{side}_passed_on") for side in _OPPOSITE if side in ports
        }

    def _head(self, m: Module, port: str) -> Head:
        head = super()._head(m, port)
        if port in self.passed_on:
            ahead = _OPPOSITE[port]
            passes = Signal(name=f"{port}_passes")
            with m.If(head.load):
                m.d.sync += passes.eq(head.wanted[ahead])
            waits = Cat(head.pending.values()).any()
            m.d.comb += self.passed_on[port].eq(passes & ~head.pending[ahead] & waits)
        return head


class _OpenRings(NetworkOnChip):
    """A torus or ring of which more can be seen.

    Attributes
    ----------
    free, passed_on : dict of tuple to Signal
        By row or column, and the side of its routers at which flits come in: one of these queues
        has a free place; the first flit of one has passed on.
    """

    def __init__(self, chip: ChipParams) -> None:
        super().__init__(chip)
        rows = product(range(chip.height), ("west", "east")) if chip.width > 1 else ()
        columns = product(range(chip.width), ("north", "south")) if chip.height > 1 else ()
        rings = (*rows, *columns)
        self.free = {ring: Signal(name=f"{ring[1]}_{ring[0]}_free") for ring in rings}
        self.passed_on = {ring: Signal(name=f"{ring[1]}_{ring[0]}_passed_on") for ring in rings}

    def _router(
        self,
        m: Module,
        place: Place,
        routing: GridRouting | TreeRouting,
        ports: tuple[str, ...],
    ) -> Router:
        # Whatever the seed of its arbiters: places do not depend on whose turn it is.
        router = _OpenRouter(
            *(self.flit, routing),
            ports=ports,
            depth=self.chip.fifo_depth,
            registered=self.registered,
        )
        m.submodules[f"router_{place[0]}_{place[1]}"] = self.routers[place] = router
        return router

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        for line, side in self.free:
            across = side in ("west", "east")  # the index that its routers have in common
            ring = [router for place, router in self.routers.items() if place[across] == line]
            m.d.comb += [
                self.free[line, side].eq(Cat(getattr(r, f"{side}_in").ready for r in ring).any()),
                self.passed_on[line, side].eq(Cat(r.passed_on[side] for r in ring).any()),
            ]
        return m


class _NetworkAlone(wiring.Component):
    """A network into which cores and host send what they like, when they like.

    Parameters
    ----------
    network : NetworkOnChip
    """

    def __init__(self, network: NetworkOnChip) -> None:
        self.chip = network.chip
        self.network = network
        self.ends = {HOST: "host"} | {core: f"core_{core}" for core in self.network.cores}
        flit = flit_stream(self.network.flit)
        members = {f"{end}_in": In(flit) for end in self.ends.values()}
        super().__init__(members | {f"{end}_ready": In(1) for end in self.ends.values()})

    def join(self, m: Module) -> NetworkOnChip:
        """Build the network."""
        no_reset(m)
        m.submodules.network = network = self.network
        for end in self.ends.values():
            connect(m, flipped(getattr(self, f"{end}_in")), getattr(network, f"{end}_in"))
            m.d.comb += getattr(network, f"{end}_out").ready.eq(getattr(self, f"{end}_ready"))
        return network


class NetworkNeverLocks(_NetworkAlone):
    """While flits are under way, one moves, unless an end does not take what it is offered.

    So no state that can be reached, whatever is sent, is a deadlock.

    Parameters
    ----------
    chip : ChipParams
    registered : bool
        Whether links have registers, whatever the size of the chip.
    """

    def __init__(self, chip: ChipParams, *, registered: bool = False) -> None:
        network = _OpenNetwork(chip)
        network.registered = registered
        super().__init__(network)
        self.moves = network.moves

    def elaborate(self, platform: object) -> Module:
        m = Module()
        network = self.join(m)
        outs = [getattr(network, f"{end}_out") for end in self.ends.values()]
        waits = Cat(o.valid & ~o.ready for o in outs).any()
        m.d.comb += Assert(~network.busy.any() | self.moves | waits)
        m.d.comb += Cover(network.busy.all() & ~self.moves)
        return m


class RingKeepsAPlace(_NetworkAlone):
    """In each direction of a ring a place is free, or one is held by a flit that has passed on.

    Such a flit, the first of its queue, waits for the port of a core, the host or, in a row, of a
    column, and then its place is free. Entries leave a place free (bubble flow control), and a flit
    that passes on frees its old place or holds it so.

    Parameters
    ----------
    chip : ChipParams
    registered : bool
        Whether links have registers, whatever the size of the chip.
    """

    def __init__(self, chip: ChipParams, *, registered: bool = False) -> None:
        self.rings = _OpenRings(chip)
        self.rings.registered = registered
        super().__init__(self.rings)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.join(m)
        for ring, free in self.rings.free.items():
            passed_on = self.rings.passed_on[ring]
            m.d.comb += [Assert(free | passed_on), Cover(passed_on)]
        return m


class NetworkDelivers(_NetworkAlone):
    """A packet arrives once, unchanged, at every core of its rectangle, and nowhere else.

    One marked packet comes in at ``source``; others, malformed ones too, come in everywhere. When
    no router is busy, it has arrived.

    Parameters
    ----------
    chip : ChipParams
    source : int
        Core, or :data:`HOST`.
    bound : int, optional
        It arrives within so many clock cycles, too, if cores and host take what they are offered.
    """

    def __init__(self, chip: ChipParams, source: int, bound: int | None = None) -> None:
        super().__init__(NetworkOnChip(chip))
        self.source = source
        self.bound = bound

    def elaborate(self, platform: object) -> Module:
        m = Module()
        network = self.join(m)
        i = getattr(network, f"{self.ends[self.source]}_in")
        mark = Mark(FIRST, i.p.shape(), tuple(self.ends.values()), "mark")
        for end in self.ends.values():
            other = getattr(network, f"{end}_in")
            with m.If(other.valid):
                if other is not i:
                    m.d.comb += Assume(other.p.axon == OTHER)
        with m.If(i.valid):
            m.d.comb += Assume((i.p.axon == OTHER) | (i.p.axon == FIRST))
            with m.If(i.p.axon == FIRST):
                m.d.comb += Assume(~mark.came & self._is_for(i.p, None))
                with m.If(i.ready):
                    m.d.sync += [mark.came.eq(1), mark.flit.eq(i.p)]
        wanted = {end: self._is_for(mark.flit, core) for core, end in self.ends.items()}
        for end in self.ends.values():
            o = getattr(network, f"{end}_out")
            with m.If(o.valid):
                m.d.comb += Assert((o.p.axon == OTHER) | (o.p.axon == FIRST))
                with m.If(o.p.axon == FIRST):
                    m.d.comb += Assert(mark.came & wanted[end] & ~mark.left[end])
                    m.d.comb += Assert(o.p.delay == mark.flit.delay)
                    with m.If(o.ready):
                        m.d.sync += mark.left[end].eq(1)
        arrived = mark.came & mark.all_left(wanted)
        m.d.comb += [
            Assert(network.busy.any() | ~mark.came | arrived),
            Cover(arrived & mark.left["core_0"]),
        ]
        if self.bound is not None:
            for end in self.ends.values():
                m.d.comb += Assume(getattr(network, f"{end}_out").ready)
            cycles = Signal(range(self.bound + 2))
            m.d.sync += cycles.eq(Mux(mark.came & ~arrived, cycles + 1, 0))
            m.d.comb += Assert(cycles <= self.bound)
        return m

    def _is_for(self, flit: data.View, end: int | None) -> Value:
        """Return whether a flit is for a core or the host; without, whether it is for any."""
        names = [field.name for field in self.network.flit.without("axon", "delay").fields]
        patterns = set()
        for core, columns, rows in targets(self.chip):
            inside = {core}
            if core != HOST:
                step = self.chip.width
                inside = {core + x + step * y for x in range(columns) for y in range(rows)}
            if end is None or end in inside:
                values = zip(names, header(self.chip, core, columns, rows), strict=True)
                bits = [format(value, f"0{len(flit[n])}b") for n, value in values if len(flit[n])]
                patterns.add("".join(reversed(bits)))
        return Cat(flit[name] for name in names).matches(*sorted(patterns))
