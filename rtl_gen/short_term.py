"""Short-term plasticity of axons: states, and amplitudes. Twin of ``golden/short_term.py``."""

from amaranth import C, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.short_term import (
    AMPLITUDE_BITS,
    DEPLETED_BITS,
    FACTOR_BITS,
    U_BITS,
)
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed
from spikelet.rtl_gen.synapse_memory import SynapseMemory

__all__ = ["ShortTerm"]

_WORD = data.StructLayout({"u": U_BITS, "on": 1, "depleted": DEPLETED_BITS})
_PRODUCT_BITS = U_BITS + DEPLETED_BITS


class ShortTerm(wiring.Component):
    """Walks over all axons once a tick, one a cycle, when the sums have been taken.

    A word of each axon enters a pipeline: raised if the axon has had a spike, then decayed, and
    written back; what a spike would bring in the coming tick goes to a memory of its own, from
    which the crossbar reads it beside the weights. A word that is configured takes the same way,
    unchanged.

    No bench of its own: ``sim/bench_learning.py`` runs it in its core, whose sums it scales.

    Timing: ``n_axons`` cycles and 9 more after ``settled``, or after ``clear``. ``amplitude`` comes
    as many cycles after ``axon`` as weights after their row's.
    Reset: stops; does not clear the memories.

    Parameters
    ----------
    core : CoreParams
    region : Region
        Of the states in the memory map.

    Members
    -------
    start : ``In(1)``
        A tick begins.
    clear : ``In(1)``
        Set the states to 0; which axons have short-term plasticity stays.
    settled : ``In(1)``
        Scan and sums of the tick are done.
    word_valid, word, word_data : ``In``
        Words of the tick's active axons, as the scan fetches them.
    axon : ``In(range(n_axons))``
        Axon to look up.
    amplitude : ``Out(AMPLITUDE_BITS + 1)``
        What a spike of it brings in this tick.
    busy : ``Out(1)``
    config : ``In(RegionPort(...))``
        Configuration access, while not ``busy``.
    """

    def __init__(self, core: CoreParams, region: Region) -> None:
        assert core.short_term is not None
        self.core = core
        self.params = core.short_term
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "settled": In(1),
                "word_valid": In(1),
                "word": In((core.scan_words - 1).bit_length()),
                "word_data": In(core.scan_bits),
                "axon": In(range(core.n_axons)),
                "amplitude": Out(AMPLITUDE_BITS + 1),
                "busy": Out(1),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, config = self.core, self.config
        index_bits = (core.scan_bits - 1).bit_length()

        # Walk: an axon a cycle, once the sums have been taken, or to clear.
        waiting, walking, clearing = Signal(), Signal(), Signal()
        axon = Signal(range(core.n_axons))
        with m.If(self.start):
            m.d.sync += waiting.eq(1)
        with m.Elif(waiting & self.settled):
            m.d.sync += [waiting.eq(0), walking.eq(1), axon.eq(0)]
        with m.If(self.clear):
            m.d.sync += [walking.eq(1), clearing.eq(1), axon.eq(0)]
        with m.Elif(walking):
            m.d.sync += axon.eq(axon + 1)
            with m.If(axon == core.n_axons - 1):
                m.d.sync += [walking.eq(0), clearing.eq(0)]

        # Spikes of this tick, kept as the scan meets them.
        m.submodules.spiked = spiked = BankedMemory(
            depth=core.scan_words, banks=1, bank_bits=core.scan_bits
        )
        m.d.comb += [
            spiked.write_row.eq(self.word),
            spiked.write_data.eq(self.word_data),
            spiked.write_banks.eq(self.word_valid),
            spiked.read_row.eq(axon[index_bits:]),
            spiked.read_enable.eq(1),
        ]

        # What enters: a word of the walk, a cycle after it was addressed, or one that is written.
        m.submodules.states = states = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=len(config.data)
        )
        stored = data.View(_WORD, states.read_data)
        written = data.View(_WORD, config.data)
        walked = delayed(m, walking, 1, name="walked")
        cleared = delayed(m, clearing, 1, name="cleared")
        index = delayed(m, axon[:index_bits], 1, name="index")
        place = Mux(walked, delayed(m, axon, 1, name="walked_axon"), config.offset)
        spike = walked & ~cleared & spiked.read_data.bit_select(index, 1)
        u, depleted, on = Signal(U_BITS), Signal(DEPLETED_BITS), Signal()
        with m.If(walked):
            m.d.sync += [
                u.eq(Mux(cleared, 0, stored.u)),
                depleted.eq(Mux(cleared, 0, stored.depleted)),
                on.eq(stored.on),
            ]
        with m.Else():
            m.d.sync += [u.eq(written.u), depleted.eq(written.depleted), on.eq(written.on)]
        steps = Signal(7)
        m.d.sync += steps.eq(Cat(walked | config.write, steps))
        walks = delayed(m, walked, 5, name="walk")
        marks = delayed(m, on, 6, name="on")
        spike = delayed(m, spike, 1, name="spike")
        places = delayed(m, place, 5, name="place")

        # Raised by a spike, which takes from what is left.
        raised = self._raised(m, u, name="raised")
        u = delayed(m, u, 1, name="u")
        depleted = delayed(m, depleted, 1, name="depleted")
        spike = delayed(m, spike, 1, name="spike_raised")
        used = Signal(DEPLETED_BITS + 1)
        next_u, next_depleted = Signal(U_BITS), Signal(DEPLETED_BITS)
        m.d.comb += used.eq((raised * self._left(depleted)) >> U_BITS)
        m.d.sync += [
            next_u.eq(Mux(spike, raised, u)),
            next_depleted.eq(Mux(spike, depleted + used, depleted)),
        ]

        # Decayed, and written back; a word that was written is in its memory already.
        keep = ~delayed(m, walked, 4, name="decays")
        u = self._decayed(m, next_u, self.params.facilitation, keep, name="next_u")
        depleted = self._decayed(m, next_depleted, self.params.recovery, keep, name="next_depleted")
        word = Cat(u, delayed(m, on, 4, name="on_written"), depleted)
        m.d.comb += [
            states.read_row.eq(Mux(walking, axon, config.offset)),
            states.read_enable.eq(1),
            states.write_row.eq(Mux(walks, places, config.offset)),
            states.write_data.eq(Mux(walks, word, config.data)),
            states.write_banks.eq(walks | config.write),
            config.read_data.eq(
                delayed(m, states.read_data, CONFIG_LATENCY - 1, name="short_term_word")
            ),
        ]

        # What a spike would bring in the coming tick.
        raised = self._raised(m, u, name="coming")
        left = self._left(delayed(m, depleted, 1, name="coming_depleted"))
        shift = _PRODUCT_BITS - AMPLITUDE_BITS
        product = Signal(_PRODUCT_BITS + 1)
        m.d.sync += product.eq(raised * left)
        amplitude = Mux(marks, (product + (1 << shift >> 1)) >> shift, 1 << AMPLITUDE_BITS)
        m.submodules.amplitudes = amplitudes = BankedMemory(
            depth=core.n_axons, banks=1, bank_bits=len(self.amplitude)
        )
        m.d.comb += [
            amplitudes.write_row.eq(delayed(m, places, 2, name="amplitude_place")),
            amplitudes.write_data.eq(amplitude),
            amplitudes.write_banks.eq(steps[-1]),
            amplitudes.read_row.eq(delayed(m, self.axon, 1, name="looked_up")),
            amplitudes.read_enable.eq(1),
            self.amplitude.eq(
                delayed(m, amplitudes.read_data, SynapseMemory.latency - 2, name="amplitude")
            ),
            self.busy.eq(self.start | waiting | walking | walked | steps.any()),
        ]
        return m

    def _raised(self, m: Module, u: Value, *, name: str) -> Signal:
        """Return, a cycle later, ``u`` as a spike would raise it."""
        register = Signal(U_BITS, name=name)
        gain = (C(self.params.utilisation, U_BITS) * ((1 << U_BITS) - u)) >> U_BITS
        m.d.sync += register.eq(u + gain)
        return register

    def _left(self, depleted: Value) -> Value:
        """Return ``R``."""
        return (C(1 << DEPLETED_BITS, DEPLETED_BITS + 1) - depleted)[: DEPLETED_BITS + 1]

    def _decayed(self, m: Module, value: Signal, factor: int, keep: Value, *, name: str) -> Signal:
        """Return, two cycles later, a value after a tick: at least 1 less, so that it reaches 0."""
        product = Signal(len(value) + FACTOR_BITS, name=f"{name}_product")
        m.d.sync += product.eq(value * C(factor, FACTOR_BITS) + (1 << FACTOR_BITS >> 1))
        before = delayed(m, value, 1, name=f"{name}_before")
        rounded = product[FACTOR_BITS:]
        stuck = (rounded == before) & before.any()
        register = Signal(len(value), name=f"{name}_decayed")
        m.d.sync += register.eq(Mux(keep, before, rounded - stuck))
        return register
