"""Synapse crossbar: weight memory and lanes that accumulate. Twin of ``golden/crossbar.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.banked_memory import BankedMemory
from rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.description.memory_map import Region
from spikelet.description.params import CoreParams

__all__ = ["Crossbar"]


class Crossbar(wiring.Component):
    """Sums the weights of the active axons, one group of ``lanes`` neurons after the other.

    The first group is accumulated while the axons are still being found; they are noted in a list,
    from which the further groups are accumulated. While one group is accumulated, the sums of the
    group before leave, ``pipelines`` neurons a cycle, in ascending order.

    Timing: each group takes ``max(active axons + 1, lanes / pipelines)`` cycles; the first waits
    for the scan. A row of sums leaves in each cycle with ``sums_valid`` and cannot be held up.
    Reset: stops; does not clear the memories.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the weights in the memory map.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    axon_valid : ``In(1)``
    axon : ``In(range(n_axons))``
        Active axons of this tick, while ``scanning``.
    scanning : ``In(1)``
        High from the cycle after ``start`` until the last axon has come.
    sums_valid : ``Out(1)``
    sums : ``Out(pipelines * current_bits)``
    busy : ``Out(1)``
        Sums of this tick are still to come.
    config : ``In(RegionPort(...))``
        Access to the weights, while not ``busy``.
    """

    def __init__(self, core: CoreParams, region: Region) -> None:
        self.core = core
        offset_bits = (region.span - 1).bit_length()
        super().__init__(
            {
                "start": In(1),
                "axon_valid": In(1),
                "axon": In(range(core.n_axons)),
                "scanning": In(1),
                "sums_valid": Out(1),
                "sums": Out(core.pipelines * core.current_bits),
                "busy": Out(1),
                "config": In(RegionPort(offset_bits, region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        rows_in_group = core.lanes // core.pipelines

        # Sequencer: in each cycle an axon of the current group, or the group's end.
        m.submodules.axon_list = axon_list = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=max(1, (core.n_axons - 1).bit_length())
        )
        n_active = Signal(range(core.n_axons + 1))
        position = Signal(range(core.n_axons + 1))
        group = Signal(range(core.groups))
        group_base = Signal(range(core.weight_rows))
        cooldown = Signal(range(rows_in_group))
        from_list = Signal()
        group_end = Signal()
        running = Signal()
        first = Signal()
        m.d.comb += [
            first.eq(group == 0),
            from_list.eq(running & ~first & (position != n_active)),
            group_end.eq(running & Mux(first, ~self.scanning, ~from_list & (cooldown == 0))),
        ]
        with m.If(self.start):
            m.d.sync += [running.eq(1), n_active.eq(0), group.eq(0), group_base.eq(0)]
        with m.If(self.axon_valid):
            m.d.sync += n_active.eq(n_active + 1)
        with m.If(cooldown != 0):
            m.d.sync += cooldown.eq(cooldown - 1)
        with m.If(from_list):
            m.d.sync += position.eq(position + 1)
        with m.If(group_end):
            m.d.sync += [
                running.eq(group != core.groups - 1),
                group.eq(group + 1),
                group_base.eq(group_base + core.n_axons),
                position.eq(0),
                cooldown.eq(rows_in_group - 1),
            ]
        m.d.comb += [
            axon_list.write_row.eq(n_active),
            axon_list.write_data.eq(self.axon),
            axon_list.write_banks.eq(self.axon_valid),
            axon_list.read_row.eq(position),
            axon_list.read_enable.eq(from_list),
        ]

        # Weight memory: axon, address, row, registered row.
        listed = delayed(m, from_list, 1, name="listed")
        axon = Signal(range(core.n_axons))
        base = Signal.like(group_base)
        reading = Signal()
        m.d.sync += [
            axon.eq(Mux(listed, axon_list.read_data, self.axon)),
            base.eq(group_base),
            reading.eq(listed | self.axon_valid),
        ]
        weights = self._read_weights(m, reading, base + axon)
        accumulating = delayed(m, reading, 3, name="accumulating")
        endings = Signal(5)
        ending = endings[-1]
        m.d.sync += endings.eq(Cat(group_end, endings))

        # Lanes: sums of this group, and those of the group before on their way out.
        sums = [Signal(signed(core.current_bits), name=f"sum_{i}") for i in range(core.lanes)]
        leaving = Signal(core.lanes * core.current_bits)
        rows_left = Signal(range(rows_in_group + 1))
        for lane, total in enumerate(sums):
            with m.If(ending):
                m.d.sync += total.eq(0)
            with m.Elif(accumulating):
                m.d.sync += total.eq(total + self._weight(weights, lane))
        with m.If(ending):
            m.d.sync += [leaving.eq(Cat(sums)), rows_left.eq(rows_in_group)]
        with m.Elif(self.sums_valid):
            m.d.sync += [leaving.eq(leaving >> len(self.sums)), rows_left.eq(rows_left - 1)]
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            self.sums.eq(leaving),
            self.busy.eq(running | endings.any() | self.sums_valid),
        ]
        return m

    def _read_weights(self, m: Module, reading: Value, row: Value) -> Signal:
        """Return the registered weights of ``row``, three cycles after ``reading``.

        The configuration port uses the same address register, so that a row is either read or
        written: a single-port memory will do.
        """
        core, config = self.core, self.config
        banks = core.weight_banks
        bank_address_bits = (banks - 1).bit_length()
        m.submodules.weight_memory = memory = BankedMemory(
            depth=core.weight_rows,
            banks=banks,
            bank_bits=len(config.data),
            kind=core.weight_memory,
        )
        weight_row = Signal(range(core.weight_rows))
        enable = Signal()
        write_data = Signal(len(config.data))
        write_banks = Signal(banks)
        weights = Signal(len(memory.read_data))
        configured = config.read | config.write
        m.d.sync += [
            weight_row.eq(Mux(configured, config.offset[bank_address_bits:], row)),
            enable.eq(reading | config.read),
            write_data.eq(config.data),
            write_banks.eq(config.write << config.offset[:bank_address_bits]),
            weights.eq(memory.read_data),
        ]
        m.d.comb += [
            memory.read_row.eq(weight_row),
            memory.read_enable.eq(enable),
            memory.write_row.eq(weight_row),
            memory.write_data.eq(write_data.replicate(banks)),
            memory.write_banks.eq(write_banks),
        ]
        bank = delayed(m, config.offset[:bank_address_bits], CONFIG_LATENCY - 1, name="bank")
        m.d.sync += config.read_data.eq(weights.word_select(bank, len(config.data)))
        return weights

    def _weight(self, row: Signal, lane: int) -> Value:
        """Return the weight of a lane in a row of the weight memory."""
        bits = row.word_select(lane, self.core.weight_bits)
        if self.core.weight_format == "binary":
            return Cat(C(1, 1), bits).as_signed()
        return bits.as_signed() if self.core.weight_format == "signed" else bits
