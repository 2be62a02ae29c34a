"""Several chips side by side that are one: a large mesh in parts. No twin in golden, to which it is
one chip.
"""

from functools import reduce
from operator import and_, or_

from amaranth import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from spikelet.description.chip.params import ChipParams
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.layouts import feed

__all__ = ["JoinedChips", "whole_chip"]

_SIDES = {"east": ("west", 1, 0), "south": ("north", 0, 1)}


class JoinedChips(wiring.Component):
    """All the chips into which a mesh or line is cut, joined at their edges.

    The host speaks to the one at (0, 0) only. Configuration reaches all of them, in the same
    cycle, and so do the strobes that start a tick; a tick is over when all are idle.

    No bench of its own: ``sim/bench_chip.py`` runs it where a chip is cut, with the same tests.

    Timing, reset: those of :class:`Chip`.

    Parameters
    ----------
    chip : ChipParams
        The large mesh.

    Members
    -------
    Those of an uncut :class:`Chip`.
    """

    def __init__(self, chip: ChipParams) -> None:
        places = [(x, y) for y in range(chip.chip_rows) for x in range(chip.chip_columns)]
        self.parts = {place: Chip(chip, place) for place in places}
        signature = self.parts[0, 0].signature
        names = ["config_request", "config_response", "event_in", "event_out"]
        names += ["start", "clear", "busy"]
        super().__init__({name: signature.members[name] for name in names})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for (x, y), part in self.parts.items():
            m.submodules[f"chip_{x}_{y}"] = part
            for side, (opposite, step_x, step_y) in _SIDES.items():
                if neighbour := self.parts.get((x + step_x, y + step_y)):
                    connect(m, getattr(part, f"{side}_out"), getattr(neighbour, f"{opposite}_in"))
                    connect(m, getattr(neighbour, f"{opposite}_out"), getattr(part, f"{side}_in"))
        lead, *others = self.parts.values()
        feed(m, self.event_in, lead.event_in)
        feed(m, lead.event_out, self.event_out)
        connect(m, flipped(self.config_request), lead.config_request)
        m.d.comb += [
            lead.start.eq(self.start),
            lead.clear.eq(self.clear),
            self.busy.eq(lead.busy),
            lead.others_idle.eq(Cat(other.idle for other in others).all()),
            lead.others_core_dropped.eq(Cat(other.core_dropped for other in others).any()),
            lead.others_dropped.eq(sum(other.dropped for other in others)),
        ]
        for other in others:
            m.d.comb += [
                Value.cast(other.config_request.payload).eq(self.config_request.payload),
                other.config_request.valid.eq(
                    self.config_request.valid & self.config_request.ready
                ),
                other.core_start.eq(lead.core_start),
                other.core_clear.eq(lead.core_clear),
            ]
        # Chips to whose windows an address does not belong answer 0.
        answers = [part.config_response.payload for part in self.parts.values()]
        together = [part.config_response.valid for part in self.parts.values()]
        m.d.comb += [
            self.config_response.valid.eq(reduce(and_, together)),
            self.config_response.payload.eq(reduce(or_, answers)),
        ]
        return m


def whole_chip(chip: ChipParams) -> Chip | JoinedChips:
    """Return the component that is all of a chip, cut into several or not."""
    return JoinedChips(chip) if chip.chip_columns * chip.chip_rows > 1 else Chip(chip)
