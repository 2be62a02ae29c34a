"""What neurons draw in a tick. Twin of ``golden/draws.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed

__all__ = ["Draws", "key_registers"]

_BITS = 32


class Draws(wiring.Component):
    """A word of each neuron, which every tick changes.

    The memory has two halves: the first words, and those of the coming tick. After ``clear`` a tick
    reads the first half; each tick writes the second. The row that comes next is read ahead, so
    that its words are there when they are asked for.

    Timing: a row of words in every cycle, :attr:`latency` cycles after ``valid`` asked for it; the
    first row of a tick two cycles after ``start`` at the earliest.
    Reset: the coming tick is the first; does not clear the memory.

    Parameters
    ----------
    core : CoreParams
    region : Region

    Members
    -------
    start : ``In(1)``
        A tick begins: the next row is row 0.
    clear : ``In(1)``
        Begin with the first words again.
    valid : ``In(1)``
        Go on to the next row; behind the last one the words are those of the next tick.
    words : ``Out(pipelines * 32)``
    draws : ``In(RegionPort(...))``
        Configuration access, while no rows are asked for: of neuron ``n`` the first word at offset
        ``2 * n``, and the word of the coming tick at ``2 * n + 1``. Which was written last tells
        what the coming tick reads.

    No bench of its own: ``sim/bench_neuron_array.py`` runs it, ``tests/cosim/test_draws.py`` in
    Amaranth's simulator.
    """

    latency = 1

    def __init__(self, core: CoreParams, region: Region) -> None:
        self.core = core
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "valid": In(1),
                "words": Out(core.pipelines * _BITS),
                "draws": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pipelines, rows, port = self.core.pipelines, self.core.rows, self.draws
        lane_bits, row_bits = (pipelines - 1).bit_length(), (rows - 1).bit_length()
        m.submodules.memory = memory = BankedMemory(
            depth=2 << row_bits, banks=pipelines, bank_bits=_BITS
        )

        first = Signal(init=1)
        row, next_row = Signal(row_bits), Signal(row_bits)
        m.d.comb += next_row.eq(Mux(self.start, 0, row + self.valid))
        m.d.sync += row.eq(next_row)
        with m.If(self.clear | port.write):
            m.d.sync += first.eq(self.clear | ~port.offset[0])
        with m.Elif(self.valid & (row == rows - 1)):
            m.d.sync += first.eq(0)

        # A word that is asked for waits as an offset, which has fewer bits.
        asked = delayed(m, Cat(port.read, port.offset), CONFIG_LATENCY - 1, name="asked")
        lane = delayed(m, asked[2 : 2 + lane_bits], 1, name="lane")
        written = Cat(_next_key(_word(memory.read_data, i)) for i in range(pipelines))
        m.d.comb += [
            memory.read_row.eq(
                Mux(asked[0], _place(asked[1:], lane_bits, row_bits), Cat(next_row, ~first))
            ),
            memory.read_enable.eq(1),
            memory.write_row.eq(
                Mux(port.write, _place(port.offset, lane_bits, row_bits), Cat(row, C(1, 1)))
            ),
            memory.write_data.eq(Mux(port.write, port.data.replicate(pipelines), written)),
            memory.write_banks.eq(
                Mux(self.valid, C(-1, pipelines), port.write << port.offset[1 : 1 + lane_bits])
            ),
            port.read_data.eq(memory.read_data.word_select(lane, _BITS)),
        ]
        m.d.sync += self.words.eq(memory.read_data)
        return m


def _word(words: Value, lane: int) -> Value:
    return words[lane * _BITS : (lane + 1) * _BITS]


def _place(offset: Value, lane_bits: int, row_bits: int) -> Value:
    """Return the row of the memory for an offset into the region."""
    row = offset[1 + lane_bits :][:row_bits]
    return Cat(row, C(0, row_bits - len(row)), offset[0])


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
