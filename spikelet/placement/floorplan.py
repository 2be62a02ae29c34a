"""The positions of a chip, how their routers are joined, and how far packets go on them.

What :func:`spikelet.golden.network_on_chip.packet_links` lists for one packet is counted here for
many at once; the tests hold the two against each other.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.description.errors import SpikeletError

__all__ = ["MAX_POSITIONS", "Floorplan", "Packets", "TreeLevel", "dimension_order", "reach"]

MAX_POSITIONS = 4096
"""Positions that a chip may have."""

IntArray = npt.NDArray[np.int64]


class Packets(NamedTuple):
    """Packets on their way between positions; arrays of one length.

    Attributes
    ----------
    source : array of int64
        Position, or :data:`HOST`.
    target : array of int64
        Position, or :data:`HOST`; of a rectangle the one with the lowest x and y.
    columns, rows : array of int64
        Of the rectangle.
    rate : array of float64
        Packets a tick.
    """

    source: IntArray
    target: IntArray
    columns: IntArray
    rows: IntArray
    rate: npt.NDArray[np.float64]


class TreeLevel(NamedTuple):
    """Routers and cores of a tree that are equally far from its root, left to right.

    Each is over the leaves ``first``..``end - 1``; one of one leaf is the core itself.
    """

    first: IntArray
    end: IntArray


@dataclass(frozen=True)
class Floorplan:
    """Positions, and the topology that joins them.

    Parameters
    ----------
    topology : str
        As for :class:`ChipParams`.
    width, height : int
        Position ``i`` is at ``x = i % width``, ``y = i // width``.

    Raises
    ------
    SpikeletError
        For an unknown topology, or too many positions.
    """

    topology: str
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise SpikeletError(
                f"topology must be one of {', '.join(TOPOLOGIES)}, not {self.topology!r}"
            )
        if self.topology in ("line", "ring", "tree") and self.height != 1:
            raise SpikeletError(f"a {self.topology} has a height of 1, not {self.height}")
        if self.width * self.height > MAX_POSITIONS:
            positions = self.width * self.height
            raise SpikeletError(
                f"{self.width} x {self.height} are {positions} positions, "
                f"{positions - MAX_POSITIONS} more than the {MAX_POSITIONS} there can be"
            )

    @classmethod
    def of(cls, topology: str, n_cores: int) -> "Floorplan":
        """Return positions for so many cores: near-square, or in a line, as the topology is."""
        width = n_cores
        if topology not in ("line", "ring", "tree"):
            width = int(np.ceil(np.sqrt(n_cores)))
        return cls(topology, width, -(-n_cores // width))

    @property
    def rings(self) -> bool:
        """Whether rows and columns are rings."""
        return self.topology in ("torus", "ring")

    @cached_property
    def levels(self) -> tuple[TreeLevel, ...]:
        """Levels of a tree, from the root; the larger half of the leaves is on the left."""
        levels = [TreeLevel(np.array([0]), np.array([self.width]))]
        while len(levels) == 1 or (levels[-1].end - levels[-1].first > 1).any():
            first, end = levels[-1]
            splits = end - first > 1 if len(levels) > 1 else np.array([True])
            middle = (first + end + 1)[splits] // 2
            below = np.stack([first[splits], middle, middle, end[splits]], axis=1).reshape(-1, 2)
            below = below[below[:, 0] < below[:, 1]]
            levels.append(TreeLevel(below[:, 0], below[:, 1]))
        return tuple(levels)

    @cached_property
    def leaf_depth(self) -> IntArray:
        """Level at which each leaf of a tree is a core; the root is level 0."""
        depth = np.zeros(self.width, np.int64)
        for level, (first, end) in enumerate(self.levels[1:], start=1):
            depth[first[end - first == 1]] = level
        return depth

    def links_crossed(self, packets: Packets) -> IntArray:
        """Return how many links each packet crosses, those into its cores or the host included."""
        if self.topology == "tree":
            return self._tree_links(packets)
        source, target, columns, rows, _ = packets
        (east, west), (south, north) = dimension_order(self, source, target, columns, rows)
        return east + west + columns * (south + north) + columns * rows

    def _tree_links(self, packets: Packets) -> IntArray:
        source, target, columns, _, _ = packets
        to_host = target == HOST
        joint = self.joint_level(source, target, columns)
        ups = np.where(source == HOST, 0, self.leaf_depth[source] - 1 - joint)
        ups = np.where(to_host, self.leaf_depth[source], ups)
        downs = np.zeros_like(ups)
        for level in range(1, len(self.levels)):
            first, last, turned = self.branches(level, source, target, columns)
            found = last - first + 1 - turned
            downs += np.where((level > joint) & ~to_host, found, 0)
        return ups + downs

    def joint_level(self, source: IntArray, target: IntArray, columns: IntArray) -> IntArray:
        """Return the level of the lowest router over source and leaves; 0 from or to the host."""
        joint = np.zeros(len(source), np.int64)
        for level, (first, end) in enumerate(self.levels[1:-1], start=1):
            over = np.searchsorted(first, source, side="right") - 1
            covers = (first[over] <= np.minimum(source, target)) & (end[over] - first[over] > 1)
            covers &= end[over] > np.maximum(source, target + columns - 1)
            joint[covers & (source != HOST) & (target != HOST)] = level
        return joint

    def branches(
        self, level: int, source: IntArray, target: IntArray, columns: IntArray
    ) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
        """Return which nodes of a level are over leaves of the target: first, last, whether one
        of them is a router over the source, into which no packet falls.
        """
        first, end = self.levels[level]
        low = np.searchsorted(end, target, side="right")
        high = np.searchsorted(first, target + columns - 1, side="right") - 1
        over = np.searchsorted(first, source, side="right") - 1
        turned = (over >= low) & (over <= high) & (source < end[over]) & (source >= 0)
        return low, high, turned & (end[over] - first[over] > 1)

    @cached_property
    def distances(self) -> npt.NDArray[np.int32]:
        """Links that a packet crosses from each position to each, shape (positions, positions)."""
        places = np.arange(self.width * self.height)
        found = np.empty((places.size, places.size), np.int32)
        one = np.ones_like(places)
        for source in places:
            found[source] = self.links_crossed(
                Packets(np.full_like(places, source), places, one, one, one.astype(np.float64))
            )
        return found

    @cached_property
    def host_distances(self) -> IntArray:
        """Links from the host to each position; as many lead back."""
        places = np.arange(self.width * self.height)
        one = np.ones_like(places)
        return self.links_crossed(
            Packets(np.full_like(places, HOST), places, one, one, one.astype(np.float64))
        )


def reach(
    at: IntArray, first: IntArray, last: IntArray, ring: int | None
) -> tuple[IntArray, IntArray]:
    """Return how many links packets cross upwards and downwards along one dimension.

    Those outside ``first``..``last`` of a ring go one way round only, the shorter one to the
    nearer end, at a tie upwards.
    """
    up, down = np.maximum(last - at, 0), np.maximum(at - first, 0)
    if ring is not None:
        outside = (at < first) | (at > last)
        rises = (first - at) % ring <= (at - last) % ring
        up = np.where(outside, np.where(rises, (last - at) % ring, 0), up)
        down = np.where(outside, np.where(rises, 0, (at - first) % ring), down)
    return up, down


def dimension_order(
    plan: Floorplan, source: IntArray, target: IntArray, columns: IntArray, rows: IntArray
) -> tuple[tuple[IntArray, IntArray], tuple[IntArray, IntArray]]:
    """Return the reach of packets east and west, and that in each column south and north."""
    y_from, x_from = np.divmod(np.maximum(source, 0), plan.width)  # the host is at (0, 0)
    y, x = np.divmod(np.maximum(target, 0), plan.width)
    width, height = (plan.width, plan.height) if plan.rings else (None, None)
    return (
        reach(x_from, x, x + columns - 1, width),
        reach(y_from, y, y + rows - 1, height),
    )
