"""From fired neurons to flits, through the destination table. Twin of ``golden/emission.py``."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl_gen.banked_memory import BankedMemory
from rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed, flit_stream, layout
from spikelet.description.memory_map import Region
from spikelet.description.packets import Packet
from spikelet.description.params import CoreParams

__all__ = ["Emission"]


class Emission(wiring.Component):
    """Sends one flit to each destination of each fired neuron, neurons in ascending order.

    Rows of neurons wait in a queue that holds a whole tick, so the neurons are never held up.

    Timing: a destination a cycle while the receiver is ready, and where ``fan_out`` is above 1 an
    idle cycle after each neuron; the first flit five cycles after its row.
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
    fired : ``In(pipelines)``
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
        self.destination = layout(destination)
        super().__init__(
            {
                "start": In(1),
                "fired_valid": In(1),
                "fired": In(core.pipelines),
                "flit": Out(flit_stream(flit)),
                "busy": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        lane_bits = (core.pipelines - 1).bit_length()

        # Queue of the rows in which a neuron fired.
        m.submodules.queue = queue = BankedMemory(
            depth=core.rows,
            banks=1,
            bank_bits=core.pipelines + max(1, (core.rows - 1).bit_length()),
        )
        row = Signal(range(core.rows))
        written = Signal(range(core.rows + 1))
        read = Signal(range(core.rows + 1))
        push = self.fired_valid & self.fired.any()
        with m.If(self.start):
            m.d.sync += [row.eq(0), written.eq(0), read.eq(0)]
        with m.Elif(self.fired_valid):
            m.d.sync += [row.eq(row + 1), written.eq(written + push)]

        # Head of the queue, and the row whose neurons are being sent.
        take = Signal()
        head_valid = Signal()
        fetch = Signal()
        fired = Signal(core.pipelines)
        fired_row = Signal(range(core.rows))
        m.d.comb += [
            fetch.eq((read != written) & (~head_valid | take)),
            queue.write_row.eq(written),
            queue.write_data.eq(Cat(self.fired, row)),
            queue.write_banks.eq(push),
            queue.read_row.eq(read),
            queue.read_enable.eq(fetch),
        ]
        m.d.sync += head_valid.eq(fetch | (head_valid & ~take))
        with m.If(fetch):
            m.d.sync += read.eq(read + 1)

        # Table look-up: the next destination of the same neuron, or the first of the next. Which it
        # is to be shows only two cycles later, so the entry after a last one is read and dropped.
        m.submodules.table = table = BankedMemory(
            depth=core.n_neurons * core.fan_out, banks=1, bank_bits=len(self.config.data)
        )
        advance = Signal()
        looked_up = Signal()
        entry_valid = Signal()
        entry = Signal(self.destination)
        list_ends = Signal()
        same = Signal()
        address = Signal(range(core.n_neurons * core.fan_out))
        neuron = Cat(_lowest(fired, lane_bits), fired_row)
        next_address = Mux(same, address + 1, neuron * core.fan_out)
        remaining = Signal(core.pipelines)
        m.d.comb += [
            self.flit.valid.eq(entry_valid & entry.valid),
            *[self.flit.p[name].eq(entry[name]) for name in self.flit.p.shape().members],
            advance.eq(~self.flit.valid | self.flit.ready),
            list_ends.eq(entry_valid & entry.last if core.fan_out > 1 else 0),
            same.eq(looked_up & ~list_ends if core.fan_out > 1 else 0),
            remaining.eq(Mux(advance & ~same, fired & (fired - 1), fired)),
            take.eq(remaining == 0),
        ]
        with m.If(advance):
            m.d.sync += [
                looked_up.eq(same | fired.any()),
                address.eq(next_address),
                entry_valid.eq(looked_up & ~list_ends),
                entry.eq(table.read_data),
            ]
        with m.If(take & head_valid):
            m.d.sync += Cat(fired, fired_row).eq(queue.read_data)
        with m.Else():
            m.d.sync += fired.eq(remaining)

        m.d.comb += [
            table.read_row.eq(Mux(self.config.read, self.config.offset, next_address)),
            table.read_enable.eq(advance | self.config.read),
            table.write_row.eq(self.config.offset),
            table.write_data.eq(self.config.data),
            table.write_banks.eq(self.config.write),
            self.config.read_data.eq(
                delayed(m, table.read_data, CONFIG_LATENCY - 1, name="table_word")
            ),
            self.busy.eq((read != written) | head_valid | fired.any() | looked_up | entry_valid),
        ]
        return m


def _lowest(bits: Value, index_bits: int) -> Value:
    """Return the number of the lowest bit that is set."""
    index: Value = C(0, index_bits)
    for number in reversed(range(len(bits))):
        index = Mux(bits[number], number, index)
    return index[:index_bits]
