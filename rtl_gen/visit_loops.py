"""The loops over synapses after a tick's spikes. No twin: part of ``golden/learning.py``."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.teacher import error_bits
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed
from spikelet.rtl_gen.word_scan import WordScan

__all__ = ["VisitLoops"]


class VisitLoops(wiring.Component):
    """Names the synapses that the post phase and the sweep visit: groups outside, axons inside.

    The axons are listed once for each phase, while the first group is visited; further groups take
    them from the list.

    No bench of its own: ``sim/bench_learning.py`` sees every visit in the weights and the cycles.

    Timing: a visit a cycle, one more for each group, and the scan of the axons in each phase.
    Reset: stops.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    start : ``In(1)``
        A tick begins.
    settled : ``In(1)``
        Neurons and traces of the tick are done, and no visit is under way.
    drained : ``In(1)``
        No visit is under way.
    post_due, sweep_due : ``In(1)``
        The rule has something to do in this phase, the post phase where a neuron fired, or has an
        error.
    ready : ``In(1)``
        Low: name no axon of the list now; ``scan_ready`` likewise for those that are being found.
    fired_valid : ``In(1)``, fired : ``In(pipelines)``
        A row of neurons, in ascending order.
    errors : ``In(pipelines * error_bits)``
        With them, where the rule reads errors.
    list_fetch : ``Out(1)``, list_word : ``Out(range(scan_words))``, list_data : ``In(scan_bits)``
        The axons concerned, word by word.
    post, sweep : ``Out(1)``
        The phase.
    group_begins : ``Out(1)``, group : ``Out(range(groups))``
        The axons named from the next cycle on belong to this group.
    group_fired : ``Out(lanes)``
        Its neurons that fired, :attr:`neurons_lag` cycles after ``group_begins``.
    group_errors : ``Out(lanes * error_bits)``
        And their errors, with ``group_fired``.
    visit : ``Out(1)``, axon : ``Out(range(n_axons))``, row : ``Out(range(weight_rows))``
    busy : ``Out(1)``
    """

    neurons_lag = 5

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        assert core.learning is not None
        self.rule = core.learning
        self.error_bits = bits = error_bits(core.learning)
        members = {"errors": In(core.pipelines * bits), "group_errors": Out(core.lanes * bits)}
        super().__init__(
            {
                "start": In(1),
                "settled": In(1),
                "drained": In(1),
                "post_due": In(1),
                "sweep_due": In(1),
                "ready": In(1),
                "scan_ready": In(1),
                "fired_valid": In(1),
                "fired": In(core.pipelines),
                **(members if bits else {}),
                "list_fetch": Out(1),
                "list_word": Out((core.scan_words - 1).bit_length()),
                "list_data": In(core.scan_bits),
                "post": Out(1),
                "sweep": Out(1),
                "group_begins": Out(1),
                "group": Out(range(core.groups)),
                "group_fired": Out(core.lanes),
                "visit": Out(1),
                "axon": Out(range(core.n_axons)),
                "row": Out(range(core.weight_rows)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        fired_list, n_fired, noting = self._note_fired(m)
        n_begun = Signal(range(core.groups + 1))
        entry = fired_list.read_data
        entry_ready = Signal()
        base = Signal(range(core.weight_rows))
        neuron_bits = 1 + self.error_bits
        begun_fired = Signal(core.lanes * neuron_bits)
        entry_fired = entry[: core.lanes * neuron_bits]
        entry_group = entry[len(entry_fired) : len(entry_fired) + len(self.group)]
        entry_base = entry[len(entry_fired) + len(self.group) :]
        m.d.comb += [
            fired_list.read_row.eq(n_begun),
            fired_list.read_enable.eq(~noting),
            self.group.eq(Mux(self.post, entry_group, n_begun)),
        ]
        m.d.sync += entry_ready.eq(~noting & ~self.group_begins)
        with m.If(self.group_begins):
            m.d.sync += [
                n_begun.eq(n_begun + 1),
                begun_fired.eq(entry_fired),
                base.eq(Mux(self.post, entry_base, Mux(n_begun == 0, 0, base + core.n_axons))),
            ]
        group_fired = delayed(m, begun_fired, self.neurons_lag - 1, name="begun_fired")
        neurons = [group_fired.word_select(lane, neuron_bits) for lane in range(core.lanes)]
        m.d.comb += self.group_fired.eq(Cat(neuron[0] for neuron in neurons))
        if self.error_bits:
            m.d.comb += self.group_errors.eq(Cat(neuron[1:] for neuron in neurons))

        all_named = self._name_axons(m, n_begun, base)
        n_groups = Mux(self.post, n_fired, core.groups)
        begun = Signal()
        m.d.comb += self.busy.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(self.start)
                m.d.sync += n_begun.eq(0)
                with m.If(self.start):
                    m.next = "TICK"
            with m.State("TICK"), m.If(self.settled & ~noting & entry_ready):
                m.next = "IDLE"
                with m.If(self.post_due & (n_fired != 0)):
                    m.d.sync += self.post.eq(1)
                    m.next = "VISIT"
                with m.Elif(self.sweep_due):
                    m.d.sync += self.sweep.eq(1)
                    m.next = "VISIT"
            with m.State("VISIT"), m.If((all_named | ~begun) & entry_ready):
                m.d.sync += begun.eq(1)
                m.d.comb += self.group_begins.eq(n_begun != n_groups)
                with m.If(n_begun == n_groups):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += [begun.eq(0), n_begun.eq(0)]
                with m.If(self.drained):
                    m.d.sync += [self.post.eq(0), self.sweep.eq(self.post & self.sweep_due)]
                    m.next = "IDLE"
                    with m.If(self.post & self.sweep_due):
                        m.next = "VISIT"
        return m

    def _note_fired(self, m: Module) -> tuple[BankedMemory, Signal, Value]:
        """Note each group in which a neuron fired, and who; return list, length, busy."""
        core = self.core
        rows_in_group = core.lanes // core.pipelines
        group = Signal(range(core.groups))
        base = Signal(range(core.weight_rows))
        neuron_bits = 1 + self.error_bits
        collected = Signal(core.lanes * neuron_bits)
        in_group = Signal(range(rows_in_group))
        complete = Signal()
        length = Signal(range(core.groups + 1))
        last = in_group == rows_in_group - 1
        m.submodules.fired_list = fired_list = BankedMemory(
            depth=core.groups,
            banks=1,
            bank_bits=len(collected) + len(group) + len(base),
            kind="block",
        )
        row: Value = self.fired
        marked: Value = collected
        if self.error_bits:
            row = Cat(
                Cat(self.fired[lane], self.errors.word_select(lane, self.error_bits))
                for lane in range(core.pipelines)
            )
            if not self.rule.visits_errors:
                marked = Cat(collected[lane * neuron_bits] for lane in range(core.lanes))
        push = complete & marked.any()
        m.d.sync += complete.eq(self.fired_valid & last)
        with m.If(self.start):
            m.d.sync += [group.eq(0), base.eq(0), in_group.eq(0), length.eq(0)]
        with m.Else():
            with m.If(self.fired_valid):
                m.d.sync += [
                    collected.eq(Cat(collected, row)[len(row) :]),
                    in_group.eq(Mux(last, 0, in_group + 1)),
                ]
            with m.If(complete):
                m.d.sync += [
                    group.eq(group + 1),
                    base.eq(base + core.n_axons),
                    length.eq(length + push),
                ]
        m.d.comb += [
            fired_list.write_row.eq(length),
            fired_list.write_data.eq(Cat(collected, group, base)),
            fired_list.write_banks.eq(push),
        ]
        return fired_list, length, complete

    def _name_axons(self, m: Module, n_begun: Signal, base: Signal) -> Value:
        """Name the axons of a group, one a cycle; return whether all have been named."""
        core = self.core
        m.submodules.scan = scan = WordScan(core)
        m.submodules.axon_list = axon_list = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=max(1, (core.n_axons - 1).bit_length())
        )
        length = Signal(range(core.n_axons + 1))
        position = Signal(range(core.n_axons + 1))
        first = n_begun == 0
        from_scan = scan.axon_valid & self.scan_ready
        from_list = Signal()
        with m.If(self.group_begins):
            m.d.sync += [position.eq(0), length.eq(Mux(first, 0, length))]
        with m.Else():
            m.d.sync += [position.eq(position + from_list), length.eq(length + from_scan)]
        m.d.comb += from_list.eq(n_begun[1:].any() & (position != length) & self.ready)
        listed = delayed(m, from_list, 1, name="listed")
        axon = Signal(range(core.n_axons))
        m.d.comb += axon.eq(Mux(listed, axon_list.read_data, scan.axon))
        m.d.sync += [
            self.visit.eq(listed | from_scan),
            self.axon.eq(axon),
            self.row.eq(base + axon),
        ]
        m.d.comb += [
            scan.start.eq(self.group_begins & first),
            scan.ready.eq(self.scan_ready),
            scan.data.eq(self.list_data),
            self.list_fetch.eq(scan.fetch),
            self.list_word.eq(scan.word),
            axon_list.write_row.eq(length),
            axon_list.write_data.eq(scan.axon),
            axon_list.write_banks.eq(from_scan),
            axon_list.read_row.eq(position),
            axon_list.read_enable.eq(from_list),
        ]
        return Mux(n_begun == 1, ~scan.scanning, position == length)
