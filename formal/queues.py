"""What is proved of queues and registers of flits, and of the edge between two chips."""

from amaranth import Module, Signal, Value
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped

from spikelet.formal.tracking import MARKED, OTHER, Marks, assert_stable, no_reset
from spikelet.rtl_gen.chip_edge import ChipEdge
from spikelet.rtl_gen.flit_fifo import FlitFifo
from spikelet.rtl_gen.layouts import flit_stream
from spikelet.rtl_gen.link_register import LinkRegister

__all__ = ["EdgeDelivers", "QueueCounts", "QueueDelivers", "RegisterDelivers"]


class QueueDelivers(wiring.Component):
    """A flit comes out of a queue once, unchanged, in order; none is lost; what waits stands.

    ``load`` and ``coming`` say what ``o`` is in the next cycle.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        super().__init__({"i": In(flit_stream(MARKED)), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.queue = queue = FlitFifo(MARKED, depth=self.depth)
        connect(m, flipped(self.i), queue.i)
        m.d.comb += queue.o.ready.eq(self.ready)
        marks = Marks(m, queue.i)
        marks.watch(m, queue.o, "o")
        m.d.comb += Cover(marks.second.left["o"])
        with m.If(~queue.o.valid):
            for mark in marks.both:
                m.d.comb += Assert(mark.came == mark.left["o"])
        assert_stable(m, queue.o, "o")
        loaded = Signal()
        came = Signal.like(queue.coming)
        m.d.sync += [loaded.eq(queue.load), came.eq(queue.coming)]
        with m.If(loaded):
            m.d.comb += Assert(queue.o.valid & (queue.o.p == came))
        return m


class RegisterDelivers(wiring.Component):
    """A flit comes out of the register of a link once, unchanged, in order; what waits stands."""

    def __init__(self) -> None:
        super().__init__({"i": In(flit_stream(MARKED)), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.register = register = LinkRegister(MARKED)
        connect(m, flipped(self.i), register.i)
        m.d.comb += register.o.ready.eq(self.ready)
        marks = Marks(m, register.i)
        marks.watch(m, register.o, "o")
        m.d.comb += Cover(marks.second.left["o"])
        with m.If(~register.o.valid):
            for mark in marks.both:
                m.d.comb += Assert(mark.came == mark.left["o"])
        assert_stable(m, register.o, "o")
        return m


class QueueCounts(wiring.Component):
    """A queue never takes more than it holds, and says rightly whether there is room."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        super().__init__({"i": In(flit_stream(MARKED)), "ready": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.queue = queue = FlitFifo(MARKED, depth=self.depth)
        connect(m, flipped(self.i), queue.i)
        m.d.comb += queue.o.ready.eq(self.ready)
        held = Signal(range(self.depth + 2))
        enters, leaves = queue.i.valid & queue.i.ready, queue.o.valid & queue.o.ready
        m.d.sync += held.eq(held + enters - leaves)
        m.d.comb += [
            Assert(held <= self.depth),
            Assert(queue.i.ready == (held != self.depth)),
            Assert(queue.o.valid == (held != 0)),
            Assert(queue.room == (held <= self.depth - 2)),
            Cover(held == self.depth),
        ]
        with m.If(~leaves & queue.o.valid):
            m.d.comb += Assert(~queue.load)
        return m


class EdgeDelivers(wiring.Component):
    """A flit that crosses from one chip to the next comes out in its own line, as from a queue.

    Parameters
    ----------
    lines : int
    line : int
        In which marked flits come in.
    """

    def __init__(self, lines: int, line: int) -> None:
        self.lines = lines
        self.line = line
        members = {f"i_{number}": In(flit_stream(MARKED)) for number in range(lines)}
        members |= {f"ready_{number}": In(1) for number in range(lines)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        no_reset(m)
        m.submodules.here = here = ChipEdge(MARKED, self.lines)
        m.submodules.there = there = ChipEdge(MARKED, self.lines)
        connect(m, here.o, there.i)
        connect(m, there.o, here.i)
        for number in range(self.lines):
            i = getattr(self, f"i_{number}")
            connect(m, flipped(i), getattr(here, f"line_{number}_in"))
            o = getattr(there, f"line_{number}_out")
            m.d.comb += o.ready.eq(getattr(self, f"ready_{number}"))
            assert_stable(m, o, f"o_{number}")
            if number == self.line:
                marks = Marks(m, i)
                marks.watch(m, o, "o")
                m.d.comb += Cover(marks.second.left["o"])
            else:
                self._assume_stable(m, i, number)
                with m.If(i.valid):
                    m.d.comb += Assume(i.p.axon == OTHER)
                with m.If(o.valid):
                    m.d.comb += Assert(o.p.axon == OTHER)
        self._assume_stable(m, getattr(self, f"i_{self.line}"), self.line)
        with m.If(~here.busy & ~there.busy):
            for mark in marks.both:
                m.d.comb += Assert(mark.came == mark.left["o"])
        return m

    def _assume_stable(self, m: Module, i: wiring.PureInterface, number: int) -> None:
        """Let what a router offers stand until it is taken, as is proved of routers."""
        waits = Signal(name=f"i_{number}_waits")
        offered = Signal.like(Value.cast(i.payload), name=f"i_{number}_offered")
        m.d.sync += [waits.eq(i.valid & ~i.ready), offered.eq(i.payload)]
        with m.If(waits):
            m.d.comb += Assume(i.valid & (Value.cast(i.payload) == offered))
