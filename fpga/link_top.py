"""A chip on a board, behind its host link."""

from amaranth.hdl import Cat, Module, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from spikelet.boards import Board
from spikelet.description.chip.host_link import LinkParams
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.memories import Memory
from spikelet.fpga.power_on import clocked
from spikelet.rtl_gen.host_link import HostLink
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.rtl_gen.uart import Uart, baud_divider

__all__ = ["LinkTop", "link_memories"]


def link_memories() -> tuple[Memory, ...]:
    """Return the memories of a host link: a buffer in each direction."""
    rows = LinkParams.buffer_bytes
    return tuple(Memory(f"host link {stream}", rows, 8) for stream in ("requests", "replies"))


class LinkTop(wiring.Component):
    """A chip that a host loads and runs over the board's serial port.

    The last LED is lit while the chip is busy, the one before it once a host has reset the chip or
    read or written a word. The others show the lowest bits of the output line that spiked last. The
    button resets all.

    Parameters
    ----------
    chip : ChipParams
    board : Board
    baud : int
        SpikeletError if the chip's clock cannot be divided to it.

    Members
    -------
    clk, button, rx : ``In(1)``
    tx : ``Out(1)``
    led : ``Out(number of LEDs)``
        At the pins: with the board's polarity.
    """

    def __init__(self, chip: ChipParams, board: Board, *, baud: int) -> None:
        self.chip = chip
        self.board = board
        self.divider = baud_divider(board.chip_hz, baud)
        self.params = LinkParams.of(chip, board.chip_hz)
        super().__init__(
            {
                "clk": In(1),
                "button": In(1),
                "rx": In(1),
                "tx": Out(1),
                "led": Out(len(board.leds)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.submodules.uart = uart = Uart(self.divider)
        m.submodules.link = link = HostLink(self.params)
        chip = whole_chip(self.chip)
        m.submodules.chip = ResetInserter(link.reset)(chip)
        connect(m, uart.received, link.rx)
        connect(m, link.tx, uart.sending)
        request, answer = chip.config_request, chip.config_response
        m.d.comb += [
            uart.rx.eq(self.rx),
            self.tx.eq(uart.tx),
            chip.start.eq(link.start),
            chip.clear.eq(link.clear),
            link.busy.eq(chip.busy),
            request.valid.eq(link.config_request.valid),
            link.config_request.ready.eq(request.ready),
            *(
                request.p[name].eq(link.config_request.p[name])
                for name in request.p.shape().members
            ),
            link.config_response.payload.eq(answer.payload),
            link.config_response.valid.eq(answer.valid),
        ]
        for source, target in ((link.event_in, chip.event_in), (chip.event_out, link.event_out)):
            m.d.comb += [
                Value.cast(target.payload).eq(Value.cast(source.payload)),
                target.valid.eq(source.valid),
                source.ready.eq(target.ready),
            ]

        line, reached = Signal(len(self.led) - 2), Signal()
        with m.If(chip.event_out.valid):
            m.d.sync += line.eq(Value.cast(chip.event_out.payload))
        with m.If(link.reset | link.config_request.valid):
            m.d.sync += reached.eq(1)
        lit = Cat(line, reached, chip.busy)
        inverted = [pin.inverted for pin in self.board.leds]
        m.d.comb += self.led.eq(Cat(bit ^ inv for bit, inv in zip(lit, inverted, strict=True)))
        return m
