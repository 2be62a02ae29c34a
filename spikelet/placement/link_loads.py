"""How many packets a tick each link carries.

Every packet adds its rate to an interval of links in each dimension; the intervals are summed as
differences, so that the time grows with packets plus links, not with their product.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST
from spikelet.description.summary import summary
from spikelet.placement.floorplan import Floorplan, Packets, dimension_order

__all__ = ["LinkLoads", "link_loads"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinkLoads:
    """Loads of all directed links of a floorplan, in packets a tick.

    Parameters
    ----------
    plan : Floorplan
    loads : dict of str to array of float64
        On a grid by port (``"east"``, ``"west"``, ``"south"``, ``"north"``, ``"local"``,
        ``"host"``), shape (height, width). In a tree ``"up I"`` and ``"down I"`` for each level
        ``I``, one load for each node of the level: from it upwards, and into it from above; level 0
        sends up to the host.
    """

    __repr__ = summary

    plan: Floorplan
    loads: dict[str, FloatArray]

    @property
    def total(self) -> float:
        """Links crossed a tick by all packets together: the objective of the placement."""
        return float(sum(load.sum() for load in self.loads.values()))

    @property
    def largest(self) -> float:
        """Packets a tick on the busiest link."""
        return float(max(load.max(initial=0.0) for load in self.loads.values()))

    def by_link(self) -> dict[tuple[tuple[int, int], str], float]:
        """Return the loads above 0, with the links named as in ``golden.network_on_chip``."""
        return self._tree_links() if self.plan.topology == "tree" else self._grid_links()

    def _grid_links(self) -> dict[tuple[tuple[int, int], str], float]:
        return {
            ((int(x), int(y)), port): float(load[y, x])
            for port, load in self.loads.items()
            for y, x in np.argwhere(load > _NOTHING)
        }

    def _tree_links(self) -> dict[tuple[tuple[int, int], str], float]:
        found = {}
        for level, (first, end) in enumerate(self.plan.levels):
            up, down = self.loads[f"up {level}"], self.loads[f"down {level}"]
            for node in np.flatnonzero(up > _NOTHING):
                found[(int(first[node]), int(end[node])), "up"] = float(up[node])
            for node in np.flatnonzero(down > _NOTHING):
                above = self.plan.levels[level - 1]
                router = np.searchsorted(above.first, first[node], side="right") - 1
                name = (int(above.first[router]), int(above.end[router]))
                branch = "left" if first[node] == name[0] else "right"
                found[name, branch] = float(down[node])
        return found


_NOTHING = 1e-9
"""What the rounding of sums may leave on a link that carries nothing."""


def link_loads(plan: Floorplan, packets: Packets) -> LinkLoads:
    """Return the load of each link.

    Parameters
    ----------
    plan : Floorplan
    packets : Packets
    """
    loads = _tree_loads if plan.topology == "tree" else _grid_loads
    return LinkLoads(plan, loads(plan, packets))


def _grid_loads(plan: Floorplan, packets: Packets) -> dict[str, FloatArray]:
    source, target, columns, rows, rate = packets
    to_host = target == HOST
    y_from, x_from = np.divmod(np.maximum(source, 0), plan.width)
    y, x = np.divmod(np.maximum(target, 0), plan.width)
    (east, west), (south, north) = dimension_order(plan, source, target, columns, rows)
    row, columns_end = (y_from, y_from + 1), (x, x + columns)

    def area(y_range: _Range, x_range: _Range, which: npt.NDArray[np.bool_]) -> FloatArray:
        return _summed(plan, y_range, x_range, np.where(which, rate, 0.0))

    anywhere = np.ones_like(to_host)
    return {
        "east": area(row, (x_from, x_from + east), anywhere),
        "west": area(row, (x_from - west + 1, x_from + 1), anywhere),
        "south": area((y_from, y_from + south), columns_end, anywhere),
        "north": area((y_from - north + 1, y_from + 1), columns_end, anywhere),
        "local": area((y, y + rows), columns_end, ~to_host),
        "host": area((y, y + rows), columns_end, to_host),
    }


_Range = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _summed(plan: Floorplan, y_range: _Range, x_range: _Range, rate: FloatArray) -> FloatArray:
    """Return the sum of rates over rectangles, some of which wrap around.

    Ranges are from one place to before another; they begin no lower than ``1 - size``.
    """
    width, height = plan.width, plan.height
    total = np.zeros((3 * height + 1, 3 * width + 1))
    for y, y_sign in ((y_range[0], 1), (y_range[1], -1)):
        for x, x_sign in ((x_range[0], 1), (x_range[1], -1)):
            np.add.at(total, (y + height, x + width), y_sign * x_sign * rate)
    total = total.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
    folded: FloatArray = total.reshape(3, height, 3, width).sum(axis=(0, 2))
    np.maximum(folded, 0.0, out=folded)  # what the rounding of sums may leave
    return folded


def _tree_loads(plan: Floorplan, packets: Packets) -> dict[str, FloatArray]:
    source, target, columns, _, rate = packets
    to_host = target == HOST
    joint = plan.joint_level(source, target, columns)
    loads: dict[str, FloatArray] = {}
    for level, (first, _) in enumerate(plan.levels):
        nodes = len(first)
        over = np.searchsorted(first, source, side="right") - 1
        router = (source != HOST) & (level < plan.leaf_depth[source])
        rises = router & (to_host | (level > joint))
        loads[f"up {level}"] = np.bincount(over[rises], rate[rises], nodes).astype(np.float64)
        low, high, turned = plan.branches(level, source, target, columns)
        falls = ~to_host & (level > joint) & (low <= high)
        ends = np.zeros(nodes + 1)
        np.add.at(ends, low[falls], rate[falls])
        np.add.at(ends, high[falls] + 1, -rate[falls])
        down = ends.cumsum()[:nodes] - np.bincount(
            over[falls & turned], rate[falls & turned], nodes
        )
        loads[f"down {level}"] = np.maximum(down, 0.0)
    return loads
