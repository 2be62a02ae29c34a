"""A chip on a board, behind its host link."""

import math

from amaranth.hdl import Cat, Module, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from spikelet.boards import Board
from spikelet.description.chip.host_link import WATCHDOG_CYCLES, LinkParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.fpga.memories import Memory
from spikelet.fpga.power_on import clocked
from spikelet.rtl_gen.host_link import HostLink
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.rtl_gen.uart import Uart, baud_divider
from spikelet.rtl_gen.watchdog import Watchdog

__all__ = ["LinkTop", "link_memories"]

_LONGEST_S = 60.0
"""Of a time limit."""


def link_memories() -> tuple[Memory, ...]:
    """Return the memories of a host link: a buffer in each direction."""
    rows = LinkParams.buffer_bytes
    return tuple(Memory(f"host link {stream}", rows, 8) for stream in ("requests", "replies"))


class LinkTop(wiring.Component):
    """A chip that a host loads and runs over the board's serial port.

    The LEDs, from the last one backwards: the chip is busy; a host has reset the chip, or read or
    written a word; a tick has taken longer than the time limit, since reset by button or host; the
    watchdog has given up a host's connection and reset the chip, and no host has opened another.
    Those that are left show the lowest bits of the output line that spiked last. The button resets
    all.

    Parameters
    ----------
    chip : ChipParams
    board : Board
    baud : int or None
        Of the serial port; SpikeletError if the chip's clock cannot be divided to it.
    line : wiring.Component or None
        What carries bytes in the place of a serial port, such as
        :class:`spikelet.rtl_gen.spi_target.SpiTarget`: with the ports ``received`` and ``sending``
        of a :class:`spikelet.rtl_gen.uart.Uart`. All its others are pins of the board.
    time_limit_s : float
        Of a tick, above 0 and at most 60 s; taken in units of 65,536 clock cycles, so up to two of
        them longer. What is late goes on.

    Members
    -------
    clk, button : ``In(1)``
    rx, tx : ``In(1)``, ``Out(1)``
        Or the pins of ``line``.
    led : ``Out(number of LEDs)``
        At the pins: with the board's polarity.
    """

    def __init__(
        self,
        chip: ChipParams,
        board: Board,
        *,
        baud: int | None = None,
        line: wiring.Component | None = None,
        time_limit_s: float = 1.0,
    ) -> None:
        if not 0 < time_limit_s <= _LONGEST_S:
            raise SpikeletError(
                f"time limit of a tick must be above 0 and at most {_LONGEST_S:.0f} s, "
                f"not {time_limit_s}",
                remedy="such as 1",
            )
        self.chip = chip
        self.time_limit_s = time_limit_s
        self.board = board
        if (baud is None) == (line is None):
            raise SpikeletError(
                "host link: either baud, of a serial port, or another line must be given",
                remedy="give one of both",
            )
        self.line = line or Uart(baud_divider(board.chip_hz, baud or 0))
        members = self.line.signature.members
        self.pins = tuple(name for name in members if name not in ("received", "sending"))
        self.params = LinkParams.of(chip, board.chip_hz)
        super().__init__(
            {
                "clk": In(1),
                "button": In(1),
                "led": Out(len(board.leds)),
                **{name: members[name] for name in self.pins},
            }
        )

    def linked_chip(self) -> wiring.Component:
        """Return the chip that is built: a component with the ports of ``rtl_gen/chip.py``."""
        return whole_chip(self.chip)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.submodules.line = line = self.line
        for name in self.pins:
            here, there = getattr(self, name), getattr(line, name)
            inwards = line.signature.members[name].flow is In
            m.d.comb += there.eq(here) if inwards else here.eq(there)
        m.submodules.link = link = HostLink(self.params)
        chip = self.linked_chip()
        m.submodules.chip = ResetInserter(link.reset)(chip)
        connect(m, line.received, link.rx)
        connect(m, link.tx, line.sending)
        request, answer = chip.config_request, chip.config_response
        m.d.comb += [
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

        units = math.ceil(self.time_limit_s * self.params.clock_hz / WATCHDOG_CYCLES) + 1
        m.submodules.watchdog = watchdog = Watchdog(WATCHDOG_CYCLES.bit_length() - 1, units)
        m.d.comb += [
            watchdog.busy.eq(chip.busy),
            watchdog.heard.eq(link.heard),
            watchdog.limit.eq(link.watchdog),
            watchdog.restart.eq(link.reset),
            link.abandon.eq(watchdog.silent),
        ]
        reached, given_up = Signal(), Signal()
        with m.If(link.reset | link.config_request.valid):
            m.d.sync += reached.eq(1)
        with m.If(watchdog.silent | link.heard):
            m.d.sync += given_up.eq(watchdog.silent)
        states = Cat(given_up, watchdog.late, reached, chip.busy)
        spiked = Signal(max(0, len(self.led) - len(states)))
        with m.If(chip.event_out.valid):
            m.d.sync += spiked.eq(Value.cast(chip.event_out.payload))
        lit = Cat(spiked, states)[-len(self.led) :]
        inverted = [pin.inverted for pin in self.board.leds]
        m.d.comb += self.led.eq(Cat(bit ^ inv for bit, inv in zip(lit, inverted, strict=True)))
        return m
