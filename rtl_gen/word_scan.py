"""Lists the bits that are set in a row of words. No twin in golden, which uses ``flatnonzero``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams

__all__ = ["WordScan"]


class WordScan(wiring.Component):
    """Fetches one word after the other and lists the axons whose bits are set, ascending.

    A word is fetched ahead of the one whose bits are being listed. Where axons take counts of
    spikes, a word holds those, of ``spike_bits`` bits each, and an axon with a count is listed.

    No bench of its own: ``sim/bench_axon_bitmap.py`` watches what it lists.

    Timing: ``max(1, set bits)`` cycles a word, and 2 to 4 more; with counts another, as a word goes
    through registers.
    Reset: stops.

    Parameters
    ----------
    core : CoreParams

    Members
    -------
    start : ``In(1)``
    ready : ``In(1)``
        Low: nothing moves.
    fetch : ``Out(1)``
        Read word ``word``.
    word : ``Out(range(scan_words))``
    data : ``In(scan_bits * spike_bits)``
        From the cycle after ``fetch`` until the next.
    axon_valid : ``Out(1)``
    axon : ``Out(range(n_axons))``
        Taken in each cycle with ``ready``.
    count : ``Out(spike_bits)``
        Of the axon, where there are counts; 0 where there is no axon.
    once : ``Out(1)``
        The count is at most 1.
    scanning : ``Out(1)``
        From the cycle after ``start`` until the last axon has been taken.
    """

    def __init__(self, core: CoreParams) -> None:
        self.core = core
        self.word_bits = (core.scan_words - 1).bit_length()
        members = {
            "start": In(1),
            "ready": In(1),
            "fetch": Out(1),
            "word": Out(self.word_bits),
            "data": In(core.scan_bits * core.spike_bits),
            "axon_valid": Out(1),
            "axon": Out(range(core.n_axons)),
            "scanning": Out(1),
        }
        if core.spike_bits > 1:
            members |= {"count": Out(core.spike_bits), "once": Out(1, init=1)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self.core
        index_bits = (core.scan_bits - 1).bit_length()
        next_word = Signal(range(core.scan_words + 1))
        fetched = Signal()
        fetched_word = Signal(self.word_bits)
        take = Signal()
        remaining = Signal(core.scan_bits)
        without_lowest = Signal(core.scan_bits)
        lowest = Signal(core.scan_bits)
        listed_word = Signal(self.word_bits)
        lowest_word = Signal(self.word_bits)
        loaded, word, marks = fetched, fetched_word, self.data
        more = (next_word != core.scan_words) | fetched | remaining.any() | lowest.any()
        if core.spike_bits > 1:
            loaded, word, marks = self._load(m, fetched, fetched_word, take, lowest)
            more = more | loaded
        m.d.comb += [
            without_lowest.eq(remaining & (remaining - 1)),
            take.eq(self.ready & (without_lowest == 0)),
            self.word.eq(next_word),
            self.fetch.eq(
                self.scanning & (next_word != core.scan_words) & (~fetched | take) & self.ready
            ),
        ]
        with m.If(self.start):
            m.d.sync += [next_word.eq(0), self.scanning.eq(1)]
        with m.Elif(self.fetch):
            m.d.sync += [next_word.eq(next_word + 1), fetched_word.eq(next_word)]
        m.d.sync += fetched.eq(self.fetch | (fetched & ~take))
        with m.If(take):
            m.d.sync += listed_word.eq(word)
        with m.If(self.ready):
            m.d.sync += [
                remaining.eq(Mux(take, Mux(loaded, marks, 0), without_lowest)),
                lowest.eq(remaining & ~without_lowest),
                lowest_word.eq(listed_word),
                self.axon_valid.eq(lowest.any()),
                self.axon.eq(Cat(_index(lowest, index_bits), lowest_word)),
            ]
        with m.If(self.scanning & self.ready & ~more):
            m.d.sync += self.scanning.eq(0)
        return m

    def _load(
        self, m: Module, fetched: Signal, fetched_word: Signal, take: Signal, lowest: Signal
    ) -> tuple[Signal, Signal, Signal]:
        """Put a fetched word of counts into registers, and let them follow its bits.

        From the memory, whether a count is 0 would be found too late in the cycle to be listed.

        Returns
        -------
        loaded, word, marks : Signal
            Whether there is a word; its number; a bit for each axon of it: whether it is due.
        """
        bits = self.core.spike_bits
        loaded = Signal()
        word, marks = Signal.like(fetched_word), Signal.like(lowest)
        counts, remaining, listed = (
            Signal.like(self.data, name=name) for name in ("counts", "remaining_counts", "listed")
        )
        with m.If(take):
            m.d.sync += [
                loaded.eq(fetched),
                word.eq(fetched_word),
                marks.eq(Cat(self.data.word_select(i, bits).any() for i in range(len(marks)))),
                counts.eq(self.data),
                remaining.eq(counts),
            ]
        chosen: Value = C(0, bits)
        for i, mark in enumerate(lowest):
            chosen = chosen | (listed.word_select(i, bits) & mark.replicate(bits))
        with m.If(self.ready):
            m.d.sync += [listed.eq(remaining), self.count.eq(chosen), self.once.eq(chosen < 2)]
        return loaded, word, marks


def _index(one_hot: Value, bits: int) -> Value:
    """Return the number of the only bit that is set."""
    return Cat(
        Cat(one_hot[i] for i in range(len(one_hot)) if i >> bit & 1).any() for bit in range(bits)
    )
