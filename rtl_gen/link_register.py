"""A register in a link between routers. No twin in golden, where nothing waits."""

from amaranth import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.packets import Packet
from spikelet.rtl_gen.layouts import flit_stream

__all__ = ["LinkRegister"]


class LinkRegister(wiring.Component):
    """Holds a flit for a cycle, so that wires before and behind it have a cycle each.

    No bench of its own: ``sim/bench_network_on_chip.py`` runs networks that have it.

    Timing: one cycle; a flit every cycle. ``o`` depends on no input, ``i.ready`` on ``o.ready``.
    Reset: drops its flit.

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
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid),
                Value.cast(self.o.payload).eq(Value.cast(self.i.payload)),
            ]
        return m
