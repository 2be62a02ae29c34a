"""A large table of constants as a memory that is never written. No twin: golden has an array."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["TableMemory"]


class TableMemory(wiring.Component):
    """Looks a constant up in a block RAM.

    Its instance is named ``rom_...``, by which emission knows it: where a chip begins without
    initial values, its contents become logic.

    No bench of its own: ``sim/bench_neuron_update.py`` runs it.

    Timing: ``value`` comes a cycle after ``index``.
    Reset: does not matter.

    Parameters
    ----------
    values : sequence of int
        0 or more.

    Members
    -------
    index : ``In(range(len(values)))``
    value : ``Out(range(max(values) + 1))``
    """

    def __init__(self, values: tuple[int, ...]) -> None:
        self.values = values
        super().__init__({"index": In(range(len(values))), "value": Out(range(max(values) + 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=self.value.shape(),
            depth=len(self.values),
            init=self.values,
            attrs={"ram_style": "block"},
        )
        read = memory.read_port()
        m.d.comb += [read.en.eq(1), read.addr.eq(self.index), self.value.eq(read.data)]
        return m
