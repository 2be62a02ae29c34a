"""A queue of flits at the input of a router. No twin in golden, where nothing waits."""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.packets import Packet
from spikelet.rtl_gen.layouts import flit_stream

__all__ = ["FlitFifo"]


class FlitFifo(wiring.Component):
    """Flits in the order they came, the first of them in a register.

    What the register is about to take can be seen a cycle before, so that where a flit is to go is
    known as soon as it stands there. The others lie in a memory that is read without a clock:
    distributed RAM where the device has it.

    Timing: one cycle; a flit every cycle. Neither ``i.ready`` nor ``o`` depends on an input.
    Reset: empties it.

    Parameters
    ----------
    flit : Packet
    depth : int
        Flits it holds, 2 or more.

    Members
    -------
    i : ``In(stream of flit)``
    o : ``Out(stream of flit)``
    load : ``Out(1)``
        ``o`` takes ``coming`` at the end of this cycle.
    coming : ``Out(flit)``
    room : ``Out(1)``
        There is room for two flits or more.
    """

    def __init__(self, flit: Packet, *, depth: int) -> None:
        self.flit = flit
        self.depth = depth
        stream = flit_stream(flit)
        super().__init__(
            {
                "i": In(stream),
                "o": Out(stream),
                "load": Out(1),
                "coming": Out(stream.members["payload"].shape),
                "room": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = self.depth - 1  # behind the first
        m.submodules.storage = storage = memory.Memory(
            shape=self.flit.width, depth=1 << (places - 1).bit_length(), init=[]
        )
        write, read = storage.write_port(), storage.read_port(domain="comb")
        stored = Signal(range(places + 1))
        leaves, push, pop = Signal(), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(stored != places),
            self.room.eq(stored <= places - 2 if places > 1 else ~self.o.valid),
            leaves.eq(~self.o.valid | self.o.ready),
            pop.eq(leaves & (stored != 0)),
            push.eq(self.i.valid & self.i.ready & ~(leaves & (stored == 0))),
            self.load.eq(leaves & ((stored != 0) | self.i.valid)),
            Value.cast(self.coming).eq(Mux(stored != 0, read.data, self.i.payload)),
            write.en.eq(push),
            write.data.eq(self.i.payload),
        ]
        with m.If(leaves):
            m.d.sync += [self.o.valid.eq(self.load), self.o.payload.eq(self.coming)]
        with m.If(push):
            m.d.sync += write.addr.eq(write.addr + 1)
        with m.If(pop):
            m.d.sync += read.addr.eq(read.addr + 1)
        with m.If(push & ~pop):
            m.d.sync += stored.eq(stored + 1)
        with m.Elif(pop & ~push):
            m.d.sync += stored.eq(stored - 1)
        return m
