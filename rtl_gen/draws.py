"""What neurons draw in a tick. Twin of ``golden/draws.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.neurons.draws import MIX, MIXING_STAGES
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.neuron_memory import READ_LATENCY, NeuronMemory

__all__ = ["Draws", "key_registers"]

_BITS = 32


class Draws(wiring.Component):
    """The key of a core, and the mix of it that each neuron draws.

    Timing: a row of numbers in every cycle, :attr:`latency` cycles after ``valid`` asked for it.
    Reset: the key becomes 0, which the image's replaces.

    Parameters
    ----------
    core : CoreParams
    regions : dict of Region
        Of the core, by name.

    Members
    -------
    start : ``In(1)``
        A tick begins: the next row is row 0.
    clear : ``In(1)``
        Begin with the image's key again.
    valid : ``In(1)``
        Go on to the next row; after the last one the key is that of the next tick.
    words : ``Out(pipelines * 32)``
    draw_key, draw_indices : ``In(RegionPort(...))``
        Configuration access: the key at ``clear``, which sets both, and the key of the coming tick;
        the neurons' numbers in the network.

    No bench of its own: ``sim/bench_neuron_array.py`` runs it, ``tests/cosim/test_draws.py`` in
    Amaranth's simulator.
    """

    latency = READ_LATENCY + MIXING_STAGES

    def __init__(self, core: CoreParams, regions: dict[str, Region]) -> None:
        self.core = core
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "valid": In(1),
                "words": Out(core.pipelines * _BITS),
                **{
                    name: In(RegionPort((regions[name].span - 1).bit_length(), regions[name].bits))
                    for name in ("draw_key", "draw_indices")
                },
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, port = self.core, self.draw_indices
        row = Signal(range(core.rows))
        with m.If(self.start):
            m.d.sync += row.eq(0)
        with m.Elif(self.valid):
            m.d.sync += row.eq(row + 1)
        m.submodules.memory = memory = NeuronMemory(core, len(port.data))
        m.d.comb += [
            memory.row.eq(row),
            memory.enable.eq(self.valid),
            memory.number.eq(port.offset),
            memory.read.eq(port.read),
            memory.write.eq(port.write),
            memory.data.eq(port.data),
            port.read_data.eq(
                delayed(m, memory.word, CONFIG_LATENCY - READ_LATENCY, name="index_word")
            ),
        ]
        last = self.valid & (row == core.rows - 1)
        done = delayed(m, last, READ_LATENCY + 1, name="last_row")
        key = key_registers(m, self.draw_key, self.clear, done)
        for lane in range(core.pipelines):
            index = memory.values.word_select(lane, len(port.data))
            m.d.comb += self.words.word_select(lane, _BITS).eq(_mixed(m, key, index, lane))
        return m


def key_registers(m: Module, port: wiring.PureInterface, clear: Value, done: Value) -> Signal:
    """Build the image's key, and return that of the tick, which goes on with ``done``.

    ``port`` is that of its region; ``clear`` begins with the image's key again.
    """
    first, key = Signal(_BITS, name="first_key"), Signal(_BITS, name="key")
    with m.If(port.write):
        m.d.sync += key.eq(port.data)
        with m.If(~port.offset[0]):
            m.d.sync += first.eq(port.data)
    with m.Elif(clear):
        m.d.sync += key.eq(first)
    with m.Elif(done):
        m.d.sync += key.eq(_next_key(key))
    offset = delayed(m, port.offset, CONFIG_LATENCY - 1, name="key_offset")
    m.d.sync += port.read_data.eq(Mux(offset[0], key, first))
    return key


def _next_key(key: Value) -> Value:
    key = key ^ (key << 13)[:_BITS]
    key = key ^ (key >> 17)
    return key ^ (key << 5)[:_BITS]


def _mixed(m: Module, key: Value, index: Value, lane: int) -> Value:
    """Return a neuron's word, ``MIXING_STAGES`` cycles after its number."""

    def stage(number: int, value: Value) -> Signal:
        register = Signal(_BITS, name=f"mix_{number}_{lane}")
        m.d.sync += register.eq(value)
        return register

    def up(value: Value, bits: int) -> Value:
        return Cat(C(0, bits), value[: _BITS - bits])

    a = stage(0, key + index)
    for number, (right, left) in enumerate(MIX, 1):
        a = a ^ (a >> right)
        a = stage(number, a + up(a, left))
    return a ^ (a >> 11)
