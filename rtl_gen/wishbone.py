"""A chip's registers on a Wishbone bus. No twin in golden, which has no bus."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.bus_registers import BusParams
from spikelet.rtl_gen.bus_registers import BusRegisters, chip_side, wired

__all__ = ["Wishbone"]


class Wishbone(wiring.Component):
    """The target of a Wishbone B4 bus, classic single cycles: 32 bits of data, whole words.

    An access that does not select all four bytes, or that :class:`BusRegisters` refuses, ends with
    ``wb_err`` in the place of ``wb_ack``. ``wb_adr`` counts words.

    Timing: that of :class:`BusRegisters`, and a cycle more.
    Reset: that of :class:`BusRegisters`.

    Parameters
    ----------
    params : BusParams

    Members
    -------
    wb_cyc, wb_stb, wb_we : ``In(1)``
    wb_adr, wb_dat_w, wb_sel : ``In``, word_bits, 32 and 4 bits
    wb_dat_r : ``Out(32)``
    wb_ack, wb_err : ``Out(1)``
    irq : ``Out(1)``
    event_in, event_out, config_request, config_response, start, clear, busy
        To the chip's ports of these names.
    """

    def __init__(self, params: BusParams) -> None:
        self.params = params
        super().__init__(
            {
                **{name: In(1) for name in ("wb_cyc", "wb_stb", "wb_we")},
                "wb_adr": In(params.word_bits),
                "wb_dat_w": In(32),
                "wb_sel": In(4),
                "wb_dat_r": Out(32),
                **{name: Out(1) for name in ("wb_ack", "wb_err", "irq")},
                **chip_side(params),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.registers = registers = BusRegisters(self.params)
        wired(m, registers, self)
        asked, answer = registers.request, registers.response
        begins, waits, partial = Signal(), Signal(), Signal()
        # The cycle of the answer still holds the strobe of the access that it ends.
        m.d.comb += [
            begins.eq(self.wb_cyc & self.wb_stb & ~waits & ~self.wb_ack & ~self.wb_err),
            partial.eq(begins & ~self.wb_sel.all()),
            asked.valid.eq(begins & ~partial),
            asked.p.address.eq(self.wb_adr),
            asked.p.data.eq(self.wb_dat_w),
            asked.p.write.eq(self.wb_we),
            self.irq.eq(registers.irq),
        ]
        with m.If(asked.valid & asked.ready):
            m.d.sync += waits.eq(1)
        with m.Elif(answer.valid):
            m.d.sync += waits.eq(0)
        m.d.sync += [
            self.wb_dat_r.eq(answer.data),
            self.wb_ack.eq(answer.valid & ~answer.error & waits & self.wb_cyc),
            self.wb_err.eq((answer.valid & answer.error & waits & self.wb_cyc) | partial),
        ]
        return m
