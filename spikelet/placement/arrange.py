"""Which part of a network goes to which position of the chip.

The objective is the number of links that packets cross in a tick, the sum of all link loads. With a
packet to each core alone it is a quadratic assignment problem (Koopmans & Beckmann 1957), which is
NP-hard; multicast makes it one of routing trees. The road taken is that of circuit placement:

* two starts. *Bisection* (Breuer 1977) halves the parts so that little traffic is cut, by METIS
  (Karypis & Kumar 1998), and gives the halves to the halves of the positions, each to the side
  that what it talks to is on (terminal propagation, Dunlop & Kernighan 1985). *Slicing* (Otten
  1982) keeps the parts in order and cuts between populations, so that each gets a rectangle.
* simulated annealing from each (Kirkpatrick, Gelatt & Vecchi 1983; for placement Sechen &
  Sangiovanni-Vincentelli 1985), which exchanges two parts at a time.

The better of the two is kept: the lower objective and, of equals, the lower largest link load. If
there are multicasts, it is annealed once more with their trees, as they really are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.placement.anneal import anneal_multicasts, anneal_pairs
from spikelet.placement.bisect import bisection, slicing
from spikelet.placement.floorplan import Floorplan
from spikelet.placement.link_loads import LinkLoads
from spikelet.placement.quality import RandomPlacements
from spikelet.placement.traffic import Traffic

__all__ = ["Arrangement", "arrange", "random_placements"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Positions of the parts of a network.

    Parameters
    ----------
    plan : Floorplan
    position : array of int64, shape (parts,)
        Of each part; the parts fill the first positions.
    loads : LinkLoads
    start : str
        ``"bisection"`` or ``"slicing"``: which start led here.
    objectives : dict of str to float
        By start, before the trees of multicasts are annealed.
    """

    __repr__ = summary

    plan: Floorplan
    position: IntArray
    loads: LinkLoads
    start: str
    objectives: dict[str, float]


def arrange(
    traffic: Traffic, plan: Floorplan, group: npt.ArrayLike, *, seed: int = 0, effort: float = 1.0
) -> Arrangement:
    """Place parts so that heavy traffic stays near.

    Parameters
    ----------
    traffic : Traffic
    plan : Floorplan
        With at least as many positions as parts.
    group : array of int, shape (parts,)
        Ascending: the population of each part, which slicing keeps together.
    seed : int
        The same seed gives the same positions.
    effort : float
        Multiplies the exchanges that are tried; 0 leaves the starts as they are.
    """
    order = np.asarray(group, np.int64)
    starts = {
        "slicing": slicing(plan, order),
        "bisection": bisection(traffic.unicast, plan, seed),
    }
    rng = np.random.default_rng(seed)
    found = {}
    for name, start in starts.items():
        position = anneal_pairs(traffic.unicast, plan, start, rng, effort)
        found[name] = _better(traffic, plan, start, position)
    loads = {name: traffic.loads(plan, position) for name, position in found.items()}
    best = min(found, key=lambda name: (round(loads[name].total, 6), loads[name].largest))
    position = found[best]
    if traffic.multicasts:
        annealed = anneal_multicasts(traffic, plan, position, rng, effort)
        position = _better(traffic, plan, position, annealed)
    objectives = {name: found_loads.total for name, found_loads in loads.items()}
    return Arrangement(plan, position, traffic.loads(plan, position), best, objectives)


def _better(traffic: Traffic, plan: Floorplan, start: IntArray, annealed: IntArray) -> IntArray:
    """Return the better of two: what is good for packets to one core may tear rectangles apart."""
    return min(start, annealed, key=lambda position: traffic.loads(plan, position).total)


def random_placements(
    traffic: Traffic, plan: Floorplan, *, count: int = 8, seed: int = 0
) -> RandomPlacements:
    """Return the means over so many random placements."""
    rng = np.random.default_rng(seed)
    drawn = [traffic.loads(plan, rng.permutation(traffic.n_parts)) for _ in range(count)]
    totals = [loads.total for loads in drawn]
    return RandomPlacements(
        float(np.mean(totals)), float(np.mean([x.largest for x in drawn])), min(totals), count
    )
