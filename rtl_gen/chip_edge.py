"""One port for all the rows, or columns, that cross an edge of a chip. No twin in golden, to which
chips that are joined are one.
"""

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.packets import Field, Packet
from spikelet.rtl_gen.flit_fifo import FlitFifo
from spikelet.rtl_gen.layouts import feed, flit_stream
from spikelet.rtl_gen.round_robin import round_robin

__all__ = ["ChipEdge", "edge_packet"]


def edge_packet(flit: Packet, lines: int) -> Packet:
    """Return what crosses an edge: a flit, and the row or column in which it does."""
    line = Field("line", (lines - 1).bit_length(), "row or column in which it crosses the edge")
    return Packet("edge", (*flit.fields, line))


class ChipEdge(wiring.Component):
    """Joins rows, or columns, to one port each way, and parts them again.

    Sharing a port, lines wait for each other. Packets still only rise in the numbering of the
    channels that keeps the mesh free of deadlock: a port comes after all lines of its chip and
    before all lines of the next.

    No bench of its own: ``sim/bench_chip.py`` runs chips that are cut by it.

    Timing: two cycles more than a hop without an edge, a flit a cycle each way in all.
    Reset: drops the flits in its queues.

    Parameters
    ----------
    flit : Packet
        What the lines carry.
    lines : int

    Members
    -------
    line_I_in : ``In(stream of flit)``
        From line I, to the other chip.
    line_I_out : ``Out(stream of flit)``
    o : ``Out(stream of edge_packet(flit, lines))``
        To the other chip's ``i``.
    i : ``In(stream of edge_packet(flit, lines))``
    busy : ``Out(1)``
        A flit is in one of the queues.
    """

    def __init__(self, flit: Packet, lines: int) -> None:
        self.lines = lines
        self.packet = edge_packet(flit, lines)
        stream, edge = flit_stream(flit), flit_stream(self.packet)
        members = {"o": Out(edge), "i": In(edge), "busy": Out(1)}
        for line in range(lines):
            members[f"line_{line}_in"] = In(stream)
            members[f"line_{line}_out"] = Out(stream)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.leaving_queue = leaving = FlitFifo(self.packet, depth=2)
        m.submodules.coming_queue = coming = FlitFifo(self.packet, depth=2)
        connect(m, leaving.o, flipped(self.o))
        connect(m, flipped(self.i), coming.i)
        m.d.comb += self.busy.eq(leaving.o.valid | coming.o.valid)

        sources = [getattr(self, f"line_{line}_in") for line in range(self.lines)]
        requests = Cat(source.valid for source in sources)
        grant = round_robin(m, requests, leaving.i.ready, name="line")
        m.d.comb += leaving.i.valid.eq(requests.any())
        with m.Switch(grant):
            for line, source in enumerate(sources):
                with m.Case(1 << line):
                    feed(m, source, leaving.i)
                    m.d.comb += leaving.i.p.line.eq(line)

        m.d.comb += coming.o.ready.eq(1)  # a line that there is not must not stand in the way
        for line in range(self.lines):
            with m.If(coming.o.p.line == line):
                feed(m, coming.o, getattr(self, f"line_{line}_out"))
        return m
