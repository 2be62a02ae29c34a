"""From fired neurons to flits, through the destination table. Twin of ``golden/emission.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.chip.packets import COUNT, Packet
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed, flit_stream, layout

__all__ = ["DestinationLists", "Emission", "FiredNeurons"]


class FiredNeurons(wiring.Component):
    """Queue of the neurons that fired in a tick, which it holds whole; neurons leave ascending.

    Where neurons can spike several times in a tick, each has a count instead of a bit.

    No bench of its own: ``sim/bench_emission.py`` fills it through :class:`Emission`.

    Timing: a neuron a cycle; the first three cycles after its row.
    Reset: empties the queue.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    start : ``In(1)``
        A tick begins; not while ``busy``.
    row_valid : ``In(1)``
    row : ``In(pipelines * fired_bits)``
        A row of neurons, a bit or count for each; rows come in ascending order from row 0.
    neuron : ``Out(stream of range(n_neurons))``
    count : ``Out(fired_bits)``
        Of the neuron, where there are counts.
    busy : ``Out(1)``
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        members = {
            "start": In(1),
            "row_valid": In(1),
            "row": In(core.pipelines * core.fired_bits),
            "neuron": Out(stream.Signature(range(core.n_neurons))),
            "busy": Out(1),
        }
        if core.fired_bits > 1:
            members["count"] = Out(core.fired_bits)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        # Only rows in which a neuron fired are kept.
        m.submodules.queue = queue = BankedMemory(
            depth=core.rows,
            banks=1,
            bank_bits=len(self.row) + max(1, (core.rows - 1).bit_length()),
        )
        number = Signal(range(core.rows))
        written = Signal(range(core.rows + 1))
        read = Signal(range(core.rows + 1))
        push = self.row_valid & self.row.any()
        with m.If(self.start):
            m.d.sync += [number.eq(0), written.eq(0), read.eq(0)]
        with m.Elif(self.row_valid):
            m.d.sync += [number.eq(number + 1), written.eq(written + push)]

        # Head of the queue, and the row whose neurons leave.
        take = Signal()
        head_valid = Signal()
        fetch = Signal()
        fired = Signal(core.pipelines)
        fired_row = Signal(range(core.rows))
        remaining = Signal(core.pipelines)
        m.d.comb += [
            fetch.eq((read != written) & (~head_valid | take)),
            queue.write_row.eq(written),
            queue.write_data.eq(Cat(self.row, number)),
            queue.write_banks.eq(push),
            queue.read_row.eq(read),
            queue.read_enable.eq(fetch),
            self.neuron.valid.eq(fired.any()),
            self.neuron.payload.eq(Cat(_lowest(fired), fired_row)),
            remaining.eq(Mux(self.neuron.ready, fired & (fired - 1), fired)),
            take.eq(remaining == 0),
            self.busy.eq((read != written) | head_valid | self.neuron.valid),
        ]
        m.d.sync += head_valid.eq(fetch | (head_valid & ~take))
        with m.If(fetch):
            m.d.sync += read.eq(read + 1)
        bits = core.fired_bits
        head, head_row = queue.read_data[: len(self.row)], queue.read_data[len(self.row) :]
        with m.If(take & head_valid):
            if bits == 1:
                m.d.sync += Cat(fired, fired_row).eq(queue.read_data)
            else:
                marks = Cat(head.word_select(i, bits).any() for i in range(core.pipelines))
                m.d.sync += Cat(fired, fired_row).eq(Cat(marks, head_row))
        with m.Else():
            m.d.sync += fired.eq(remaining)
        if bits > 1:
            counts = Signal.like(self.row)
            with m.If(take & head_valid):
                m.d.sync += counts.eq(head)
            m.d.comb += self.count.eq(counts.word_select(_lowest(fired), bits))
        return m


