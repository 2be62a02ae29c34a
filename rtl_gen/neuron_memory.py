"""A word of each neuron, in rows for the pipelines. No twin in golden, where it is an array."""

from amaranth import C, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed

__all__ = ["READ_LATENCY", "NeuronMemory"]

READ_LATENCY = 2
"""Clock cycles from a read to its data."""


class NeuronMemory(wiring.Component):
    """A memory of a word for each neuron, a row for each step of the update pipelines.

    Timing: ``values``, and ``word``, come :data:`READ_LATENCY` cycles after ``enable``, or
    ``read``.
    Reset: does not clear the contents.

    Parameters
    ----------
    core : CoreParams
    bits : int
        Width of a word.
    updated : bool
        Whether the pipelines write, too.

    Members
    -------
    row : ``In(range(rows))``, enable : ``In(1)``
        The row to be read.
    values : ``Out(pipelines * bits)``
    new_row, new_values, update : ``In``
        The row to be written, where it is ``updated``; not in a cycle of ``write``.
    number : ``In(range(n_neurons))``, read, write : ``In(1)``, data : ``In(bits)``
        Configuration access to a neuron's word, while neither ``enable`` nor ``update`` is high.
    word : ``Out(bits)``

    No bench of its own: ``sim/bench_neuron_array.py`` runs it.
    """

    def __init__(self, core: CoreParams, bits: int, *, updated: bool = False) -> None:
        self.core = core
        self.bits = bits
        self.updated = updated
        row = core.pipelines * bits
        written = {"new_row": In(range(core.rows)), "new_values": In(row), "update": In(1)}
        super().__init__(
            {
                "row": In(range(core.rows)),
                "enable": In(1),
                "values": Out(row),
                **(written if updated else {}),
                "number": In(range(core.n_neurons)),
                "read": In(1),
                "write": In(1),
                "data": In(bits),
                "word": Out(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pipelines = self.core.pipelines
        m.submodules.memory = memory = BankedMemory(
            depth=self.core.rows, banks=pipelines, bank_bits=self.bits
        )
        lane_bits = (pipelines - 1).bit_length()
        lane, row = self.number[:lane_bits], self.number[lane_bits:]
        m.d.sync += self.values.eq(memory.read_data)
        loaded = self.data.replicate(pipelines)
        m.d.comb += [
            memory.read_row.eq(Mux(self.read, row, self.row)),
            memory.read_enable.eq(self.enable | self.read),
            memory.write_row.eq(row),
            memory.write_data.eq(loaded),
            memory.write_banks.eq(self.write << lane),
        ]
        if self.updated:
            m.d.comb += [
                memory.write_row.eq(Mux(self.write, row, self.new_row)),
                memory.write_data.eq(Mux(self.write, loaded, self.new_values)),
                memory.write_banks.eq(Mux(self.update, C(-1, pipelines), self.write << lane)),
            ]
        at = delayed(m, lane, READ_LATENCY, name="lane")
        m.d.comb += self.word.eq(self.values.word_select(at, self.bits))
        return m
