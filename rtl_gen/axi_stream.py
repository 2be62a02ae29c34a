"""A chip's events as AXI4-Streams. No twin in golden, which has no bus."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.bus_registers import BusParams

__all__ = ["AxiStream"]


class AxiStream(wiring.Component):
    """The event ports of a chip as AXI4-Streams (ARM IHI 0051).

    In: a flit each, in the lowest bits of ``s_axis_tdata``; the bits above and ``s_axis_tlast`` are
    not looked at. Events are taken between ticks.

    Out: the spikes of a tick, as flits, are a packet. It ends with a *mark*, whose highest bit is
    1 and all others 0, with ``m_axis_tlast``; the highest bit of a spike is 0. A tick without
    spikes is a mark. Clearing sends none. Of ticks that the chip runs by itself, a mark that is not
    taken until the next tick has ended stands for both.

    Timing: a flit a cycle in each direction, without delay; a mark follows the end of a tick by two
    cycles.
    Reset: forgets a mark that is due.

    Parameters
    ----------
    params : BusParams

    Members
    -------
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast
    event_in, event_out : to the chip's ports of these names
    busy, clear : ``In(1)``
        Of the chip.
    """

    def __init__(self, params: BusParams) -> None:
        self.params = params
        flit = stream.Signature(params.flit_bits)
        super().__init__(
            {
                "s_axis_tdata": In(8 * params.event_bytes),
                "m_axis_tdata": Out(8 * params.spike_bytes),
                **{f"s_axis_{name}": In(1) for name in ("tvalid", "tlast")},
                **{f"m_axis_{name}": Out(1) for name in ("tvalid", "tlast")},
                "s_axis_tready": Out(1),
                "m_axis_tready": In(1),
                "event_in": Out(flit),
                "event_out": In(flit),
                "busy": In(1),
                "clear": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.event_in.payload.eq(self.s_axis_tdata),
            self.event_in.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(self.event_in.ready),
        ]
        was_busy, clearing, due = Signal(), Signal(), Signal()
        m.d.sync += was_busy.eq(self.busy)
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.Elif(was_busy & ~self.busy):
            m.d.sync += clearing.eq(0)
        with m.If(was_busy & ~self.busy & ~clearing):
            m.d.sync += due.eq(1)
        with m.Elif(self.m_axis_tlast & self.m_axis_tvalid & self.m_axis_tready):
            m.d.sync += due.eq(0)
        with m.If(due):
            m.d.comb += [
                self.m_axis_tdata[-1].eq(1),
                self.m_axis_tlast.eq(1),
                self.m_axis_tvalid.eq(1),
            ]
        with m.Else():
            m.d.comb += [
                self.m_axis_tdata.eq(self.event_out.payload),
                self.m_axis_tvalid.eq(self.event_out.valid),
                self.event_out.ready.eq(self.m_axis_tready),
            ]
        return m
