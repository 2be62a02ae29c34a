"""Dense synapses: weight memory and lanes that accumulate. Twin of ``golden/synapses/dense.py``."""

from typing import Any

from amaranth import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.short_term import AMPLITUDE_BITS
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.ports import crossbar_members

__all__ = ["DenseCrossbar"]


class DenseCrossbar(wiring.Component):
    """Sums the weights of the active axons, one group of ``lanes`` neurons after the other.

    The first group is accumulated while the axons are still being found; they are noted in a list,
    from which the further groups are accumulated; an axon that comes several times is listed once,
    with its count, and read as often. While one group is accumulated, the sums of the
    group before leave, ``pipelines`` neurons a cycle, in ascending order.

    Nothing is summed in a tick that is ``quiet``.

    Timing: each group takes ``max(active axons + 1, lanes / pipelines)`` cycles, each axon counted
    as often as it comes; the first waits for the scan. A row of sums leaves in each cycle with
    ``sums_valid`` and cannot be held up.
    Reset: stops; does not clear the memories.

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
        core = self.core
        rows_in_group = core.lanes // core.pipelines

        # Sequencer: in each cycle an axon of the current group, or the group's end.
        graded = core.spike_bits > 1
        axon_bits = len(self.axon)
        m.submodules.axon_list = axon_list = BankedMemory(
            depth=core.n_axons,
            banks=1,
            bank_bits=axon_bits + core.spike_bits if graded else max(1, axon_bits),
        )
        n_active = Signal(range(core.n_axons + 1))
        position = Signal(range(core.n_axons + 1))
        group = Signal(range(core.groups))
        cooldown = Signal(range(rows_in_group))
        list_left = Signal()
        from_list = Signal()
        group_end = Signal()
        running = Signal()
        first = Signal()
        repeats = Signal()  # the axon that has come from the list comes once more
        count = Signal(core.spike_bits)  # how often it comes in all
        list_ended = ~list_left & ~repeats if graded else ~list_left
        noted = self.axon_valid & ~self.again if graded else self.axon_valid
        scanned = ~(self.scanning | self.quiet) if core.rests else ~self.scanning
        waits = self.learning.hold if core.learning else repeats
        m.d.comb += [
            first.eq(group == 0),
            list_left.eq(running & ~first & (position != n_active)),
            from_list.eq(list_left & ~waits if graded or core.learning else list_left),
            group_end.eq(running & Mux(first, scanned, list_ended & (cooldown == 0))),
        ]
        with m.If(self.start):
            m.d.sync += [running.eq(1), n_active.eq(0), group.eq(0)]
        with m.If(noted):
            m.d.sync += n_active.eq(n_active + 1)
        with m.If(cooldown != 0):
            m.d.sync += cooldown.eq(cooldown - 1)
        with m.If(from_list):
            m.d.sync += position.eq(position + 1)
        with m.If(group_end):
            m.d.sync += [
                running.eq(group != core.groups - 1),
                group.eq(group + 1),
                position.eq(0),
                cooldown.eq(rows_in_group - 1),
            ]
        if core.rests:
            with m.Elif(running & self.quiet & ~self.scanning):
                m.d.sync += running.eq(0)
        noting, row, entry = noted, n_active, self.axon
        if graded:
            counted = axon_list.read_data[axon_bits:]
            noting, row, entry, first_count = self._note(m, noted, n_active, group_end & first)
            with m.If(from_list):
                m.d.sync += count.eq(Mux(position == 0, first_count, counted))
        m.d.comb += [
            axon_list.write_row.eq(row),
            axon_list.write_data.eq(entry),
            axon_list.write_banks.eq(noting),
            axon_list.read_row.eq(position),
            axon_list.read_enable.eq(from_list),
        ]

        # Weights: an axon is named, found in the list; its row is addressed, read, registered.
        # What the list holds comes late in the cycle: it is registered first, then chosen.
        listed = self._listed(m, from_list, repeats, count)
        from_scan, in_list, axon = (
            Signal(range(core.n_axons), name=name) for name in ("from_scan", "in_list", "axon")
        )
        reading = Signal()
        m.d.sync += [
            from_scan.eq(self.axon),
            in_list.eq(axon_list.read_data),
            reading.eq(listed | self.axon_valid),
        ]
        m.d.comb += axon.eq(Mux(delayed(m, listed, 1, name="chosen"), in_list, from_scan))
        memory = self._memory(m, axon, group)
        m.d.comb += [
            memory.read.eq(reading),
            memory.read_row.eq(self._row(m, group, group_end, axon)),
        ]
        accumulating = delayed(m, reading, memory.latency, name="accumulating")
        endings = Signal(memory.latency + 2)
        ending = endings[-1]
        m.d.sync += endings.eq(Cat(group_end, endings))

        # Lanes: sums of this group, and those of the group before on their way out.
        passing = accumulating
        if core.transmission:
            passing = accumulating & self.passed
            m.d.comb += [self.row_read.eq(reading), self.group_ended.eq(group_end)]
        adding = {"sum": (self.sums, passing)}
        if core.teacher_axons:
            taught = axon >= core.n_axons - core.teacher_axons
            teaching = delayed(m, reading & taught, memory.latency, name="teaching")
            adding = {
                "sum": (self.sums, passing & ~teaching),
                "teacher_sum": (
                    self.teacher_sums,
                    teaching & self.passed if core.transmission else teaching,
                ),
            }
        rows_left = Signal(range(rows_in_group + 1))
        ways = []
        for name, (out, rows) in adding.items():
            sums = self._accumulate(m, memory.row_data, rows, ending, out, name)
            leaving = Signal(
                core.lanes * len(out) // core.pipelines,
                name="leaving" if name == "sum" else f"{name}_leaving",
            )
            ways.append((sums, leaving, out))
        with m.If(ending):
            m.d.sync += [leaving.eq(Cat(sums)) for sums, leaving, _ in ways]
            m.d.sync += rows_left.eq(rows_in_group)
        with m.Elif(self.sums_valid):
            if rows_in_group > 1:
                m.d.sync += [leaving.eq(leaving >> len(out)) for _, leaving, out in ways]
            m.d.sync += rows_left.eq(rows_left - 1)
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            *(out.eq(leaving) for _, leaving, out in ways),
            self.busy.eq(running | endings.any() | self.sums_valid),
        ]
        if core.short_term or core.transmission:
            m.d.comb += self.scaled_axon.eq(axon)
        if core.learning:
            m.d.comb += [
                self.learning.accumulating.eq(reading),
                self.learning.axon.eq(axon),
                self.learning.group_end.eq(group_end),
                self.learning.next_group.eq(group + 1),
                self.learning.group_done.eq(ending),
            ]
            self._let_learn(m, memory)
        return m

    def _row(self, m: Module, group: Signal, group_end: Signal, axon: Signal) -> Value:
        """Return the row of an axon's weights, ``group`` being its group a cycle before.

        Where an axon's number fills its bits, the group's stands above them, and nothing is added.
        """
        core = self.core
        if core.n_axons == 1 << len(axon):
            return Cat(axon, delayed(m, group, 1, name="base"))
        group_base = Signal(range(core.weight_rows))
        with m.If(self.start):
            m.d.sync += group_base.eq(0)
        with m.If(group_end):
            m.d.sync += group_base.eq(group_base + core.n_axons)
        return delayed(m, group_base, 1, name="base") + axon

    def _accumulate(
        self, m: Module, row: Signal, adding: Value, ending: Value, out: Signal, name: str
    ) -> list[Signal]:
        """Build and return the lanes' sums over the rows that come with ``adding``.

        With short-term plasticity they have a fraction, and begin with a half, to be rounded.
        """
        fraction = AMPLITUDE_BITS if self.core.short_term else 0
        half = 1 << fraction >> 1
        shape = signed(len(out) // self.core.pipelines + fraction)
        sums = [Signal(shape, name=f"{name}_{i}", init=half) for i in range(self.core.lanes)]
        for lane, total in enumerate(sums):
            with m.If(ending):
                m.d.sync += total.eq(half)
            with m.Elif(adding):
                m.d.sync += total.eq(total + self._weight(row, lane))
        return [total[fraction:] for total in sums] if fraction else sums

    def _memory(self, m: Module, axon: Value, group: Value) -> Any:
        """Build the memory whose rows are weights.

        ``axon`` is that of the row that is read, ``group`` its group a cycle before.
        """
        core = self.core
        m.submodules.weights = memory = SynapseMemory(
            core, self.region, bits=core.weight_bits, writable=core.learning is not None
        )
        connect(m, flipped(self.weights), memory.config)
        return memory

    def _note(
        self, m: Module, noted: Value, n_active: Signal, end: Value
    ) -> tuple[Value, Signal, Value, Signal]:
        """Return when to write an entry of the list, where, and what; and the first axon's count.

        An axon is written when the next one comes, or the scan ends, with the count of that one:
        so what says whether the list goes on is in a register when it is needed. From the memory
        it would come too late in the cycle.
        """
        axon = Signal.like(self.axon)
        row = Signal(range(self.core.n_axons))
        first_count = Signal.like(self.count)
        with m.If(noted):
            m.d.sync += [axon.eq(self.axon), row.eq(n_active)]
        with m.If(noted & (n_active == 0)):
            m.d.sync += first_count.eq(self.count)
        return noted | end, row, Cat(axon, self.count), first_count

    def _listed(self, m: Module, from_list: Signal, repeats: Signal, count: Signal) -> Value:
        """Return whether an axon has come from the list; say whether it will once more."""
        if self.core.spike_bits == 1:
            return delayed(m, from_list, 1, name="listed")
        listed = Signal()
        read = Signal(self.core.spike_bits)  # how often, before now
        m.d.comb += repeats.eq(listed & (read + 1 != count))
        m.d.sync += [listed.eq(from_list | repeats), read.eq(Mux(repeats, read + 1, 0))]
        return listed

    def _let_learn(self, m: Module, memory: SynapseMemory) -> None:
        """Read the rows that are visited, and write what comes back."""
        learning = self.learning
        m.d.comb += [
            learning.read.eq(memory.read),
            learning.read_row.eq(memory.read_row),
            learning.weights.eq(memory.row_data),
            memory.write.eq(learning.write),
            memory.write_row.eq(learning.write_row),
            memory.write_data.eq(learning.write_weights),
        ]
        with m.If(learning.visit):
            m.d.comb += [memory.read.eq(1), memory.read_row.eq(learning.visit_row)]

    def _weight(self, row: Signal, lane: int) -> Value:
        """Return the weight of a lane in a row of the weight memory, times its amplitude."""
        weight = self._stored_weight(row, lane)
        return weight * self.amplitude if self.core.short_term else weight

    def _stored_weight(self, row: Signal, lane: int) -> Value:
        bits = row.word_select(lane, self.core.weight_bits)
        if self.core.weight_format == "binary":
            return Cat(C(1, 1), bits).as_signed()
        return bits.as_signed() if self.core.weight_format == "signed" else bits
