"""Arrivals by delay slot, and the scan for active axons. Twin of ``golden/axon_bitmap.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.chip.packets import Packet
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed, flit_stream
from spikelet.rtl_gen.word_scan import WordScan

__all__ = ["AxonBitmap"]


class AxonBitmap(wiring.Component):
    """One bit for each axon and delay slot; a scan lists the active axons of a tick.

    A spike that is due at an axon and tick that already has one merges with it. One for an axon or
    a delay that this core does not have, but the chip's largest does, is taken and dropped.

    Timing: an arrival a cycle, except that a second one to the same word waits a cycle, and all
    wait while a scan or a clear runs. See :class:`WordScan` for the scan.
    Reset: stops; does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the arrivals in the memory map.
    flit : Packet
        Layout of the chip's flits.

    Members
    -------
    arrival : ``In(stream of flit)``
        Of which only ``axon`` and ``delay`` are looked at.
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
    scanning : ``Out(1)``
        Further axons may follow.
    merged : ``Out(1)``
        Strobe: an arrival has merged.
    dropped : ``Out(1)``
        Strobe: an arrival has been dropped.
    word_valid, word, word_data : ``Out``
        A word of this tick's slot, as the scan fetches it.
    busy : ``Out(1)``
        Something is going on, arrivals included.
    config : ``In(RegionPort(...))``
        Access to the words, while not ``busy``.
    """

    def __init__(self, core: CoreParams, region: Region, flit: Packet) -> None:
        self.core = core
        super().__init__(
            {
                "arrival": In(flit_stream(flit)),
                "start": In(1),
                "clear": In(1),
                "slot": In(range(core.delay_slots)),
                "ready": In(1),
                "axon_valid": Out(1),
                "axon": Out(range(core.n_axons)),
                "scanning": Out(1),
                "merged": Out(1),
                "dropped": Out(1),
                "word_valid": Out(1),
                "word": Out((core.scan_words - 1).bit_length()),
                "word_data": Out(core.scan_bits),
                "busy": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
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

        current = Signal(range(core.delay_slots))
        clearing = Signal()
        occupied = Signal()
        m.submodules.scan = scan = WordScan(core)
        m.d.comb += occupied.eq(self.start | self.clear | scan.scanning | clearing)
        with m.If(self.start):
            m.d.sync += current.eq(self.slot)

        # Arrival: read the word, then write it back with the axon's bit set.
        arrival = self.arrival.p
        arrival_row = Signal(row)
        fits = Signal()
        setting = Signal()
        setting_row = Signal(row)
        setting_bit = Signal(core.scan_bits)
        axon = Value.cast(arrival.axon)
        taken = self.arrival.valid & self.arrival.ready
        m.d.comb += [
            fits.eq(
                _at_most(axon, core.n_axons - 1) & _at_most(arrival.delay, core.delay_slots - 2)
            ),
            arrival_row.slot.eq(self.slot + arrival.delay),
            arrival_row.word.eq(axon[index_bits:]),
            self.arrival.ready.eq(
                ~occupied & ~self.config.read & ~(setting & (setting_row == arrival_row))
            ),
            self.merged.eq(setting & (memory.read_data & setting_bit).any()),
        ]
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
            scan.ready.eq(self.ready),
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
            memory.write_banks.eq(setting | emptying | clearing | config.write),
            memory.write_row.eq(
                Mux(emptying, fetched_row, Mux(setting, setting_row, configured_row))
            ),
            memory.write_data.eq(
                Mux(setting, memory.read_data | setting_bit, Mux(config.write, config.data, 0))
            ),
            config.read_data.eq(
                delayed(m, memory.read_data, CONFIG_LATENCY - 1, name="arrivals_word")
            ),
            self.word_valid.eq(emptying),
            self.word.eq(fetched_row.word),
            self.word_data.eq(memory.read_data),
            self.busy.eq(occupied | self.axon_valid | setting | self.dropped),
        ]
        return m


def _at_most(value: Value, largest: int) -> Value:
    """Return whether a value is at most ``largest``; always, if it can be no more."""
    return value <= largest if largest < (1 << len(value)) - 1 else C(1)
