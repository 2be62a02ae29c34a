"""Random draws of each lane for stochastic rounding. Twin of ``golden/lfsr.py``."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed

__all__ = ["STATE_BITS", "LaneLfsrs", "next_draw"]

STATE_BITS = 32
"""Of an LFSR."""

_TAPS = (16, 14, 10, 9)


def next_draw(state: Value) -> tuple[Value, Value]:
    """Return the bits that come in to an LFSR of 32 in the next 16 steps, and its state then."""
    bits = (state[_TAPS[0] :] ^ state[_TAPS[1] :] ^ state[_TAPS[2] :] ^ state[_TAPS[3] :])[
        :DRAW_BITS
    ]
    return bits, Cat(bits, state[:DRAW_BITS])


class LaneLfsrs(wiring.Component):
    """An LFSR for each lane; all advance together by :data:`DRAW_BITS` steps.

    The configuration port sees them as a chain of words of 16 bits, highest word of the last lane
    first. Each access hands out that word and moves all words up; a read puts it in at the other
    end again, a write its data. So all words are read, or written, in order.

    Timing: ``draws`` are those of the next ``advance``, in the same cycle.
    Reset: to zeros, which never change; so load before use.

    Parameters
    ----------
    lanes : int
    region : Region
        Of the states in the memory map.
    draws : int
        1 or 2: so many follow one another at each ``advance``.

    Members
    -------
    advance : ``In(1)``
    draws : ``Out(lanes * draws * DRAW_BITS)``
    config : ``In(RegionPort(...))``
        While not advancing.
    """

    def __init__(self, lanes: int, region: Region, *, draws: int = 1) -> None:
        self.lanes = lanes
        self.visit_draws = draws
        super().__init__(
            {
                "advance": In(1),
                "draws": Out(lanes * draws * DRAW_BITS),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        states = [Signal(STATE_BITS, name=f"state_{lane}") for lane in range(self.lanes)]
        first = states[-1][-DRAW_BITS:]
        below = Mux(config.write, config.data, first)
        for lane, state in enumerate(states):
            following: Value = state
            for number in range(self.visit_draws):
                bits, after = next_draw(following)
                draw = self.draws.word_select(lane * self.visit_draws + number, DRAW_BITS)
                m.d.comb += draw.eq(bits)
                if number + 1 < self.visit_draws:
                    following = after
            entering = Mux(self.advance, draw, below)
            moved = following if self.visit_draws == 1 else Mux(self.advance, following, state)
            with m.If(self.advance | config.read | config.write):
                m.d.sync += state.eq(Cat(entering[:DRAW_BITS], moved[:DRAW_BITS]))
            below = state[-DRAW_BITS:]
        m.d.comb += config.read_data.eq(delayed(m, first, CONFIG_LATENCY, name="first_word"))
        return m
