"""A chip on a board that starts and runs without a host: it loads itself, classes go to LEDs."""

from typing import NamedTuple

from amaranth.hdl import C, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from spikelet.boards import Board
from spikelet.description.checks import check_int
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.live_sources import source_side
from spikelet.fpga.memories import Memory
from spikelet.fpga.power_on import clocked
from spikelet.fpga.stored_program import StoredProgram
from spikelet.fpga.window_winner import WindowWinner, count_memory
from spikelet.rtl_gen.flash_loader import FlashLoader
from spikelet.rtl_gen.flash_reader import FlashReader
from spikelet.rtl_gen.joined_chips import whole_chip

__all__ = ["FLASH_PORTS", "LiveTop", "live_memories"]

_FLASH_MEMBERS = {
    "flash_cs": Out(1, init=1),
    "flash_clk": Out(1),
    "flash_copi": Out(1),
    "flash_cipo": In(1),
}
FLASH_PORTS = tuple(_FLASH_MEMBERS)


def live_memories(chip: ChipParams) -> tuple[Memory, ...]:
    """Return the memories of the top module, without those of its source."""
    return (count_memory(chip),)


class LiveTop(wiring.Component):
    """A chip that loads itself, and shows the class of each window of ticks.

    After power-on the program, in the board's flash or in the bitstream, is checked, then loaded.
    If it is of no use, the LED before the last is lit, and nothing runs until the button is
    pressed. Otherwise the last LED is lit, and windows follow each other for ever: the chip is
    cleared; ticks run; the output line with most spikes in all of them, the lowest of equals, is
    shown by the other LEDs in binary. If none spiked the LEDs stay as they were. The third LED from
    the end changes with every window. The LED before the last is lit beside the last once a source
    has lost an event, until the button is pressed.

    Timing: with a ``period``, the n-th tick begins ``n * period`` clock cycles after the chip was
    loaded, or as soon as what came before it is over. Events that a source gives before that are
    those of this tick; a source waits from then until the chip takes events again. Without a
    period a tick begins when the source says so.

    Parameters
    ----------
    chip : ChipParams
    board : Board
        With the pins of its flash, unless ``program`` is given.
    source : wiring.Component
        Of :mod:`spikelet.fpga.live_sources`.
    ticks : int
        Of a window, 1..65535.
    period : int
        Clock cycles from tick to tick, below 2**32; 0: see above.
    pause : int
        Clock cycles for which a class is shown before the next window, below 2**32.
    offset : int
        Address of the flash image in the flash.
    program : StoredProgram or None
        The flash image in the bitstream, in the place of one in the flash.

    Members
    -------
    clk, button : ``In(1)``
    led : ``Out(number of LEDs)``
        At the pins: with the board's polarity.
    flash_cs, flash_clk, flash_copi : ``Out(1)``
    flash_cipo : ``In(1)``
        ``flash_cs`` is 0 while the flash is selected. Without ``program``.

    And the pins of the source.
    """

    def __init__(
        self,
        chip: ChipParams,
        board: Board,
        source: wiring.Component,
        *,
        ticks: int,
        period: int = 0,
        pause: int = 0,
        offset: int = 1 << 20,
        program: StoredProgram | None = None,
    ) -> None:
        check_int("window: ticks", ticks, 1, (1 << 16) - 1)
        check_int("window: period", period, 0, (1 << 32) - 1)
        check_int("window: pause", pause, 0, (1 << 32) - 1)
        self.chip = chip
        self.board = board
        self.source = source
        self.ticks = ticks
        self.period = period
        self.pause = pause
        self.offset = offset
        self.program = program
        ours = source_side(1)
        self.pins = tuple(name for name in source.signature.members if name not in ours)
        super().__init__(
            {
                "clk": In(1),
                "button": In(1),
                "led": Out(len(board.leds)),
                **({} if program else _FLASH_MEMBERS),
                **{name: source.signature.members[name] for name in self.pins},
            }
        )

    @property
    def ports(self) -> tuple[str, ...]:
        """Names of all ports."""
        return ("clk", "button", "led", *(() if self.program else FLASH_PORTS), *self.pins)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clocked(m, self.board, self.clk, self.button)
        m.submodules.chip = chip = whole_chip(self.chip)
        loaded, failed = self._load(m, chip)
        m.submodules.source = source = self.source
        for name in self.pins:
            here, there = getattr(self, name), getattr(source, name)
            inwards = source.signature.members[name].flow is In
            m.d.comb += there.eq(here) if inwards else here.eq(there)
        m.d.comb += [
            Value.cast(chip.event_in.payload).eq(source.o.payload),
            chip.event_in.valid.eq(source.o.valid),
            source.o.ready.eq(chip.event_in.ready),
        ]
        spiked, (mask, shift) = Value.cast(chip.event_out.payload), output_bits(self.chip)
        number: Value = spiked[shift:] if shift else C(1)
        window = WindowWinner(self.chip.n_outputs, mask.bit_length(), len(number))
        m.submodules.window = window
        m.d.comb += [
            window.i.p.line.eq(spiked),
            window.i.p.number.eq(number),
            window.i.valid.eq(chip.event_out.valid),
            chip.event_out.ready.eq(window.i.ready),
        ]
        ends, running, lost = Signal(), Signal(), Signal()
        m.d.comb += window.ends.eq(ends)
        shown, parity = Signal.like(window.winner), Signal()
        with m.If(ends):
            m.d.sync += parity.eq(~parity)
            with m.If(~window.empty):
                m.d.sync += shown.eq(window.winner)
        with m.If(source.lost & loaded):
            m.d.sync += lost.eq(1)
        closes: Value = source.ended
        accepts: Value = C(1)
        if self.period:
            closes = self._timer(m, running, chip.start) & ~source.within
            accepts = ~closes
        control = _Control(
            loaded & ~window.counting, closes, accepts, running, ends, window.counting
        )
        self._run(m, chip, control)
        states = Cat(parity, failed | lost, loaded)
        line = Signal(max(0, len(self.led) - len(states)))
        m.d.comb += line.eq(shown)
        lit = Cat(line, states)[-len(self.led) :]
        inverted = [pin.inverted for pin in self.board.leds]
        m.d.comb += self.led.eq(Cat(bit ^ inv for bit, inv in zip(lit, inverted, strict=True)))
        return m

    def _run(self, m: Module, chip: wiring.Component, control: "_Control") -> None:
        """Build what runs windows once the chip is loaded."""
        ready, closes, accepts, running, ends, counting = control
        tick, left = Signal(range(self.ticks)), Signal(range(self.pause + 1))
        with m.FSM():
            with m.State("LOAD"), m.If(ready & ~chip.busy):
                m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += [chip.clear.eq(1), running.eq(1)]
                m.d.sync += tick.eq(0)
                m.next = "SETTLE"
            with m.State("SETTLE"):  # busy may rise one cycle after the strobe
                m.d.comb += running.eq(1)
                m.next = "CLEARED"
            with m.State("CLEARED"), m.If(~chip.busy):
                m.d.comb += running.eq(1)
                m.next = "COLLECT"
            with m.State("COLLECT"):
                m.d.comb += [running.eq(1), self.source.accept.eq(accepts)]
                with m.If(closes):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += [running.eq(1), chip.start.eq(1)]
                m.next = "STARTED"
            with m.State("STARTED"):
                m.d.comb += running.eq(1)
                m.next = "RUN"
            with m.State("RUN"), m.If(~chip.busy & ~counting):
                m.d.sync += tick.eq(tick + 1)
                m.next = "COLLECT"
                with m.If(tick == self.ticks - 1):
                    m.d.comb += ends.eq(1)
                    m.d.sync += left.eq(self.pause)
                    m.next = "SHOW"
            with m.State("SHOW"):
                with m.If(left != 0):
                    m.d.sync += left.eq(left - 1)
                with m.Elif(~counting):
                    m.next = "CLEAR"

    def _load(self, m: Module, chip: wiring.Component) -> tuple[Value, Value]:
        """Build what loads the chip; return whether it has, and whether it could not."""
        source: wiring.Component
        if self.program:
            m.submodules.program = source = self.program
        else:
            m.submodules.flash = source = FlashReader(self.offset, self.board.chip_hz)
            m.d.comb += [
                source.miso.eq(self.flash_cipo),
                self.flash_cs.eq(source.cs_n),
                self.flash_clk.eq(source.sck),
                self.flash_copi.eq(source.mosi),
            ]
        m.submodules.loader = loader = FlashLoader(int(self.chip.digest[:8], 16))
        connect(m, source.o, loader.i)
        request = chip.config_request
        m.d.comb += [
            source.start.eq(loader.start),
            request.valid.eq(loader.request.valid),
            loader.request.ready.eq(request.ready),
            *(request.p[name].eq(loader.request.p[name]) for name in request.p.shape().members),
        ]
        return loader.done, loader.failed

    def _timer(self, m: Module, running: Value, start: Value) -> Value:
        """Build the timer of ticks; return whether one is due, or overdue."""
        left, began, due = Signal(range(self.period), init=self.period - 1), Signal(), Signal()
        with m.If(running):
            m.d.sync += began.eq(1)
        with m.If(start):
            m.d.sync += due.eq(0)
        with m.If(began):
            m.d.sync += left.eq(left - 1)
            with m.If(left == 0):
                m.d.sync += [left.eq(self.period - 1), due.eq(1)]
        return due


class _Control(NamedTuple):
    """What the windows follow, and what they say: ``running``, and ``ends`` with each."""

    ready: Value
    closes: Value
    accepts: Value
    running: Signal
    ends: Signal
    counting: Value
