"""Axon types: bits of synapses, and weights by type. Twin of ``golden/synapses/axon_types.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.synapses.axon_types import CHANCE_BITS, TYPE_BITS, TYPES
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.draws import key_registers
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.lfsr import STATE_BITS, next_draw
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.dense import DenseCrossbar

__all__ = ["AxonTypesCrossbar", "TypedMemory"]


class TypedMemory(wiring.Component):
    """Rows of weights, put together from the bits of synapses and the weights of axon types.

    Where synapses may be stochastic, an LFSR that starts with the tick's key goes on by 16 steps
    for each two lanes with each row; a row has what is to be added, a cycle later than without.

    No bench of its own: ``sim/bench_crossbar.py`` reads and writes it as the crossbar's.

    Timing: a row a cycle, :attr:`latency` cycles after ``read``. The type is read a cycle before
    its weights.
    Reset: does not clear the contents; the key becomes 0, which the image's replaces.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``, clear : ``In(1)``
        Where synapses may be stochastic: a tick begins; begin with the image's key again.
    read : ``In(1)``
    read_row : ``In(range(weight_rows))``
    axon : ``In(range(n_axons))``, group : ``In(range(groups))``
        Whose row it is.
    row_data : ``Out(lanes * weight_bits)``
    weights, axon_types, type_weights, synapse_key : ``In(RegionPort(...))``
        While nothing is read; the last only where synapses may be stochastic.
    """

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        self.draws = "stochastic" in core.synapse_options
        self.latency = SynapseMemory.latency + 1 + self.draws
        names = [region.name for region in core.synapse_format.regions(core)]
        self.regions = {name: regions[name] for name in names}
        super().__init__(
            {
                **({"start": In(1), "clear": In(1)} if self.draws else {}),
                "read": In(1),
                "read_row": In(range(core.weight_rows)),
                "axon": In(range(core.n_axons)),
                "group": In(range(core.groups)),
                "row_data": Out(core.lanes * core.weight_bits),
                **{
                    name: In(RegionPort((region.span - 1).bit_length(), region.bits))
                    for name, region in self.regions.items()
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, port = self.core, self.axon_types
        m.submodules.types = types = BankedMemory(depth=core.n_axons, banks=1, bank_bits=TYPE_BITS)
        m.d.comb += [
            types.read_row.eq(Mux(port.read, port.offset, self.axon)),
            types.read_enable.eq(port.read | self.read),
            types.write_row.eq(port.offset),
            types.write_data.eq(port.data),
            types.write_banks.eq(port.write),
            port.read_data.eq(delayed(m, types.read_data, CONFIG_LATENCY - 1, name="type_word")),
        ]
        m.submodules.bits = bits = SynapseMemory(
            core, self.regions["weights"], bits=1, writable=False
        )
        m.submodules.table = table = SynapseMemory(
            core,
            self.regions["type_weights"],
            bits=core.weight_bits + self.draws,
            writable=False,
            rows=core.groups * TYPES,
            kind="auto",
        )
        connect(m, flipped(self.weights), bits.config)
        connect(m, flipped(self.type_weights), table.config)
        group = Signal.like(self.group)
        m.d.sync += group.eq(self.group)
        m.d.comb += [
            bits.read.eq(self.read),
            bits.read_row.eq(self.read_row),
            table.read.eq(delayed(m, self.read, 1, name="type_known")),
            table.read_row.eq(Cat(types.read_data, group)),
        ]
        there = delayed(m, bits.row_data, 1, name="there")
        if self.draws:
            self._draw(m, table.row_data, there)
            return m
        for lane in range(core.lanes):
            weight = table.row_data.word_select(lane, core.weight_bits)
            here = there[lane].replicate(core.weight_bits)
            m.d.comb += self.row_data.word_select(lane, core.weight_bits).eq(weight & here)
        return m

    def _draw(self, m: Module, table: Value, there: Value) -> None:
        """Build the LFSR, and what each lane of a row adds by it."""
        core, bits = self.core, self.core.weight_bits
        key = key_registers(m, self.synapse_key, self.clear, self.start)
        state = following = Signal(STATE_BITS, name="lfsr")
        draws = []
        for number in range(-(-core.lanes // 2)):
            drawn, after = next_draw(following)
            # A signal each: else the text of the last would hold that of all before, many times.
            draws.append(Signal.like(drawn, name=f"draw_{number}"))
            following = Signal(STATE_BITS, name=f"lfsr_then_{number}")
            m.d.comb += [draws[-1].eq(drawn), following.eq(after)]
        row_there = delayed(m, self.read, self.latency - 1, name="row_there")
        with m.If(self.start):
            m.d.sync += state.eq(key)
        with m.Elif(row_there):
            m.d.sync += state.eq(following)
        shape = signed(bits) if core.weight_format == "signed" else bits
        for lane, chance in enumerate(_bytes(draws)[: core.lanes]):
            word = table.word_select(lane, bits + 1)
            weight = Signal(shape, name=f"weight_{lane}")
            size = Signal(bits, name=f"size_{lane}")
            negative = weight[-1] if core.weight_format == "signed" else C(0)
            unit = Mux(size > chance, Cat(C(1, 1), negative.replicate(bits - 1)), 0)
            m.d.comb += [
                weight.eq(word[:bits]),
                size.eq(Mux(negative, -weight, weight)),
            ]
            m.d.sync += self.row_data.word_select(lane, bits).eq(
                Mux(word[bits], unit, weight) & there[lane].replicate(bits)
            )


class AxonTypesCrossbar(DenseCrossbar):
    """Sums as :class:`DenseCrossbar` does, of weights that are put together as they are read.

    Timing: a cycle later than that; two where synapses may be stochastic.
    Reset: as that.

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
        self.regions = regions
        super().__init__(core, regions)

    def _memory(self, m: Module, axon: Value, group: Value) -> TypedMemory:
        """Build the memories of bits, types and weights."""
        m.submodules.weights = memory = TypedMemory(self.core, self.regions)
        for name in memory.regions:
            connect(m, flipped(getattr(self, name)), getattr(memory, name))
        read_group = delayed(m, group, 1, name="read_group")
        m.d.comb += [memory.axon.eq(axon), memory.group.eq(read_group)]
        if memory.draws:
            m.d.comb += [memory.start.eq(self.start), memory.clear.eq(self.clear)]
        return memory


def _bytes(draws: list[Value]) -> list[Value]:
    """Return halves of draws, the lower first."""
    return [draw[at : at + CHANCE_BITS] for draw in draws for at in (0, CHANCE_BITS)]
