"""A chip's registers on an AXI4-Lite bus. No twin in golden, which has no bus."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.bus_registers import BusParams
from spikelet.rtl_gen.bus_registers import BusRegisters, chip_side, wired

__all__ = ["AxiLite"]

_SLVERR = 0b10


class AxiLite(wiring.Component):
    """A subordinate of AXI4-Lite (ARM IHI 0022): 32 bits of data, whole words.

    Addresses count bytes; their lowest two bits are not looked at. A write without all four
    strobes, and what :class:`BusRegisters` refuses, is answered with SLVERR. Of a write and a read
    that wait at once, the write comes first.

    Timing: one access at a time, that of :class:`BusRegisters` and a cycle more.
    Reset: that of :class:`BusRegisters`.

    Parameters
    ----------
    params : BusParams
    events : bool
        As for :class:`BusRegisters`.

    Members
    -------
    s_axil_awaddr, s_axil_araddr : ``In(word_bits + 2)``
    s_axil_awprot, s_axil_arprot : ``In(3)``
        Not looked at.
    s_axil_wdata, s_axil_wstrb, s_axil_rdata, s_axil_bresp, s_axil_rresp
        32, 4, 32, 2 and 2 bits.
    s_axil_awvalid, s_axil_awready and so on : 1 bit
    irq : ``Out(1)``
    event_in, event_out, config_request, config_response, start, clear, busy
        To the chip's ports of these names.
    """

    def __init__(self, params: BusParams, *, events: bool = True) -> None:
        self.params = params
        self.events = events
        channels = {
            "aw": {"addr": In(params.word_bits + 2), "prot": In(3)},
            "w": {"data": In(32), "strb": In(4)},
            "b": {"resp": Out(2)},
            "ar": {"addr": In(params.word_bits + 2), "prot": In(3)},
            "r": {"data": Out(32), "resp": Out(2)},
        }
        members: dict[str, wiring.Member] = {}
        for channel, parts in channels.items():
            to_us = In if channel in ("aw", "w", "ar") else Out
            from_us = Out if to_us is In else In
            members |= {f"s_axil_{channel}{name}": part for name, part in parts.items()}
            members |= {f"s_axil_{channel}valid": to_us(1), f"s_axil_{channel}ready": from_us(1)}
        super().__init__({**members, "irq": Out(1), **chip_side(params)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.registers = registers = BusRegisters(self.params, events=self.events)
        wired(m, registers, self)
        asked, answer = registers.request, registers.response
        writes = self.s_axil_awvalid & self.s_axil_wvalid
        whole = self.s_axil_wstrb.all()
        written = Signal()
        address = Mux(writes, self.s_axil_awaddr, self.s_axil_araddr)
        m.d.comb += [
            asked.p.address.eq(address[2:]),
            asked.p.data.eq(self.s_axil_wdata),
            asked.p.write.eq(writes),
            self.irq.eq(registers.irq),
        ]
        error = Signal()
        word = Signal(32)
        m.d.comb += [
            self.s_axil_rdata.eq(word),
            self.s_axil_rresp.eq(Mux(error, _SLVERR, 0)),
            self.s_axil_bresp.eq(Mux(error, _SLVERR, 0)),
        ]
        with m.FSM():
            with m.State("idle"):
                m.d.comb += asked.valid.eq((writes & whole) | (self.s_axil_arvalid & ~writes))
                m.d.sync += written.eq(writes)
                with m.If(writes):
                    m.d.comb += Cat(self.s_axil_awready, self.s_axil_wready).eq(0b11)
                    m.next = "waits"
                    with m.If(~whole):
                        m.d.sync += error.eq(1)
                        m.next = "answers"
                with m.Elif(self.s_axil_arvalid):
                    m.d.comb += self.s_axil_arready.eq(1)
                    m.next = "waits"
            with m.State("waits"), m.If(answer.valid):
                m.d.sync += [error.eq(answer.error), word.eq(answer.data)]
                m.next = "answers"
            with m.State("answers"):
                m.d.comb += [self.s_axil_bvalid.eq(written), self.s_axil_rvalid.eq(~written)]
                with m.If(Mux(written, self.s_axil_bready, self.s_axil_rready)):
                    m.next = "idle"
        return m