class DestinationLists(wiring.Component):
    """Says which word of the destination table comes next: the next neuron's, or one of a list.

    That a word begins a list, or ends one, shows two cycles after it has been looked up, when the
    word behind it has been as well. That one is dropped. If it was a neuron's, it is looked up once
    more after the list.

    No bench of its own: ``sim/bench_emission.py`` sees its lists through :class:`Emission`.

    Timing: the first word of a list is looked up in the cycle in which ``entry`` begins it, a
    neuron's word in the cycle in which ``entry`` ends it.
    Reset: ends a list.

    Parameters
    ----------
    words : int
        Of the table, 2 or more.
    destination : data.StructLayout
        Of its words.
    count_bits : int
        Of how often a neuron has spiked; 1: nothing is built for it.

    Members
    -------
    advance : ``In(1)``
        All words move on: from the look-up to the table's output, from there to ``entry``.
    neuron : ``In(stream of range(words))``
    row : ``Out(range(words))``
    row_valid : ``Out(1)``
        The word to be looked up.
    neuron_count : ``In(count_bits)``, count : ``Out(count_bits)``, entry_count : ``In(count_bits)``
        Of ``neuron``, of the neuron whose word is looked up, and of that of ``entry``.
    looked_up : ``In(1)``
        The table's output is the word looked up before.
    entry_valid : ``In(1)``
    entry : ``In(destination)``
        The word before that.
    drop : ``Out(1)``
        The table's output is not to become ``entry``.
    """

    def __init__(self, words: int, destination: data.StructLayout, count_bits: int = 1) -> None:
        members = {
            "advance": In(1),
            "neuron": In(stream.Signature(range(words))),
            "row": Out(range(words)),
            "row_valid": Out(1),
            "looked_up": In(1),
            "entry_valid": In(1),
            "entry": In(destination),
            "drop": Out(1),
        }
        self.count_bits = count_bits
        if count_bits > 1:
            members |= {"neuron_count": In(count_bits), "entry_count": In(count_bits)}
            members["count"] = Out(count_bits)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entry = self.entry
        row_bits = len(self.row)
        listing = Signal()
        next_row = Signal.like(self.row)
        again = Signal()
        again_row = Signal.like(self.row)
        begins = Signal()
        ends = Signal()
        in_list = Signal()
        list_row = Mux(listing, next_row, Value.cast(entry)[:row_bits])
        m.d.comb += [
            begins.eq(self.entry_valid & ~listing & ~entry.valid & ~entry.list_ends),
            ends.eq(self.entry_valid & listing & (entry.list_ends | ~entry.valid)),
            in_list.eq(begins | (listing & ~ends)),
            self.drop.eq(begins | ends),
            self.row_valid.eq(in_list | again | self.neuron.valid),
            self.neuron.ready.eq(self.advance & ~in_list & ~again),
        ]
        # The neuron's number comes late.
        with m.If(in_list):
            m.d.comb += self.row.eq(list_row)
        with m.Elif(again):
            m.d.comb += self.row.eq(again_row)
        with m.Else():
            m.d.comb += self.row.eq(self.neuron.payload)
        with m.If(self.advance):
            m.d.sync += [
                listing.eq(in_list),
                next_row.eq(list_row + 1),
                again.eq(Mux(begins, self.looked_up, again & in_list)),
            ]
        with m.If(self.neuron.ready):
            m.d.sync += again_row.eq(self.neuron.payload)
        if self.count_bits > 1:
            again_count, next_count = (Signal(self.count_bits, name=n) for n in ("again", "next"))
            list_count = Mux(listing, next_count, self.entry_count)
            with m.If(self.advance):
                m.d.sync += next_count.eq(list_count)
            with m.If(self.neuron.ready):
                m.d.sync += again_count.eq(self.neuron_count)
            single = Mux(again, again_count, self.neuron_count)
            m.d.comb += self.count.eq(Mux(in_list, list_count, single))
        return m


