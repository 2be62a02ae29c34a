"""The loops over synapses after a tick's spikes. No twin: part of ``golden/learning.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.banked_memory import BankedMemory
from rtl_gen.layouts import delayed
from rtl_gen.word_scan import WordScan
from spikelet.description.params import CoreParams

__all__ = ["VisitLoops"]


class VisitLoops(wiring.Component):
    """Names the synapses that the post phase and the sweep visit: groups outside, axons inside.

    The axons are listed once for each phase, while the first group is visited; further groups take
    them from the list.

    Timing: a visit a cycle, 5 more for each group, and the scan of the axons.
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
        The rule has something to do in this phase, the post phase where a neuron fired.
    ready : ``In(1)``
        Low: name no axon of the list now; ``scan_ready`` likewise for those that are being found.
    fired_valid : ``In(1)``, fired : ``In(pipelines)``
        A row of neurons, in ascending order.
    list_fetch : ``Out(1)``, list_word : ``Out(range(scan_words))``, list_data : ``In(scan_bits)``
        The axons concerned, word by word.
    post, sweep : ``Out(1)``
        The phase.
    show : ``Out(1)``, group : ``Out(range(groups))``
        A group will be visited: read its traces.
    taken : ``Out(1)``
        Its visits follow.
    group_fired : ``Out(lanes)``
        Its neurons that fired.
    visit : ``Out(1)``, axon : ``Out(range(n_axons))``, row : ``Out(range(weight_rows))``
    busy : ``Out(1)``
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
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
                "list_fetch": Out(1),
                "list_word": Out((core.scan_words - 1).bit_length()),
                "list_data": In(core.scan_bits),
                "post": Out(1),
                "sweep": Out(1),
                "show": Out(1),
                "group": Out(range(core.groups)),
                "taken": Out(1),
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
        n_read = Signal(range(core.groups + 1))
        group = Signal(range(core.groups))
        base = Signal(range(core.weight_rows))
        loop_base = Signal.like(base)
        next_fired = Signal(core.lanes)
        first = Signal()
        entry = fired_list.read_data
        entry_group = entry[core.lanes : core.lanes + len(group)]
        entry_base = entry[core.lanes + len(group) :]
        last = Mux(self.post, n_read == n_fired, group == core.groups - 1)
        axons_left = self._name_axons(m, first, loop_base)
        m.d.comb += [
            fired_list.read_row.eq(n_read),
            self.group.eq(Mux(self.post, entry_group, group)),
            self.busy.eq(1),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(self.start)
                with m.If(self.start):
                    m.next = "TICK"
            with m.State("TICK"), m.If(self.settled & ~noting):
                m.d.sync += [first.eq(1), n_read.eq(0), group.eq(0), base.eq(0)]
                with m.If(self.post_due & (n_fired != 0)):
                    m.d.sync += self.post.eq(1)
                    m.next = "GROUP"
                with m.Elif(self.sweep_due):
                    m.d.sync += self.sweep.eq(1)
                    m.next = "GROUP"
                with m.Else():
                    m.next = "IDLE"
            with m.State("GROUP"):
                m.d.comb += fired_list.read_enable.eq(1)
                m.next = "SHOW"
            with m.State("SHOW"):
                m.d.comb += self.show.eq(1)
                m.d.sync += [
                    loop_base.eq(Mux(self.post, entry_base, base)),
                    next_fired.eq(entry[: core.lanes]),
                    n_read.eq(n_read + 1),
                ]
                m.next = "TAKE"
            with m.State("TAKE"):
                m.d.comb += self.taken.eq(1)
                m.d.sync += self.group_fired.eq(next_fired)
                m.next = "VISIT"
            with m.State("VISIT"), m.If(~axons_left):
                m.d.sync += [first.eq(0), group.eq(group + 1), base.eq(base + core.n_axons)]
                m.next = "GROUP"
                with m.If(last):
                    m.next = "DRAIN"
            with m.State("DRAIN"), m.If(self.drained):
                m.d.sync += [first.eq(1), n_read.eq(0), group.eq(0), base.eq(0)]
                m.d.sync += [self.post.eq(0), self.sweep.eq(self.post & self.sweep_due)]
                m.next = "IDLE"
                with m.If(self.post & self.sweep_due):
                    m.next = "GROUP"
        return m

    def _note_fired(self, m: Module) -> tuple[BankedMemory, Signal, Value]:
        """Note each group in which a neuron fired, and who; return list, length, busy."""
        core = self.core
        rows_in_group = core.lanes // core.pipelines
        group = Signal(range(core.groups))
        base = Signal(range(core.weight_rows))
        collected = Signal(core.lanes)
        in_group = Signal(range(rows_in_group))
        complete = Signal()
        length = Signal(range(core.groups + 1))
        last = in_group == rows_in_group - 1
        m.submodules.fired_list = fired_list = BankedMemory(
            depth=core.groups, banks=1, bank_bits=core.lanes + len(group) + len(base), kind="block"
        )
        push = complete & collected.any()
        m.d.sync += complete.eq(self.fired_valid & last)
        with m.If(self.start):
            m.d.sync += [group.eq(0), base.eq(0), in_group.eq(0), length.eq(0)]
        with m.Else():
            with m.If(self.fired_valid):
                m.d.sync += [
                    collected.eq(Cat(collected, self.fired)[core.pipelines :]),
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

    def _name_axons(self, m: Module, first: Signal, base: Signal) -> Value:
        """Name the axons of a group, one a cycle; return whether there are more."""
        core = self.core
        m.submodules.scan = scan = WordScan(core)
        m.submodules.axon_list = axon_list = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=max(1, (core.n_axons - 1).bit_length())
        )
        length = Signal(range(core.n_axons + 1))
        position = Signal(range(core.n_axons + 1))
        from_scan = scan.axon_valid & self.scan_ready
        from_list = Signal()
        listing = Signal()
        with m.If(self.taken):
            m.d.sync += [position.eq(0), listing.eq(~first)]
            with m.If(first):
                m.d.sync += length.eq(0)
        with m.Else():
            m.d.sync += [position.eq(position + from_list), length.eq(length + from_scan)]
        with m.If(position == length):
            m.d.comb += from_list.eq(0)
        with m.Else():
            m.d.comb += from_list.eq(listing & self.ready)
        listed = delayed(m, from_list, 1, name="listed")
        axon = Mux(listed, axon_list.read_data, scan.axon)
        m.d.sync += [
            self.visit.eq(listed | from_scan),
            self.axon.eq(axon),
            self.row.eq(base + axon),
        ]
        m.d.comb += [
            scan.start.eq(self.taken & first),
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
        return Mux(first, scan.scanning, (position != length) | listed)
