"""Arrivals by delay slot, and the scan for active axons. Twin of ``golden/axon_bitmap.py``."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.chip.packets import COUNT, Packet
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed, flit_stream
from spikelet.rtl_gen.word_scan import WordScan

__all__ = ["AxonBitmap"]


class AxonBitmap(wiring.Component):
    """One bit for each axon and delay slot; a scan lists the active axons of a tick.

    A spike that is due at an axon and tick that already has one merges with it. Where axons take
    counts of spikes, each has as many bits as a count; what arrives is added, what is above the
    largest count merges, and an axon is listed as often as its count says. One for an axon or
    a delay that this core does not have, but the chip's largest does, is taken and dropped.

    Timing: an arrival a cycle, except that a second one to the same word waits until the first is
    written, unless the bitmap ``forwards``: a cycle, or two where there are counts, as those are
    added in a cycle of their own. All wait while a scan or a clear runs. See :class:`WordScan` for
    the scan, which waits while an axon is listed again.
    Reset: stops; does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the arrivals in the memory map.
    flit : Packet
        Layout of the chip's flits.
    forwards : bool
        Whether an arrival finds what is being written, where there are no counts; it takes cells.
        Then ``arrival.ready`` does not depend on the arrival.

    Members
    -------
    arrival : ``In(stream of flit)``
        Of which only ``axon``, ``delay`` and ``count`` are looked at.
    start : ``In(1)``
        The coming tick begins: its slot is scanned and emptied.
    clear : ``In(1)``
        Empty all slots.
    slot : ``In(range(delay_slots))``
        Of the coming tick.
    ready : ``In(1)``
        Low: the scan waits.
    axon_valid : ``Out(1)``
    axon : ``Out(range(n_axons))``
        An active axon, in ascending order; it has been taken where ``ready`` is high.
    again : ``Out(1)``
        The axon is the one listed before; where there are counts.
    count : ``Out(spike_bits)``
        How often it is listed in all; where there are counts.
    scanning : ``Out(1)``
        Further axons may follow.
    merged : ``Out(1)``, or as wide as a packet's count
        Strobe: an arrival has merged; of counts, how many spikes.
    dropped : ``Out(1)``
        Strobe: an arrival has been dropped.
    word_valid, word, word_data : ``Out``
        A word of this tick's slot, as the scan fetches it.
    busy : ``Out(1)``
        Something is going on, arrivals included.
    config : ``In(RegionPort(...))``
        Access to the words, while not ``busy``.
    """

    def __init__(
        self, core: CoreParams, region: Region, flit: Packet, *, forwards: bool = False
    ) -> None:
        self.core = core
        self.count_bits = flit.width - flit.without(COUNT).width  # 0: packets have no counts
        self.forwards = forwards and not self.count_bits
        members = {
            "arrival": In(flit_stream(flit)),
            "start": In(1),
            "clear": In(1),
            "slot": In(range(core.delay_slots)),
            "ready": In(1),
            "axon_valid": Out(1),
            "axon": Out(range(core.n_axons)),
            "scanning": Out(1),
            "merged": Out(max(1, self.count_bits)),
            "dropped": Out(1),
            "word_valid": Out(1),
            "word": Out((core.scan_words - 1).bit_length()),
            "word_data": Out(core.scan_bits * core.spike_bits),
            "busy": Out(1),
            "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
        }
        if core.spike_bits > 1:
            members |= {"again": Out(1), "count": Out(core.spike_bits)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        index_bits = (core.scan_bits - 1).bit_length()
        word_bits = (core.scan_words - 1).bit_length()
        row = data.StructLayout({"word": word_bits, "slot": range(core.delay_slots)})
        m.submodules.memory = memory = BankedMemory(
            depth=core.delay_slots << word_bits,
            banks=1,
            bank_bits=core.scan_bits * core.spike_bits,
        )

        current = Signal(range(core.delay_slots))
        clearing = Signal()
        occupied = Signal()
        m.submodules.scan = scan = WordScan(core)
        m.d.comb += occupied.eq(self.start | self.clear | scan.scanning | clearing)
        with m.If(self.start):
            m.d.sync += current.eq(self.slot)

        # Arrival: read the word, then write it back with the axon's bit set, or its count raised.
        # Counts are added a cycle later, to the word in a register: from the memory through a sum
        # and back would be the longest path of a core.
        arrival = self.arrival.p
        arrival_row = Signal(row)
        fits = Signal()
        setting = Signal()
        setting_row = Signal(row)
        setting_bit = Signal(core.scan_bits)
        stages = [(setting, setting_row)]
        word, bit = memory.read_data, setting_bit
        if core.spike_bits > 1:
            adding, adding_row = Signal(), Signal(row)
            m.d.sync += [adding.eq(setting), adding_row.eq(setting_row)]
            stages.append((adding, adding_row))
            word = delayed(m, word, 1, name="adding_word")
            bit = delayed(m, bit, 1, name="adding_bit")
        writing, writing_row = stages[-1]
        axon = Value.cast(arrival.axon)
        taken = self.arrival.valid & self.arrival.ready
        m.d.comb += [
            fits.eq(
                _at_most(axon, core.n_axons - 1) & _at_most(arrival.delay, core.delay_slots - 2)
            ),
            arrival_row.slot.eq(self.slot + arrival.delay),
            arrival_row.word.eq(axon[index_bits:]),
        ]
        ready = ~occupied & ~self.config.read
        if self.forwards:
            # What is written in this cycle was read before: it is kept for the next one.
            again, kept = Signal(), Signal(core.scan_bits)
            word = Mux(again, kept, word)
            m.d.sync += [again.eq(setting & (setting_row == arrival_row)), kept.eq(word | bit)]
        else:
            ready &= ~_any(valid & (at == arrival_row) for valid, at in stages)
        if self.count_bits:
            written = self._raised(m, word, writing, bit)
        else:
            written = word | bit
            m.d.comb += self.merged.eq(setting & (word & bit).any())
        m.d.comb += self.arrival.ready.eq(ready)
        m.d.sync += [
            setting.eq(taken & fits),
            self.dropped.eq(taken & ~fits),
            setting_row.eq(arrival_row),
            setting_bit.eq(1 << axon[:index_bits]),
        ]

        # Scan.
        config = self.config
        fetched_row = Signal(row)
        with m.If(scan.fetch):
            m.d.sync += [fetched_row.word.eq(scan.word), fetched_row.slot.eq(current)]
        m.d.comb += [
            scan.start.eq(self.start),
            scan.ready.eq(self._repeat(m, scan) if core.spike_bits > 1 else self.ready),
            scan.data.eq(memory.read_data),
            self.axon_valid.eq(scan.axon_valid),
            self.axon.eq(scan.axon),
            self.scanning.eq(scan.scanning),
        ]

        # Clear: every row in turn. A fetched word is emptied in the cycle after its fetch.
        clear_row = Signal(range(memory.depth))
        emptying = Signal()
        m.d.sync += emptying.eq(scan.fetch)
        with m.If(self.clear):
            m.d.sync += [clearing.eq(1), clear_row.eq(0)]
        with m.Elif(clearing):
            m.d.sync += [clear_row.eq(clear_row + 1), clearing.eq(clear_row != memory.depth - 1)]

        configured_row = Mux(clearing, clear_row, config.offset)
        m.d.comb += [
            memory.read_enable.eq(scan.fetch | self.arrival.ready | config.read),
            memory.read_row.eq(
                Mux(
                    scan.scanning,
                    Cat(scan.word, current),
                    Mux(config.read, configured_row, arrival_row),
                )
            ),
            memory.write_banks.eq(writing | emptying | clearing | config.write),
            memory.write_row.eq(
                Mux(emptying, fetched_row, Mux(writing, writing_row, configured_row))
            ),
            memory.write_data.eq(Mux(writing, written, Mux(config.write, config.data, 0))),
            config.read_data.eq(
                delayed(m, memory.read_data, CONFIG_LATENCY - 1, name="arrivals_word")
            ),
            self.word_valid.eq(emptying),
            self.word.eq(fetched_row.word),
            self.word_data.eq(memory.read_data),
            self.busy.eq(
                occupied | self.axon_valid | _any(valid for valid, _ in stages) | self.dropped
            ),
        ]
        return m

    def _raised(self, m: Module, word: Value, setting: Value, setting_bit: Value) -> Value:
        """Return a word with the count of an arrival added to that of its axon.

        What is above the largest count the axon takes has merged.
        """
        bits, count_bits = self.core.spike_bits, self.count_bits
        count = Signal(count_bits)
        m.d.sync += count.eq(self.arrival.p[COUNT])
        count = delayed(m, count, bits > 1, name="adding_count")
        held: Value = C(0, bits)
        for i, mark in enumerate(setting_bit):
            held = held | (word.word_select(i, bits) & mark.replicate(bits))
        total = Signal(max(bits, count_bits) + 1)
        kept = Signal(bits)
        excess = total > self.core.most_spikes
        m.d.comb += [
            total.eq(held + count),
            kept.eq(Mux(excess, self.core.most_spikes, total)),
            self.merged.eq(Mux(setting & excess, total - self.core.most_spikes, 0)),
        ]
        return Cat(Mux(mark, kept, word.word_select(i, bits)) for i, mark in enumerate(setting_bit))

    def _repeat(self, m: Module, scan: WordScan) -> Value:
        """List an axon as often as its count says; return whether the scan may go on."""
        listed = Signal(self.core.spike_bits)  # before now
        last, ending = Signal(), Signal()
        m.d.comb += [
            last.eq(Mux(self.again, ending, scan.once)),
            self.count.eq(scan.count),
        ]
        with m.If(self.ready & scan.axon_valid):
            m.d.sync += [
                self.again.eq(~last),
                listed.eq(Mux(last, 0, listed + 1)),
                ending.eq(listed + 2 == scan.count),
            ]
        return self.ready & last


def _any(values: Iterable[Value]) -> Value:
    """Return whether any of some bits is set."""
    return reduce(or_, values)


def _at_most(value: Value, largest: int) -> Value:
    """Return whether a value is at most ``largest``; always, if it can be no more."""
    return value <= largest if largest < (1 << len(value)) - 1 else C(1)