class Emission(wiring.Component):
    """Sends one flit to each destination of each fired neuron, neurons in ascending order.

    Rows of neurons wait in a queue that holds a whole tick, so the neurons are never held up.
    Whatever the table holds, ``busy`` ends: a list does with a word that is not valid, so at the
    latest, once around the table, with the word that began it.

    Timing: while the receiver is ready, a cycle for a neuron with one destination or none, and
    ``n + 3`` for one with a list of ``n``, whose flits go out one a cycle from the third on. The
    first neuron's cycle is the fifth after its row.
    Reset: empties the queue; does not clear the table.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the destination table.
    flit, destination : Packet
        Their layouts.

    Members
    -------
    start : ``In(1)``
        A tick begins; not while ``busy``.
    fired_valid : ``In(1)``
    fired : ``In(pipelines * fired_bits)``
        A row of neurons; rows come in ascending order from row 0.
    flit : ``Out(stream of flit)``
    busy : ``Out(1)``
    config : ``In(RegionPort(...))``
        Access to the table, while not ``busy``.
    """

    def __init__(
        self, core: CoreParams, region: Region, *, flit: Packet, destination: Packet
    ) -> None:
        self.core = core
        self.words = region.words
        self.destination = layout(destination)
        super().__init__(
            {
                "start": In(1),
                "fired_valid": In(1),
                "fired": In(core.pipelines * core.fired_bits),
                "flit": Out(flit_stream(flit)),
                "busy": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.neurons = neurons = FiredNeurons(self.core)
        m.submodules.table = table = BankedMemory(
            depth=self.words, banks=1, bank_bits=self.destination.size
        )
        row = Signal(range(self.words))
        row_valid = Signal()
        looked_up = Signal()
        drop = Signal()
        entry_valid = Signal()
        entry = Signal(self.destination)
        advance = Signal()
        m.d.comb += [
            neurons.start.eq(self.start),
            neurons.row_valid.eq(self.fired_valid),
            neurons.row.eq(self.fired),
            self.flit.valid.eq(entry_valid & entry.valid),
            *[
                self.flit.p[name].eq(entry[name])
                for name in self.flit.p.shape().members
                if name != COUNT
            ],
            advance.eq(~self.flit.valid | self.flit.ready),
            self.busy.eq(neurons.busy | looked_up | entry_valid),
        ]
        bits = self.core.fired_bits
        if self.core.list_entries:
            m.submodules.lists = lists = DestinationLists(self.words, self.destination, bits)
            m.d.comb += [
                lists.neuron.valid.eq(neurons.neuron.valid),
                lists.neuron.payload.eq(neurons.neuron.payload),
                neurons.neuron.ready.eq(lists.neuron.ready),
                lists.advance.eq(advance),
                lists.looked_up.eq(looked_up),
                lists.entry_valid.eq(entry_valid),
                lists.entry.eq(entry),
                row.eq(lists.row),
                row_valid.eq(lists.row_valid),
                drop.eq(lists.drop),
            ]
        else:
            m.d.comb += [
                neurons.neuron.ready.eq(advance),
                row.eq(neurons.neuron.payload),
                row_valid.eq(neurons.neuron.valid),
            ]
        with m.If(advance):
            m.d.sync += [
                looked_up.eq(row_valid),
                entry_valid.eq(looked_up & ~drop),
                entry.eq(table.read_data),
            ]
        if COUNT in self.flit.p.shape().members:
            self._count(m, advance, neurons, lists if self.core.list_entries else None)

        config = self.config
        m.d.comb += [
            table.read_row.eq(Mux(config.read, config.offset, row)),
            table.read_enable.eq(advance | config.read),
            table.write_row.eq(config.offset),
            table.write_data.eq(config.data),
            table.write_banks.eq(config.write),
            config.read_data.eq(delayed(m, table.read_data, CONFIG_LATENCY - 1, name="table_word")),
        ]
        return m

    def _count(
        self, m: Module, advance: Signal, neurons: FiredNeurons, lists: DestinationLists | None
    ) -> None:
        """Let a neuron's count follow the look-up of its words; one that can spike once sends 1."""
        bits = self.core.fired_bits
        if bits == 1:
            m.d.comb += self.flit.p[COUNT].eq(1)
            return
        looked_up, entry = Signal(bits, name="looked_up_count"), Signal(bits, name="entry_count")
        m.d.comb += self.flit.p[COUNT].eq(entry)
        if lists is not None:
            m.d.comb += [lists.neuron_count.eq(neurons.count), lists.entry_count.eq(entry)]
        with m.If(advance):
            m.d.sync += [
                looked_up.eq(neurons.count if lists is None else lists.count),
                entry.eq(looked_up),
            ]


def _lowest(bits: Value) -> Value:
    """Return the number of the lowest bit that is set."""
    index_bits = (len(bits) - 1).bit_length()
    index: Value = C(0, index_bits)
    for number in reversed(range(len(bits))):
        index = Mux(bits[number], number, index)
    return index[:index_bits]
