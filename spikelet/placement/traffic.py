"""What the parts of a network send each other in a tick."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from spikelet.description.chip.destinations import HOST
from spikelet.description.summary import summary
from spikelet.placement.floorplan import Floorplan, Packets
from spikelet.placement.link_loads import LinkLoads, link_loads
from spikelet.placement.multicast import cover

__all__ = ["Multicasts", "Traffic"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Multicasts:
    """Packets of several parts to the same set of parts, which share axon and delay.

    Parameters
    ----------
    targets : array of int64
        Two parts or more.
    sources : array of int64
        Parts, each once.
    rates : array of float64, shape (sources,)
        Packets a tick of each.
    """

    __repr__ = summary

    targets: IntArray
    sources: IntArray
    rates: FloatArray

    def cover(self, plan: Floorplan, position: IntArray) -> IntArray:
        """Return the rectangles (x, y, columns, rows) that hold the targets, wherever parts are."""
        return cover(plan.width, position[self.targets])

    def packets(self, plan: Floorplan, position: IntArray, rectangles: IntArray) -> Packets:
        """Return the packets of every source to every rectangle."""
        x, y, columns, rows = rectangles.T
        n_sources, n_rectangles = len(self.sources), len(x)
        return Packets(
            np.repeat(position[self.sources], n_rectangles),
            np.tile(y * plan.width + x, n_sources),
            np.tile(columns, n_sources),
            np.tile(rows, n_sources),
            np.repeat(self.rates, n_rectangles),
        )

    def cost(self, plan: Floorplan, position: IntArray, rectangles: IntArray) -> float:
        """Return the links that these packets cross in a tick."""
        packets = self.packets(plan, position, rectangles)
        return float(plan.links_crossed(packets) @ packets.rate)


@dataclass(frozen=True, eq=False)
class Traffic:
    """Packets a tick between parts, and between parts and host.

    Parameters
    ----------
    n_parts : int
    source, target : array of int64
        Part or :data:`HOST`; of packets to one core.
    rate : array of float64
        Packets a tick.
    multicasts : tuple of Multicasts
    """

    __repr__ = summary

    n_parts: int
    source: IntArray
    target: IntArray
    rate: FloatArray
    multicasts: tuple[Multicasts, ...] = ()

    @cached_property
    def unicast(self) -> "Traffic":
        """The same, with a packet to each core instead of multicasts."""
        sources, targets, rates = [self.source], [self.target], [self.rate]
        for group in self.multicasts:
            sources.append(np.repeat(group.sources, len(group.targets)))
            targets.append(np.tile(group.targets, len(group.sources)))
            rates.append(np.repeat(group.rates, len(group.targets)))
        return Traffic(
            self.n_parts, np.concatenate(sources), np.concatenate(targets), np.concatenate(rates)
        )

    def on(self, plan: Floorplan, position: IntArray) -> Packets:
        """Return the packets when part ``i`` is at ``position[i]``."""
        where = np.append(position, HOST)  # HOST is -1, and finds itself at the end
        one = np.ones_like(self.source)
        single = Packets(where[self.source], where[self.target], one, one, self.rate)
        parts = [single]
        for group in self.multicasts:
            parts.append(group.packets(plan, position, group.cover(plan, position)))
        return Packets(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))

    def loads(self, plan: Floorplan, position: IntArray) -> LinkLoads:
        """Return the load of each link when part ``i`` is at ``position[i]``."""
        return link_loads(plan, self.on(plan, position))

    @cached_property
    def pairs(self) -> sparse.csr_array:
        """Packets a tick between each two parts, both ways together; without multicasts."""
        between = (self.source != HOST) & (self.target != HOST) & (self.source != self.target)
        shape = (self.n_parts, self.n_parts)
        one_way = sparse.csr_array(
            (self.rate[between], (self.source[between], self.target[between])), shape
        )
        both: sparse.csr_array = (one_way + one_way.T).tocsr()
        both.sum_duplicates()
        return both

    @cached_property
    def with_host(self) -> FloatArray:
        """Packets a tick between each part and the host, shape (n_parts,)."""
        total = np.zeros(self.n_parts)
        for part, end in ((self.target, self.source), (self.source, self.target)):
            here = end == HOST
            np.add.at(total, part[here], self.rate[here])
        return total
