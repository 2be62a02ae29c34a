"""Random draws of each lane for stochastic rounding. Twin of ``golden/lfsr.py``."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikelet.description.chip.memory_map import Region
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.rtl_gen.layouts import CONFIG_LATENCY, RegionPort, delayed

__all__ = ["LaneLfsrs"]

_STATE_BITS = 32
_TAPS = (16, 14, 10, 9)


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

    Members
    -------
    advance : ``In(1)``
    draws : ``Out(lanes * DRAW_BITS)``
    config : ``In(RegionPort(...))``
        While not advancing.
    """

    def __init__(self, lanes: int, region: Region) -> None:
        self.lanes = lanes
        super().__init__(
            {
                "advance": In(1),
                "draws": Out(lanes * DRAW_BITS),
                "config": In(RegionPort((region.span - 1).bit_length(), region.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        states = [Signal(_STATE_BITS, name=f"state_{lane}") for lane in range(self.lanes)]
        first = states[-1][-DRAW_BITS:]
        below = Mux(config.write, config.data, first)
        for lane, state in enumerate(states):
            draw = self.draws.word_select(lane, DRAW_BITS)
            m.d.comb += draw.eq(
                state[_TAPS[0] :] ^ state[_TAPS[1] :] ^ state[_TAPS[2] :] ^ state[_TAPS[3] :]
            )
            entering = Mux(self.advance, draw, below)
            with m.If(self.advance | config.read | config.write):
                m.d.sync += state.eq(Cat(entering[:DRAW_BITS], state[:DRAW_BITS]))
            below = state[-DRAW_BITS:]
        m.d.comb += config.read_data.eq(delayed(m, first, CONFIG_LATENCY, name="first_word"))
        return m
