"""The self-test: a chip runs stored samples, and everything it answers is compared with golden.

Compared are the spikes of every output line, exactly, and by a CRC-32 every word that the
configuration port reads after the last tick: in a chip that learns, all that it has learned.
"""

from typing import NamedTuple

from amaranth.hdl import C, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.flash_image import program_words
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.self_test_image import (
    CHECKSUM_BITS,
    StoredRun,
    checksum_words,
    count_bits,
    image_words,
    reward_addresses,
    rom_rows,
    step_layout,
    step_rows,
    time_limit,
)

__all__ = ["SelfTest"]


class SelfTest(wiring.Component):
    """Loads a chip, runs samples, and compares what the chip did with what golden did.

    It loads; for each sample it clears, and for each tick sets the reward, if it changes, sends the
    events and starts it. Then it compares the spikes of every output line in all samples, reads
    back every word that the run names and compares their CRC-32. All that is loaded and compared
    is in ROMs: runs of as many events through one chip differ in these, and in their time limit,
    only. The class is the line with most
    spikes, the lowest of equals. A spike on a line that there is not, or outside a tick, is wrong
    whatever the counts. Counters stay at their largest value, which is never the right one.

    Timing: runs once after reset; ``done`` then stays high. It comes after at most
    :attr:`cycle_limit` clock cycles whatever the chip does, also if it does not answer at all;
    ``passed`` is low then.
    Reset: starts again from the beginning, and loads everything anew.

    Parameters
    ----------
    chip : wiring.Component
        With the ports of :class:`spikelet.rtl_gen.chip.Chip`.
    params : ChipParams
        Of that chip: widths, output lines, and where rewards go.
    run : StoredRun
    cycle_limit : int or None
        As for :func:`time_limit`.

    Members
    -------
    winner : ``Out(range(n_outputs))``
        The class that the chip found; 0 if time ran out before.
    done, passed : ``Out(1)``
        Finished, or out of time; finished in time, and all is as golden says.

    Attributes
    ----------
    memories : tuple of ImageMemory
        Beside the chip's.
    cycle_limit : int
        A power of two.

    Raises
    ------
    SpikeletError
        If the run is silent, learns nothing though learning is on, or cannot be of this chip; if
        the time limit is no power of two of at least twice the clock cycles that are predicted.
    """

    def __init__(
        self,
        chip: wiring.Component,
        params: ChipParams,
        run: StoredRun,
        cycle_limit: int | None = None,
    ) -> None:
        run.check(params)
        self.chip = chip
        self.params = params
        self.run = run
        self._loaded = len(program_words(run.program))
        self._words = image_words(run)
        self._rows = step_rows(params, run)
        self.cycle_limit = time_limit(params, run, cycle_limit)
        super().__init__(
            {"winner": Out(unsigned_bits(params.n_outputs - 1)), "done": Out(1), "passed": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.chip = self.chip
        rom = self._rom(m)
        comparing, reading, checking = (
            Signal(name=name) for name in ("comparing", "reading", "checking")
        )
        walking, walked, agrees = self._walk(m, rom, reading, checking)
        compared, wrong = self._count(m, rom, comparing)
        send_events, sent, sample_ends, run_ends = self._send(m)
        elapsed, finished = Signal(range(self.cycle_limit + 1)), Signal()
        out_of_time = elapsed[-1]
        with m.FSM():
            with m.State("LOAD"):
                m.d.comb += walking.eq(1)
                with m.If(walked & ~self.chip.busy):
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
                with m.If(run_ends):
                    m.next = "COMPARE"
                with m.Elif(sample_ends):
                    m.next = "CLEAR"
            with m.State("COMPARE"):
                m.d.comb += comparing.eq(1)
                with m.If(compared):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += [walking.eq(1), reading.eq(1)]
                with m.If(walked):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += checking.eq(1)
                with m.If(rom.pointer == len(self._words)):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += finished.eq(1)
        m.d.sync += elapsed.eq(elapsed + ~self.done)
        m.d.comb += [
            self.done.eq(finished | out_of_time),
            self.passed.eq(finished & ~out_of_time & ~wrong & agrees),
        ]
        return m

    def _rom(self, m: Module) -> "_Rom":
        """Build the ROM of what is loaded, expected and read back, which is gone through once.

        It is in block RAM however small it is, so that a bitstream can be patched.
        """
        words, block = rom_rows(self._words), {"ram_style": "block"}
        memory = Memory(shape=32, depth=len(words), init=words, attrs=block)
        m.submodules.program = memory
        read = memory.read_port()
        pointer = Signal(range(len(self._words) + 1))
        fetched, taken = Signal(name="word_fetched"), Signal(name="word_taken")
        m.d.comb += [read.addr.eq(pointer), read.en.eq(1)]
        m.d.sync += [fetched.eq(~taken), pointer.eq(pointer + taken)]
        return _Rom(read.data, fetched, taken, pointer)

    def _walk(
        self, m: Module, rom: "_Rom", reading: Signal, checking: Signal
    ) -> tuple[Signal, Signal, Signal]:
        """Build what writes, or reads back, runs of words; then checks the checksum in the ROM.

        Behind its own checksum, that of whatever was read is one and the same number.
        Returns its enable, whether it is at the end, and whether the checksum agrees.
        """
        request, response = self.chip.config_request, self.chip.config_response
        longest = max(len(self.run.program), len(self.run.words))
        walking, walked, advance = Signal(), Signal(), Signal()
        address, left = Signal(32), Signal(range(longest + 1))
        word, folds = Signal(32), Signal(range(32 // CHECKSUM_BITS))
        m.submodules.crc = crc = CRC32_ISO_HDLC(CHECKSUM_BITS).create()
        m.d.comb += [
            request.p.address.eq(address),
            request.p.data.eq(rom.word),
            request.p.write.eq(~reading),
            crc.data.eq(Mux(checking, rom.word, word)),
        ]
        with m.If(checking):
            m.d.comb += [crc.valid.eq(rom.fetched), rom.taken.eq(rom.fetched)]
        read = len(self._words) - len(checksum_words(0))
        end = Mux(reading, read, self._loaded)
        with m.FSM(name="walk"):
            with m.State("ADDRESS"):
                m.d.comb += walked.eq(walking & (rom.pointer == end))
                m.d.sync += address.eq(rom.word)
                with m.If(walking & rom.fetched & ~walked):
                    m.d.comb += rom.taken.eq(1)
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.sync += left.eq(rom.word)
                with m.If(rom.fetched):
                    m.d.comb += rom.taken.eq(1)
                    m.next = "WRITE"
                    with m.If(reading):
                        m.next = "READ"
            with m.State("WRITE"):
                m.d.comb += request.valid.eq(rom.fetched)
                with m.If(rom.fetched & request.ready):
                    m.d.comb += [rom.taken.eq(1), advance.eq(1)]
                    with m.If(left == 1):
                        m.next = "ADDRESS"
            with m.State("READ"):
                m.d.comb += request.valid.eq(1)
                with m.If(request.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += word.eq(response.payload)
                with m.If(response.valid):
                    m.next = "FOLD"
            with m.State("FOLD"):
                m.d.comb += crc.valid.eq(1)
                m.d.sync += [word.eq(word >> CHECKSUM_BITS), folds.eq(folds + 1)]
                with m.If(folds == 32 // CHECKSUM_BITS - 1):
                    m.d.comb += advance.eq(1)
                    m.next = "READ"
                    with m.If(left == 1):
                        m.next = "ADDRESS"
        with m.If(advance):
            m.d.sync += [address.eq(address + 1), left.eq(left - 1)]
        return walking, walked, crc.match_detected

    def _send(self, m: Module) -> tuple[Signal, Value, Value, Value]:
        """Build the sender of events and rewards.

        Returns its enable, and the ends of what a tick is given, of a sample, and of all samples.
        """
        layout = step_layout(self.params, self.run)
        rows = rom_rows(self._rows, {})
        m.submodules.events = rom = Memory(shape=layout, depth=len(rows), init=rows)
        read = rom.read_port()
        sending, fetched = Signal(name="send_events"), Signal()
        row = Signal(range(len(self._rows) + 1))
        event = self.chip.event_in
        m.d.comb += [
            read.addr.eq(row),
            read.en.eq(1),
            event.valid.eq(sending & fetched & read.data.valid),
            Value.cast(event.payload).eq(read.data.payload),
        ]
        done: Value = ~read.data.valid | event.ready
        if any(not step["valid"] and not step["last"] for step in self._rows):
            rewarding = ~read.data.valid & ~read.data.last
            rewarded = self._reward(m, sending & fetched & rewarding, read.data.payload)
            done = Mux(rewarding, rewarded, done)
        taken = sending & fetched & done
        m.d.sync += fetched.eq(~taken)
        with m.If(taken):
            m.d.sync += row.eq(row + 1)
        sent = taken & read.data.last
        return sending, sent, self._sample_ends(m, sent), row == len(self._rows)

    def _reward(self, m: Module, writing: Value, reward: Value) -> Value:
        """Build what writes a reward to all cores that take it; return whether the last has it."""
        addresses = reward_addresses(self.params)
        request, core = self.chip.config_request, Signal(range(len(addresses)))
        with m.If(writing):
            m.d.comb += [request.valid.eq(1), request.p.write.eq(1), request.p.data.eq(reward)]
            with m.Switch(core):
                for number, address in enumerate(addresses):
                    with m.Case(number):
                        m.d.comb += request.p.address.eq(address)
            with m.If(request.ready):
                m.d.sync += core.eq(Mux(core == len(addresses) - 1, 0, core + 1))
        return request.ready & (core == len(addresses) - 1)

    def _sample_ends(self, m: Module, sent: Value) -> Value:
        """Build the count of a sample's ticks; return whether the one that was sent is the last."""
        events = self.run.events
        if events.samples == 1:
            return C(0)
        tick = Signal(range(events.ticks + 1))
        with m.If(self.chip.clear):
            m.d.sync += tick.eq(0)
        with m.Elif(sent):
            m.d.sync += tick.eq(tick + 1)
        return tick == events.ticks

    def _count(self, m: Module, rom: "_Rom", comparing: Signal) -> tuple[Signal, Signal]:
        """Build the spike counters and what compares them; return whether it has, and an error.

        The counters are a memory, so that an event takes two cycles; the chip waits.
        """
        event, n_outputs = self.chip.event_out, self.params.n_outputs
        width = count_bits(self.params, self.run)
        m.submodules.counts = memory = Memory(
            shape=width,
            depth=n_outputs,
            init=[],
            attrs={"no_rw_check": 1, "ram_style": "block"},
        )
        read, write = memory.read_port(), memory.write_port()
        mask, shift = output_bits(self.params)
        line = Value.cast(event.payload)[: mask.bit_length()]
        counted, index = Signal.like(line), Signal(range(n_outputs))
        added: Value = ~read.data.all()  # so that it stays at its last value
        if shift:
            count = Signal(len(Value.cast(event.payload)) - shift)
            m.d.sync += count.eq(Value.cast(event.payload)[shift:])
            room = ~read.data
            added = Mux(count > room, room, count)
        settled, compared, wrong = Signal(), Signal(), Signal()
        best = Signal(width)
        m.d.comb += [
            read.addr.eq(Mux(comparing, index, line)),
            write.addr.eq(counted),
            write.data.eq(read.data + added),
        ]
        with m.FSM(name="count"):
            with m.State("CLEAR"):
                m.d.comb += [write.addr.eq(index), write.data.eq(0), write.en.eq(1)]
                m.d.sync += index.eq(index + 1)
                with m.If(index == n_outputs - 1):
                    m.d.sync += index.eq(0)
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += [counted.eq(line), settled.eq(comparing)]
                with m.If(comparing):
                    m.d.comb += read.en.eq(1)
                    with m.If(settled & rom.fetched & ~compared):
                        m.d.comb += rom.taken.eq(1)
                        m.d.sync += index.eq(index + 1)
                        with m.If(read.data != rom.word):
                            m.d.sync += wrong.eq(1)
                        with m.If(read.data > best):
                            m.d.sync += [best.eq(read.data), self.winner.eq(index)]
                        with m.If(index == n_outputs - 1):
                            m.d.sync += compared.eq(1)
                with m.Elif(event.valid & (line < n_outputs)):
                    m.d.comb += [event.ready.eq(1), read.en.eq(1)]
                    m.next = "ADD"
                with m.Else():
                    m.d.comb += event.ready.eq(1)
            with m.State("ADD"):
                m.d.comb += write.en.eq(1)
                m.next = "WAIT"
        with m.If(event.valid & ((line >= n_outputs) | ~self.chip.busy)):
            m.d.sync += wrong.eq(1)
        return compared, wrong


class _Rom(NamedTuple):
    """A ROM that is read word by word; ``taken`` goes on to the next, only while ``fetched``."""

    word: Value
    fetched: Signal
    taken: Signal
    pointer: Signal
