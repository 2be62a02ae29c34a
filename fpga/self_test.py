"""The self-test image: a board that runs one stored sample and shows the class on its LEDs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Module,
    Mux,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from boards import Board
from fpga.fit import SELF_TEST_PROGRAM
from fpga.memories import Memory as FitMemory
from fpga.memories import varying_bits
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams, unsigned_bits
from spikelet.errors import SpikeletError

__all__ = ["BoardTop", "Sample", "SelfTest", "program_memory", "program_words"]

_POWER_ON_S = 15e-6
"""Reset after configuration: iCE40 block RAMs read zeros for the first 3 us; with a margin of 5."""


@dataclass(frozen=True)
class Sample:
    """What the self-test stores.

    Parameters
    ----------
    program : array of uint32, shape (writes, 2)
        Configuration writes (address, data) that load the network.
    flits : sequence of array of uint32
        The events of each tick, one array a tick; empty for a tick without.
    expected : int
        The class (output line) that must win.
    spikes_per_tick : int
        Most spikes that one output line can get in a tick; 1 if one neuron feeds it.
    """

    program: npt.NDArray[np.uint32]
    flits: Sequence[npt.NDArray[np.uint32]]
    expected: int
    spikes_per_tick: int = 1

    def memories(self, params: ChipParams) -> tuple[FitMemory, ...]:
        """Return the memories of an image beside a chip, for the fit check."""
        layout = _event_layout(flit_packet(params).width)
        rows = [layout.const(row).as_bits() for row in _event_rows(self.flits)]
        events = FitMemory("self-test events", len(rows), varying_bits(rows), writable=False)
        return program_memory(self.program), events


def program_words(program: npt.NDArray[np.uint32]) -> list[int]:
    """Return configuration writes as the ROM holds them: runs of (address, count, data...)."""
    addresses = program[:, 0].astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(addresses) != 1) + 1).tolist(), len(program)]
    words: list[int] = []
    for first, end in pairwise(starts):
        if end > first:
            words += [int(addresses[first]), end - first, *program[first:end, 1].tolist()]
    return words


def program_memory(program: npt.NDArray[np.uint32]) -> FitMemory:
    """Return the ROM of configuration writes, for the fit check."""
    words = program_words(program)
    return FitMemory(SELF_TEST_PROGRAM, len(words), varying_bits(words), writable=False)


def _event_layout(flit_bits: int) -> data.StructLayout:
    return data.StructLayout({"flit": flit_bits, "valid": 1, "last": 1})


def _event_rows(flits: Sequence[npt.NDArray[np.uint32]]) -> list[dict[str, int]]:
    """Return the event ROM: the events of each tick; one row that is not valid for none."""
    rows: list[dict[str, int]] = []
    for tick in flits:
        values = tick.tolist()
        rows += [{"flit": value, "valid": 1, "last": 0} for value in values]
        if not values:
            rows.append({"flit": 0, "valid": 0, "last": 0})
        rows[-1]["last"] = 1
    return rows


class SelfTest(wiring.Component):
    """Loads a chip, runs one sample and tells which output line spiked most.

    The class is the line with most spikes, the lowest of equals.

    Timing: runs once after reset; ``done`` then stays high.
    Reset: starts again from the beginning, and loads everything anew.

    Parameters
    ----------
    chip : wiring.Component
        With the ports of :class:`rtl_gen.chip.Chip`.
    params : ChipParams
        Of that chip: widths and number of output lines.
    sample : Sample

    Members
    -------
    winner : ``Out(range(n_outputs))``
    done, passed : ``Out(1)``
        Finished; finished and ``winner`` is the class expected.

    Raises
    ------
    SpikeletError
        If the program or the ticks are empty, or the class is not an output line.
    """

    def __init__(self, chip: wiring.Component, params: ChipParams, sample: Sample) -> None:
        if not len(sample.program) or not len(sample.flits):
            raise SpikeletError("self-test: program and ticks must not be empty")
        if not 0 <= sample.expected < params.n_outputs:
            raise SpikeletError(
                f"self-test: expected class must be in 0..{params.n_outputs - 1}, "
                f"not {sample.expected}"
            )
        self.chip = chip
        self.params = params
        self.sample = sample
        super().__init__(
            {"winner": Out(unsigned_bits(params.n_outputs - 1)), "done": Out(1), "passed": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.chip = self.chip
        run_program, programmed = self._load(m)
        send_events, sent, last_tick = self._send(m)
        scanning, scanned = self._count(m)
        with m.FSM():
            with m.State("LOAD"):
                m.d.comb += run_program.eq(1)
                with m.If(programmed & ~self.chip.busy):
                    m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += self.chip.clear.eq(1)
                m.next = "SETTLE"
            with m.State("SETTLE"):  # busy may rise one cycle after the strobe
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += send_events.eq(~self.chip.busy)
                with m.If(sent):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += self.chip.start.eq(1)
                m.next = "STARTED"
            with m.State("STARTED"):
                m.next = "RUN"
            with m.State("RUN"), m.If(~self.chip.busy):
                m.next = "SEND"
                with m.If(last_tick):
                    m.next = "SCAN"
            with m.State("SCAN"):
                m.d.comb += scanning.eq(1)
                with m.If(scanned):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [
                    self.done.eq(1),
                    self.passed.eq(self.winner == self.sample.expected),
                ]
        return m

    def _load(self, m: Module) -> tuple[Signal, Signal]:
        """Build the loader; return its enable and whether everything is loaded."""
        words = program_words(self.sample.program)
        m.submodules.program = rom = Memory(shape=32, depth=len(words), init=words)
        read = rom.read_port()
        request = self.chip.config_request
        run, loaded = Signal(name="run_program"), Signal()
        fetched, taken = Signal(name="word_fetched"), Signal(name="word_taken")
        pointer = Signal(range(len(words) + 1))
        address, left = Signal(32), Signal(range(len(self.sample.program) + 1))
        m.d.comb += [
            read.addr.eq(pointer),
            read.en.eq(1),
            request.p.address.eq(address),
            request.p.data.eq(read.data),
            request.p.write.eq(1),
        ]
        m.d.sync += [fetched.eq(~taken), pointer.eq(pointer + taken)]
        with m.FSM(name="load"):
            with m.State("ADDRESS"):
                m.d.comb += [
                    loaded.eq(pointer == len(words)),
                    taken.eq(run & fetched & ~loaded),
                ]
                m.d.sync += address.eq(read.data)
                with m.If(taken):
                    m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += taken.eq(fetched)
                m.d.sync += left.eq(read.data)
                with m.If(taken):
                    m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += [request.valid.eq(fetched), taken.eq(fetched & request.ready)]
                with m.If(taken):
                    m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "ADDRESS"
        return run, loaded

    def _send(self, m: Module) -> tuple[Signal, Value, Signal]:
        """Build the sender; return its enable, the end of a tick's events, and the last tick."""
        layout = _event_layout(flit_packet(self.params).width)
        rows = _event_rows(self.sample.flits)
        m.submodules.events = rom = Memory(shape=layout, depth=len(rows), init=rows)
        read = rom.read_port()
        run, fetched = Signal(name="send_events"), Signal()
        row = Signal(range(len(rows) + 1))
        event = self.chip.event_in
        m.d.comb += [
            read.addr.eq(row),
            read.en.eq(1),
            event.valid.eq(run & fetched & read.data.valid),
            Value.cast(event.payload).eq(read.data.flit),
        ]
        taken = run & fetched & (~read.data.valid | event.ready)
        m.d.sync += fetched.eq(~taken)
        with m.If(taken):
            m.d.sync += row.eq(row + 1)
        return run, taken & read.data.last, row == len(rows)

    def _count(self, m: Module) -> tuple[Signal, Signal]:
        """Build the spike counters and the search for the largest."""
        most = len(self.sample.flits) * self.sample.spikes_per_tick
        n_outputs = self.params.n_outputs
        counts = [Signal(range(most + 1), name=f"count_{line}") for line in range(n_outputs)]
        line = Value.cast(self.chip.event_out.payload)[: flit_packet(self.params).fields[0].width]
        scanning, scanned = Signal(), Signal()
        best = Signal.like(counts[0])
        index = Signal(range(n_outputs + 1))
        m.d.comb += [self.chip.event_out.ready.eq(1), scanned.eq(index == n_outputs)]
        with m.If(scanning & ~scanned):
            m.d.sync += index.eq(index + 1)
            m.d.sync += [count.eq(above) for count, above in pairwise(counts)]
            with m.If(counts[0] > best):
                m.d.sync += [best.eq(counts[0]), self.winner.eq(index)]
        with m.Elif(self.chip.event_out.valid):
            for number, count in enumerate(counts):
                with m.If(line == number):
                    m.d.sync += count.eq(count + 1)
        return scanning, scanned


