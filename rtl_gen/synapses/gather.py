"""Gathered synapses: windows over a kernel. Twin of ``golden/synapses/gather.py``."""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.windows import Windows
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import delayed
from spikelet.rtl_gen.synapse_memory import SynapseMemory
from spikelet.rtl_gen.synapses.blocks import rows_of_groups
from spikelet.rtl_gen.synapses.ports import crossbar_members
from spikelet.rtl_gen.synapses.tables import table

__all__ = ["GatherCrossbar"]


class GatherCrossbar(wiring.Component):
    """Sums the weights of the active axons in the window of each output, a group after the other.

    The words of the axon bitmap are copied as the scan fetches them. Of each group, the words of
    its window are read, and the active axons in them that have a tap are listed, as a scan does;
    their rows of the weight memory are added in the lanes. While a group is summed, the sums of
    the group before leave, ``pipelines`` neurons a cycle, in ascending order.

    Timing: of each word of a window a cycle for each active axon, one at least; one more for the
    last word of a window, if it has one; a group at least ``lanes / pipelines`` cycles.
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
        self.shape = ConvolutionShape.of(core.synapse_options)
        self.windows = Windows(self.shape, core.scan_bits)
        self.blocks = self.shape.blocks(core.lanes)
        self.used, _ = self.shape.lanes_in_use(core.lanes)
        self.region = regions["weights"]
        span = self.windows.span_bits
        self.bit_shape = signed(max(span, self.windows.bits).bit_length() + 1)
        super().__init__(crossbar_members(core, regions))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, bits = self.core, self.windows.bits
        running, named, window, fetched, listed = (
            Signal(name=name) for name in ("running", "named", "window", "fetched", "listed")
        )
        fetch, take = Signal(), Signal()
        here, at, base, last, mask, data = self._walk(m, named, window, fetch)

        # A word is fetched, taken when the word before is done, and its bits are listed.
        cooldown = Signal(range(self.used // core.pipelines))
        remaining, lowest = Signal(bits), Signal(bits)
        fetched_at, listed_at, lowest_at = (
            Signal(self.bit_shape, name=f"{stage}_at") for stage in ("fetched", "listed", "lowest")
        )
        fetched_base, listed_base, lowest_base = (
            Signal.like(base, name=f"{stage}_base") for stage in ("fetched", "listed", "lowest")
        )
        fetched_last, listed_last, group_end = Signal(), Signal(), Signal()
        without_lowest = Signal(bits)
        others = named | window | fetched | ~self.scanning  # the last group ends behind the scan
        m.d.comb += [
            without_lowest.eq(remaining & (remaining - 1)),
            take.eq(
                Mux(
                    listed_last,
                    (remaining == 0) & (cooldown == 0) & others,
                    without_lowest == 0,
                )
            ),
            group_end.eq(listed_last & take),
            fetch.eq(window & (~fetched | take) & self._copied(m, here)),
        ]
        with m.If(fetch):
            m.d.sync += [fetched_at.eq(at), fetched_base.eq(base), fetched_last.eq(last)]
        with m.If(take):
            m.d.sync += [
                listed.eq(fetched),
                listed_last.eq(fetched & fetched_last),
                listed_at.eq(fetched_at),
                listed_base.eq(fetched_base),
            ]
        m.d.sync += [
            fetched.eq(fetch | (fetched & ~take)),
            remaining.eq(Mux(take, data & mask & fetched.replicate(bits), without_lowest)),
            lowest.eq(remaining & ~without_lowest),
            lowest_at.eq(listed_at),
            lowest_base.eq(listed_base),
        ]
        ending_after = 2 + SynapseMemory.latency
        rows, left_rows = rows_of_groups(m, core, group_end, ending_after)
        with m.If(group_end):
            m.d.sync += cooldown.eq(rows - 1)
        with m.Elif(cooldown != 0):
            m.d.sync += cooldown.eq(cooldown - 1)
        with m.If(self.start):
            m.d.sync += running.eq(1)
        with m.Elif(~(named | window | fetched | listed)):
            m.d.sync += running.eq(0)
        endings = Signal(ending_after)
        m.d.sync += endings.eq(Cat(group_end, endings))
        sums = self._accumulate(m, lowest, lowest_at, lowest_base, endings[-1])
        self._hand_over(m, sums, endings[-1], left_rows, running | endings.any())
        return m

    def _copied(self, m: Module, here: Signal) -> Value:
        """Return whether the word of the bitmap that holds the next word has been copied."""
        copied = Signal(range(self.core.scan_words + 1))
        with m.If(self.start):
            m.d.sync += copied.eq(0)
        with m.Elif(self.word_valid):
            m.d.sync += copied.eq(copied + 1)
        return here[(self.windows.in_word - 1).bit_length() :] < copied

    def _walk(
        self, m: Module, named: Signal, window: Signal, fetch: Signal
    ) -> tuple[Signal, Signal, Signal, Signal, Signal, Value]:
        """Walk over the words of the windows of all groups.

        Return the next word, where in its window's row it begins, the weight memory's row of the
        first tap of that row, and whether it is its window's last; of the word that was fetched
        last its mask, and the word.
        """
        shape, windows, blocks = self.shape, self.windows, self.blocks
        rows, columns = windows.rows, windows.columns
        row_taps = shape.kernel_width * shape.channels * blocks
        out_y, out_x = Signal(range(shape.out_height)), Signal(range(shape.out_width))
        block = Signal(range(blocks))
        here, line = (
            Signal(range(shape.height * windows.row_words), name=name) for name in ("here", "line")
        )
        at, line_at = Signal(self.bit_shape), Signal(self.bit_shape)
        base = Signal(range(self.core.weight_rows))
        most_words = max(column.n for column in columns)
        more_words, line_words = Signal(range(most_words)), Signal(range(most_words))
        more_lines = Signal(range(max(1, *(row.n for row in rows), 1)))
        last, next_group = Signal(), Signal()
        m.d.comb += [
            last.eq((more_words == 0) & (more_lines == 0)),
            next_group.eq(named & (~window | (fetch & last))),
        ]
        last_block, last_x = block == blocks - 1, out_x == shape.out_width - 1
        with m.If(self.start):
            m.d.sync += [named.eq(1), out_y.eq(0), out_x.eq(0), block.eq(0)]
        with m.Elif(next_group):
            m.d.sync += block.eq(Mux(last_block, 0, block + 1))
            with m.If(last_block):
                m.d.sync += out_x.eq(Mux(last_x, 0, out_x + 1))
            with m.If(last_block & last_x):
                m.d.sync += [
                    out_y.eq(out_y + 1),
                    named.eq(out_y != shape.out_height - 1),
                ]
        first = Signal.like(here)
        first_at = Signal(self.bit_shape)
        first_words = table(out_x, [column.n - 1 for column in columns])
        m.d.comb += [
            first.eq(
                table(out_y, [row.first * windows.row_words for row in rows])
                + table(out_x, [column.first for column in columns])
            ),
            first_at.eq(table(out_x, [_code(c.at, self.bit_shape.width) for c in columns])),
        ]
        with m.If(next_group):
            m.d.sync += [
                window.eq(1),
                here.eq(first),
                line.eq(first),
                at.eq(first_at),
                line_at.eq(first_at),
                base.eq(table(out_y, [row.at * row_taps for row in rows]) + block),
                more_words.eq(first_words),
                line_words.eq(first_words),
                more_lines.eq(table(out_y, [max(0, row.n - 1) for row in rows])),
            ]
        with m.Elif(fetch & (more_words != 0)):
            m.d.sync += [
                here.eq(here + 1),
                at.eq(at + windows.bits),
                more_words.eq(more_words - 1),
            ]
        with m.Elif(fetch):
            step = shape.dilation_y * windows.row_words
            m.d.sync += [
                here.eq(line + step),
                line.eq(line + step),
                at.eq(line_at),
                base.eq(base + row_taps),
                more_words.eq(line_words),
                more_lines.eq(more_lines - 1),
                window.eq(~last),
            ]
        unused = self._unused(m, next_group, out_y, out_x, more_words)
        return here, at, base, last, *self._read(m, fetch, here, at, unused)

    def _unused(
        self, m: Module, next_group: Signal, out_y: Signal, out_x: Signal, more_words: Signal
    ) -> Value:
        """Return the bits of the next word that are not of the map, as far as there are such."""
        windows = self.windows
        every = (1 << windows.bits) - 1
        unused: Value = Signal(windows.bits)
        if windows.tail != every:
            ends = Signal()  # the window's rows end with the last word of the map's
            past = [column.first + column.n - 1 == windows.last_word for column in windows.columns]
            with m.If(next_group):
                m.d.sync += ends.eq(table(out_x, [int(end) for end in past]))
            unused = unused | Mux(ends & (more_words == 0), every & ~windows.tail, 0)
        if any(row.n == 0 for row in windows.rows):
            blank = Signal()
            with m.If(next_group):
                m.d.sync += blank.eq(table(out_y, [int(row.n == 0) for row in windows.rows]))
            unused = unused | blank.replicate(windows.bits)
        return unused

    def _read(
        self, m: Module, fetch: Signal, here: Signal, at: Signal, unused: Value
    ) -> tuple[Signal, Value]:
        """Build the copy of the bitmap; return mask and contents of the word fetched last."""
        core, windows = self.core, self.windows
        m.submodules.words = words = BankedMemory(
            depth=core.scan_words, banks=1, bank_bits=core.scan_bits, kind="block"
        )
        place_bits = (windows.in_word - 1).bit_length()
        width = self.bit_shape.width
        codes = range(1 << width)
        masks = [windows.mask(code - (code >> width - 1 << width)) for code in codes]
        mask, place = Signal(windows.bits), Signal(place_bits)
        with m.If(fetch):
            m.d.sync += [
                mask.eq(table(at.as_unsigned(), masks) & ~unused),
                place.eq(here[:place_bits]),
            ]
        m.d.comb += [
            words.read_row.eq(here[place_bits:]),
            words.read_enable.eq(fetch),
            words.write_row.eq(self.word),
            words.write_data.eq(self.word_data),
            words.write_banks.eq(self.word_valid),
        ]
        return mask, words.read_data.word_select(place, windows.bits)

    def _accumulate(
        self, m: Module, lowest: Signal, lowest_at: Signal, lowest_base: Signal, ending: Value
    ) -> list[Signal]:
        """Read the weights of the axons that are listed, and add them; return the lanes' sums.

        Where the sums of a group are ``ending``, they are cleared.
        """
        core, windows = self.core, self.windows
        index = Cat(
            Cat(lowest[i] for i in range(windows.bits) if i >> bit & 1).any()
            for bit in range((windows.bits - 1).bit_length())
        )
        reading, base = Signal(), Signal.like(lowest_base)
        bit = Signal(range(windows.span_bits))
        m.d.sync += [reading.eq(lowest.any()), bit.eq(lowest_at + index), base.eq(lowest_base)]
        if windows.taps == tuple(range(windows.span_bits)):
            tap: Value = bit * self.blocks
        else:
            tap = table(bit, [max(0, tap) * self.blocks for tap in windows.taps])
        m.submodules.weights = weights = SynapseMemory(
            core, self.region, bits=core.weight_bits, writable=False
        )
        connect(m, flipped(self.weights), weights.config)
        m.d.comb += [weights.read.eq(reading), weights.read_row.eq(base + tap)]
        accumulating = delayed(m, reading, weights.latency, name="accumulating")
        sums = [Signal(signed(core.current_bits), name=f"sum_{i}") for i in range(self.used)]
        for lane, total in enumerate(sums):
            code = weights.row_data.word_select(lane, core.weight_bits)
            weight = code.as_signed() if core.weight_format == "signed" else code
            with m.If(ending):
                m.d.sync += total.eq(0)
            with m.Elif(accumulating):
                m.d.sync += total.eq(total + weight)
        return sums

    def _hand_over(
        self, m: Module, sums: list[Signal], ending: Value, rows: Value | int, busy: Value
    ) -> None:
        """Let the sums of a group leave, ``pipelines`` in a cycle."""
        leaving = Signal(self.used * self.core.current_bits)
        rows_left = Signal(range(self.used // self.core.pipelines + 1))
        with m.If(ending):
            m.d.sync += [leaving.eq(Cat(sums)), rows_left.eq(rows)]
        with m.Elif(self.sums_valid):
            m.d.sync += [leaving.eq(leaving >> len(self.sums)), rows_left.eq(rows_left - 1)]
        m.d.comb += [
            self.sums_valid.eq(rows_left != 0),
            self.sums.eq(leaving),
            self.busy.eq(busy | self.sums_valid),
        ]


def _code(value: int, bits: int) -> int:
    """Return a value in two's complement."""
    return value & (1 << bits) - 1
