"""Traces of the neurons, group by group. Twin of ``golden/post_traces.py``."""

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region, post_fields
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.trace_update import decayed, raised

__all__ = ["PostTraces"]


class PostTraces(wiring.Component):
    """What the rule needs of the neurons: a group at a time for its visits, updated row by row.

    A word of the memory holds the traces, and the potentials if the rule uses them, of a group. The
    memory has two halves, used in turn: a tick reads from one and writes what the coming tick will
    find to the other.

    Timing: a row in every cycle; a group is written 4 cycles after its last row fired. Clearing
    takes ``2 * groups`` cycles, ``groups`` rounded up to a power of two.
    Reset: stops; does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the traces in the memory map.
    update_latency : int
        Cycles from a row's sums to its spikes.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    clear : ``In(1)``
        Set everything to 0.
    half : ``In(1)``
        Where the traces for the coming tick are.
    load : ``In(1)``, group : ``In(range(groups))``
        Read this group.
    take : ``In(1)``
        A cycle later or more: show it.
    neurons : ``Out(lanes * post_bits)``
        The group that was taken last.
    leave : ``In(1)``
        The rows of the group shown follow, one with each ``sums_valid``.
    sums_valid : ``In(1)``
    fired_valid : ``In(1)``
    fired : ``In(pipelines)``
    potentials : ``In(pipelines * potential_bits)``
        With ``fired``.
    busy : ``Out(1)``
    config : ``In(RegionPort(...))``
        While not ``busy``.
    """

    def __init__(self, core: CoreParams, region: Region, *, update_latency: int) -> None:
        assert core.learning is not None
        self.core = core
        self.traces = core.learning.post_traces
        self.fields = post_fields(core)
        self.update_latency = update_latency
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "half": In(1),
                "load": In(1),
                "group": In(range(core.groups)),
                "take": In(1),
                "neurons": Out(core.lanes * sum(self.fields.values())),
                "leave": In(1),
                "sums_valid": In(1),
                "fired_valid": In(1),
                "fired": In(core.pipelines),
                "potentials": In(core.pipelines * core.potential_bits),
                "busy": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, config = self.core, self.config
        neuron_bits = sum(self.fields.values())
        row_bits = core.pipelines * neuron_bits
        group_bits = core.lanes * neuron_bits
        banks = -(-group_bits // 32)
        bank_address_bits = (banks - 1).bit_length()
        group_address_bits = (core.groups - 1).bit_length()
        rows_in_group = core.lanes // core.pipelines
        m.submodules.memory = memory = BankedMemory(
            depth=2 << group_address_bits,
            banks=banks,
            bank_bits=min(32, group_bits),
            kind="block",
        )

        # Show a group to the rule; its rows leave one after the other.
        config_group = config.offset[bank_address_bits:][:group_address_bits]
        m.d.comb += [
            memory.read_row.eq(
                Mux(self.load, Cat(self.group, ~self.half), Cat(config_group, self.half))
            ),
            memory.read_enable.eq(self.load | config.read),
        ]
        leaving = Signal(group_bits)
        with m.If(self.take):
            m.d.sync += self.neurons.eq(memory.read_data)
        with m.If(self.leave):
            m.d.sync += leaving.eq(self.neurons)
        with m.Elif(self.sums_valid):
            m.d.sync += leaving.eq(leaving >> row_bits)
        row = delayed(m, leaving[:row_bits], self.update_latency, name="row")

        # Update the row whose neurons have just been updated.
        next_row = []
        for lane in range(core.pipelines):
            at = lane * neuron_bits
            spike = self.fired[lane]
            for name, trace in self.traces.items():
                up = raised(m, trace, row[at : at + trace.bits], spike, name=f"{name}_{lane}")
                next_row.append(decayed(m, trace, up, name=f"{name}_{lane}"))
                at += trace.bits
            if "v" in self.fields:
                v = self.potentials.word_select(lane, core.potential_bits)
                next_row.append(delayed(m, v, 2, name=f"v_{lane}"))
        updates = Signal(3)
        m.d.sync += updates.eq(Cat(self.fired_valid, updates))

        # Collect a group and write it.
        collected = Signal(group_bits)
        in_group = Signal(range(rows_in_group))
        group = Signal(range(core.groups))
        complete = Signal()
        last = in_group == rows_in_group - 1
        m.d.sync += complete.eq(updates[1] & last)
        with m.If(self.start):
            m.d.sync += [in_group.eq(0), group.eq(0)]
        with m.Else():
            with m.If(updates[1]):
                m.d.sync += [
                    collected.eq(Cat(collected, Cat(next_row))[row_bits:]),
                    in_group.eq(Mux(last, 0, in_group + 1)),
                ]
            with m.If(complete):
                m.d.sync += group.eq(group + 1)
        clear_row = Signal(range(memory.depth))
        clearing = Signal()
        with m.If(self.clear):
            m.d.sync += [clearing.eq(1), clear_row.eq(0)]
        with m.Elif(clearing):
            m.d.sync += [clear_row.eq(clear_row + 1), clearing.eq(~clear_row.all())]
        bank = config.offset[:bank_address_bits]
        m.d.comb += [
            memory.write_row.eq(
                Mux(clearing, clear_row, Cat(Mux(complete, group, config_group), self.half))
            ),
            memory.write_data.eq(
                Mux(clearing, 0, Mux(complete, collected, config.data.replicate(banks)))
            ),
            memory.write_banks.eq(Mux(clearing | complete, C(-1, banks), config.write << bank)),
            self.busy.eq(updates.any() | complete | clearing),
        ]
        at = delayed(m, bank, CONFIG_LATENCY - 1, name="bank")
        word = delayed(m, memory.read_data, CONFIG_LATENCY - 2, name="traces_word")
        m.d.sync += config.read_data.eq(word.word_select(at, len(config.data)))
        return m
