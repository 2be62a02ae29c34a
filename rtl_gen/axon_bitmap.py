"""Arrivals by delay slot, and the scan for active axons. Twin of ``golden/axon_bitmap.py``."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.banked_memory import BankedMemory
from spikelet.description.params import CoreParams

__all__ = ["AxonBitmap", "arrival_layout"]


def arrival_layout(core: CoreParams) -> data.StructLayout:
    """Return an arrival: the axon, and how many ticks after the coming one it is due."""
    return data.StructLayout(
        {"axon": range(core.n_axons), "delay": range(core.delay_slots)},
    )


class AxonBitmap(wiring.Component):
    """One bit for each axon and delay slot; a scan lists the active axons of a tick.

    A spike that is due at an axon and tick that already has one merges with it.

    Timing: an arrival a cycle, except that a second one to the same word waits a cycle, and all
    wait while a scan or a clear runs. A scan takes ``max(1, active axons)`` cycles a word, and 2
    to 4 more.
    Reset: stops; does not clear the memory.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    arrival : ``In(stream.Signature(arrival_layout(core)))``
    start : ``In(1)``
        The coming tick begins: its slot is scanned and emptied.
    clear : ``In(1)``
        Empty all slots.
    axon_valid : ``Out(1)``
    axon : ``Out(range(n_axons))``
        An active axon, in ascending order.
    scanning : ``Out(1)``
        Further axons may follow.
    merged : ``Out(1)``
        Strobe: an arrival has merged.
    busy : ``Out(1)``
        Something is going on, arrivals included.
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        super().__init__(
            {
                "arrival": In(stream.Signature(arrival_layout(core))),
                "start": In(1),
                "clear": In(1),
                "axon_valid": Out(1),
                "axon": Out(range(core.n_axons)),
                "scanning": Out(1),
                "merged": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        index_bits = (core.scan_bits - 1).bit_length()
        word_bits = (core.scan_words - 1).bit_length()
        row = data.StructLayout({"word": word_bits, "slot": range(core.delay_slots)})
        m.submodules.memory = memory = BankedMemory(
            depth=core.delay_slots << word_bits, banks=1, bank_bits=core.scan_bits
        )

        coming = Signal(range(core.delay_slots))
        current = Signal(range(core.delay_slots))
        clearing = Signal()
        occupied = Signal()
        m.d.comb += occupied.eq(self.start | self.clear | self.scanning | clearing)
        with m.If(self.start):
            m.d.sync += [current.eq(coming), coming.eq(coming + 1)]

        # Arrival: read the word, then write it back with the axon's bit set.
        arrival = self.arrival.p
        arrival_row = Signal(row)
        setting = Signal()
        setting_row = Signal(row)
        setting_bit = Signal(core.scan_bits)
        axon = Value.cast(arrival.axon)
        m.d.comb += [
            arrival_row.slot.eq(coming + arrival.delay),
            arrival_row.word.eq(axon[index_bits:]),
            self.arrival.ready.eq(~occupied & ~(setting & (setting_row == arrival_row))),
            self.merged.eq(setting & (memory.read_data & setting_bit).any()),
        ]
        m.d.sync += [
            setting.eq(self.arrival.valid & self.arrival.ready),
            setting_row.eq(arrival_row),
            setting_bit.eq(1 << axon[:index_bits]),
        ]

        # Scan: fetch a word ahead of the one whose bits are being listed.
        word = Signal(range(core.scan_words + 1))
        fetch = Signal()
        fetched = Signal()
        fetched_row = Signal(row)
        take = Signal()
        remaining = Signal(core.scan_bits)
        without_lowest = Signal(core.scan_bits)
        lowest = Signal(core.scan_bits)
        listed_word = Signal(word_bits)
        lowest_word = Signal(word_bits)
        m.d.comb += [
            without_lowest.eq(remaining & (remaining - 1)),
            take.eq(without_lowest == 0),
            fetch.eq(self.scanning & (word != core.scan_words) & (~fetched | take)),
        ]
        with m.If(self.start):
            m.d.sync += [word.eq(0), self.scanning.eq(1)]
        with m.Elif(fetch):
            m.d.sync += [word.eq(word + 1), fetched_row.word.eq(word), fetched_row.slot.eq(current)]
        m.d.sync += [
            fetched.eq(fetch | (fetched & ~take)),
            remaining.eq(Mux(take, Mux(fetched, memory.read_data, 0), without_lowest)),
            lowest.eq(remaining & ~without_lowest),
            lowest_word.eq(listed_word),
            self.axon_valid.eq(lowest.any()),
            self.axon.eq(Cat(_index(lowest, index_bits), lowest_word)),
        ]
        with m.If(take):
            m.d.sync += listed_word.eq(fetched_row.word)
        more = (word != core.scan_words) | fetched | remaining.any() | lowest.any()
        with m.If(self.scanning & ~more):
            m.d.sync += self.scanning.eq(0)

        # Clear: every row in turn. A fetched word is emptied in the cycle after its fetch.
        clear_row = Signal(range(memory.depth))
        emptying = Signal()
        m.d.sync += emptying.eq(fetch)
        with m.If(self.clear):
            m.d.sync += [clearing.eq(1), clear_row.eq(0)]
        with m.Elif(clearing):
            m.d.sync += [clear_row.eq(clear_row + 1), clearing.eq(clear_row != memory.depth - 1)]

        m.d.comb += [
            memory.read_enable.eq(fetch | self.arrival.ready),
            memory.read_row.eq(Mux(self.scanning, Cat(word[:word_bits], current), arrival_row)),
            memory.write_banks.eq(setting | emptying | clearing),
            memory.write_row.eq(Mux(clearing, clear_row, Mux(emptying, fetched_row, setting_row))),
            memory.write_data.eq(Mux(setting, memory.read_data | setting_bit, 0)),
            self.busy.eq(occupied | self.axon_valid | setting),
        ]
        return m


def _index(one_hot: Value, bits: int) -> Value:
    """Return the number of the only bit that is set."""
    return Cat(
        Cat(one_hot[i] for i in range(len(one_hot)) if i >> bit & 1).any() for bit in range(bits)
    )
