"""Sparse synapses: rows of entries, scattered over sums. Twin of ``golden/synapses/sparse.py``."""

from amaranth import Cat, Module, Mux, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.synapses.sparse import field_bits, row_bits, sums_memory
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, delayed
from spikelet.rtl_gen.sum_memory import SumMemory
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.ports import crossbar_members

__all__ = ["SparseCrossbar"]

_DRAIN = SynapseMemory.latency + 3
"""Cycles from ``leave`` until a group has left the memories of sums."""


class SparseCrossbar(wiring.Component):
    """Adds the entries of each active axon to the sums of the neurons that they name.

    Each lane has a memory of sums of its own, of a word a group: in a cycle, lanes add to different
    groups. Groups leave in ascending order, once the last entry of the tick has been read.

    Timing: a cycle for each entry of an active axon, and one for an axon without entries;
    ``lanes / pipelines`` cycles for each group afterwards. ``ready`` is low while an axon waits for
    entries of earlier ones. After a reset the groups leave once, unseen, which clears their sums;
    it is ``busy`` meanwhile.
    Reset: stops; the memories of sums are cleared, those of entries and rows are not.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    Those of :func:`~spikelet.rtl_gen.synapses.ports.crossbar_members`.

    No bench of its own: ``sim/bench_crossbar.py`` runs it.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.region = regions["weights"]
        super().__init__(crossbar_members(core, regions))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, bits = self.core, field_bits(self.core)
        m.submodules.weights = entries = SynapseMemory(core, self.region, bits=bits, writable=False)
        connect(m, flipped(self.weights), entries.config)
        reading, address, pending = self._walk(m)
        m.d.comb += [entries.read.eq(reading), entries.read_row.eq(address)]
        leave, group, running = self._leave(m, pending)

        # Lanes: an entry is in ``row_data`` as late as a group leaves that is named with it.
        latency = entries.latency
        add, left_group = (
            delayed(m, value, latency, name=name)
            for value, name in ((reading, "add"), (group, "left_group"))
        )
        leaving = delayed(m, leave, latency, name="leaving_group")
        lanes = []
        for lane in range(core.lanes):
            field = entries.row_data.word_select(lane, bits)
            m.submodules[f"sums_{lane}"] = memory = SumMemory(
                rows=core.groups,
                lanes=1,
                bits=core.current_bits,
                addend=Shape(core.weight_bits, core.weight_format == "signed"),
                kind=sums_memory(core),
            )
            weight = delayed(m, field[: core.weight_bits], 2, name=f"weight_{lane}")
            m.d.comb += [
                memory.row.eq(Mux(leaving, left_group, field[core.weight_bits :])),
                memory.add.eq(add),
                memory.leave.eq(leaving),
                memory.addends.eq(weight),
            ]
            lanes.append(memory)
        self._hand_over(m, leave, running, lanes)
        return m

    def _walk(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Look up each axon's row and name its entries, one a cycle.

        Return whether an entry is named, its number, and whether any is still to come.
        """
        core, port = self.core, self.axon_rows
        first_bits, _ = row_bits(core)
        m.submodules.rows = rows = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=sum(row_bits(core))
        )
        # An axon's row is read; then it is known; then its entries are named.
        reading, known, naming, last = Signal(), Signal(), Signal(), Signal()
        move, load, take = Signal(), Signal(), Signal()
        row = Signal(sum(row_bits(core)))
        first, count = row[:first_bits], row[first_bits:]
        entry, left = Signal(range(core.weight_rows)), Signal.like(count)
        m.d.comb += [
            load.eq(known & (~naming | last)),
            move.eq(reading & (~known | load)),
            self.ready.eq(~reading | move),
            take.eq(self.axon_valid & self.ready),
            rows.read_row.eq(Mux(port.read, port.offset, self.axon)),
            rows.read_enable.eq(port.read | take),
            rows.write_row.eq(port.offset),
            rows.write_data.eq(port.data),
            rows.write_banks.eq(port.write),
            port.read_data.eq(delayed(m, rows.read_data, CONFIG_LATENCY - 1, name="word")),
        ]
        m.d.sync += [reading.eq(take | (reading & ~move)), known.eq(move | (known & ~load))]
        with m.If(move):
            m.d.sync += row.eq(rows.read_data)
        with m.If(load):
            m.d.sync += [
                naming.eq(count != 0),
                last.eq(count == 1),
                entry.eq(first),
                left.eq(count),
            ]
        with m.Else():
            m.d.sync += [
                naming.eq(naming & ~last),
                last.eq(left == 2),
                entry.eq(entry + 1),
                left.eq(left - 1),
            ]
        pending = Signal()
        m.d.comb += pending.eq(self.scanning | reading | known | naming)
        return naming, entry, pending

    def _leave(self, m: Module, pending: Signal) -> tuple[Signal, Signal, Signal]:
        """Let groups leave in order; return whether one does, which, and whether any is to leave.

        After a reset all leave, which clears their sums.
        """
        core = self.core
        pause = core.lanes // core.pipelines - 1
        running, leave = Signal(init=1), Signal()
        group = Signal(range(core.groups))
        cooldown = Signal(range(pause + 1))
        ended = running & ~pending
        m.d.comb += leave.eq(ended & (cooldown == 0) & (~self.quiet if core.rests else 1))
        with m.If(self.start):
            m.d.sync += [running.eq(1), group.eq(0)]
        with m.Elif(leave):
            m.d.sync += [group.eq(group + 1), running.eq(group != core.groups - 1)]
        if core.rests:
            with m.Elif(ended & self.quiet):
                m.d.sync += running.eq(0)
        with m.If(leave):
            m.d.sync += cooldown.eq(pause)
        with m.Elif(cooldown != 0):
            m.d.sync += cooldown.eq(cooldown - 1)
        return leave, group, running

    def _hand_over(self, m: Module, leave: Signal, running: Signal, lanes: list[SumMemory]) -> None:
        """Let the sums of a group leave, ``pipelines`` in a cycle."""
        rows_in_group = self.core.lanes // self.core.pipelines
        sums = Cat(memory.sums for memory in lanes)
        leaving = Signal(len(sums))
        rows_left = Signal(range(rows_in_group + 1))
        cleared = Signal()  # what leaves are sums of a tick
        draining = Signal(_DRAIN)
        m.d.sync += [
            draining.eq(Cat(leave, draining)),
            cleared.eq(cleared | ~(running | draining.any())),
        ]
        with m.If(lanes[0].left & cleared):
            m.d.sync += [leaving.eq(sums), rows_left.eq(rows_in_group)]
        with m.Elif(self.sums_valid):
            m.d.sync += [leaving.eq(leaving >> len(self.sums)), rows_left.eq(rows_left - 1)]
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            self.sums.eq(leaving),
            self.busy.eq(running | draining.any() | ~cleared | self.sums_valid),
        ]
