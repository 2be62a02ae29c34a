"""What is proved of whole networks."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, connect, flipped

from formal.followed import header, routers_of, targets
from formal.tracking import FIRST, OTHER, Mark, no_reset
from rtl_gen.layouts import flit_stream
from rtl_gen.network_on_chip import NetworkOnChip
from spikelet.description.destinations import HOST
from spikelet.description.params import ChipParams

__all__ = ["NetworkDelivers", "NetworkNeverLocks", "RingKeepsAPlace"]


class _OpenNetwork(NetworkOnChip):
    """A network of which more can be seen.

    Attributes
    ----------
    moves : Signal
        A flit leaves a router.
    full : dict of str to Signal
        Along the only row, no queue at this side has room.
    """

    def __init__(self, chip: ChipParams) -> None:
        super().__init__(chip)
        self.moves = Signal()
        self.full = {side: Signal(name=f"{side}_full") for side in ("west", "east")}

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        places = routers_of(self.chip)
        routers = [getattr(m.submodules, f"router_{a}_{b}") for a, b in places]
        outs = [getattr(router, f"{port}_out") for router in routers for port in router.ports]
        m.d.comb += self.moves.eq(self.dropped.any() | Cat(o.valid & o.ready for o in outs).any())
        for side, full in self.full.items():
            queues = [getattr(router, f"{side}_in") for router in routers if side in router.ports]
            m.d.comb += full.eq(~Cat(i.ready for i in queues).any())
        return m


class _NetworkAlone(wiring.Component):
    """A network into which cores and host send what they like, when they like.

    Parameters
    ----------
    chip : ChipParams
    """

    def __init__(self, chip: ChipParams) -> None:
        self.chip = chip
        self.network = _OpenNetwork(chip)
        self.ends = {HOST: "host"} | {core: f"core_{core}" for core in self.network.cores}
        flit = flit_stream(self.network.flit)
        members = {f"{end}_in": In(flit) for end in self.ends.values()}
        super().__init__(members | {f"{end}_ready": In(1) for end in self.ends.values()})

    def join(self, m: Module) -> _OpenNetwork:
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
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        network = self.join(m)
        outs = [getattr(network, f"{end}_out") for end in self.ends.values()]
        waits = Cat(o.valid & ~o.ready for o in outs).any()
        m.d.comb += Assert(~network.busy.any() | network.moves | waits)
        m.d.comb += Cover(network.busy.all() & ~network.moves)
        return m


class RingKeepsAPlace(_NetworkAlone):
    """In a ring, not all queues of a direction are ever full."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        network = self.join(m)
        for full in network.full.values():
            m.d.comb += Assert(~full)
        entries = [getattr(network, f"{end}_in") for end in self.ends.values()]
        m.d.comb += Cover(Cat(i.valid & ~i.ready for i in entries).all())
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
        super().__init__(chip)
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