class BoardTop(wiring.Component):
    """A self-test on a board: power-on reset, button and LEDs.

    The last LED lights when the class is the one expected, the one before it when it is another.
    The others show the class in binary, or as much of it as there are LEDs. The button starts
    again.

    Parameters
    ----------
    self_test : SelfTest
    board : Board

    Members
    -------
    clk, button : ``In(1)``
    led : ``Out(number of LEDs)``
        At the pins: with the board's polarity.
    """

    def __init__(self, self_test: SelfTest, board: Board) -> None:
        self.self_test = self_test
        self.board = board
        super().__init__({"clk": In(1), "button": In(1), "led": Out(len(board.leds))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.power_on = ClockDomain(reset_less=True, local=True)
        m.domains.sync = ClockDomain(local=True)
        m.d.comb += [ClockSignal("power_on").eq(self.clk), ClockSignal("sync").eq(self.clk)]

        cycles = int(_POWER_ON_S * self.board.clock_hz) + 1
        counter = Signal(range(cycles + 1))
        pressed = Signal(2)
        reset = Signal(init=1)
        with m.If(pressed[1]):
            m.d.power_on += counter.eq(0)
        with m.Elif(counter != cycles):
            m.d.power_on += counter.eq(counter + 1)
        m.d.power_on += [
            pressed.eq(Cat(self.button ^ self.board.pin("button").inverted, pressed)),
            reset.eq(counter != cycles),
        ]
        m.d.comb += ResetSignal("sync").eq(reset)

        m.submodules.self_test = test = self.self_test
        shown = Signal(len(self.led) - 2)
        lit = Cat(shown, test.done & ~test.passed, test.done & test.passed)
        m.d.comb += shown.eq(Mux(test.done, test.winner, 0))
        inverted = [pin.inverted for pin in self.board.leds]
        m.d.comb += self.led.eq(Cat(bit ^ inv for bit, inv in zip(lit, inverted, strict=True)))
        return m
