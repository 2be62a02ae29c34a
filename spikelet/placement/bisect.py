"""Starts of a placement: halves of the parts on halves of the positions, again and again."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pymetis
from scipy import sparse

from spikelet.placement.floorplan import Floorplan
from spikelet.placement.traffic import Traffic

__all__ = ["bisection", "halves", "slicing"]

IntArray = npt.NDArray[np.int64]


class _Region(NamedTuple):
    """Parts, and as many positions for them."""

    parts: IntArray
    positions: IntArray


def slicing(plan: Floorplan, group: IntArray) -> IntArray:
    """Return the position of each part, neighbours in order side by side, groups in rectangles.

    Parameters
    ----------
    plan : Floorplan
    group : array of int64, shape (parts,)
        Ascending; a cut goes between groups where one is between a quarter and three quarters.
    """

    def split(parts: IntArray) -> int:
        half = len(parts) // 2
        between = 1 + np.flatnonzero(np.diff(group[parts]))
        near = between[np.abs(between - half) <= max(1, len(parts) // 4)]
        return int(near[np.argmin(np.abs(near - half))]) if near.size else half

    def divided(region: _Region) -> tuple[_Region, _Region]:
        count = split(region.parts)
        low, high = _position_halves(plan, region.positions, count)
        return _Region(region.parts[:count], low), _Region(region.parts[count:], high)

    return _placed(len(group), divided)


def bisection(traffic: Traffic, plan: Floorplan, seed: int) -> IntArray:
    """Return the position of each part, with little traffic between halves at every level.

    Parameters
    ----------
    traffic : Traffic
        Without multicasts.
    plan : Floorplan
    seed : int
    """
    pairs, with_host = traffic.pairs, traffic.with_host
    places = np.arange(plan.width * plan.height)
    x, y = places % plan.width, places // plan.width
    centre = np.zeros((traffic.n_parts, 2))

    def divided(region: _Region) -> tuple[_Region, _Region]:
        count = len(region.parts) // 2
        sub = pairs[region.parts][:, region.parts]
        low, high = _position_halves(plan, region.positions, count)
        first = halves(sub, count, seed)
        a, b = region.parts[first], region.parts[~first]
        middles = [np.array([x[half].mean(), y[half].mean()]) for half in (low, high)]
        if len(a) == len(b) and _pull(a, middles) + _pull(b, middles[::-1]) > (
            _pull(b, middles) + _pull(a, middles[::-1])
        ):
            a, b = b, a
        centre[a], centre[b] = middles
        return _Region(a, low), _Region(b, high)

    def _pull(parts: IntArray, middles: list[npt.NDArray[np.float64]]) -> float:
        """Return the traffic of parts with all others and the host, times its way to a middle."""
        outside = np.ones(traffic.n_parts, np.bool_)
        outside[parts] = False
        out = pairs[parts].sum(axis=0) * outside
        way = np.abs(centre - middles[0]).sum(axis=1)
        return float(out @ way + with_host[parts].sum() * middles[0].sum())

    return _placed(traffic.n_parts, divided)


def _placed(n_parts: int, divided: Callable[[_Region], tuple[_Region, _Region]]) -> IntArray:
    """Divide regions, the oldest first, until each has one part."""
    position = np.zeros(n_parts, np.int64)
    regions = [_Region(np.arange(n_parts), np.arange(n_parts))]
    for region in regions:
        if len(region.parts) == 1:
            position[region.parts] = region.positions
        else:
            regions += divided(region)
    return position


def _position_halves(plan: Floorplan, positions: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Cut positions across their longer side."""
    x, y = positions % plan.width, positions // plan.width
    across = np.ptp(x) >= np.ptp(y)
    order = np.lexsort((y, x) if across else (x, y))
    return positions[order[:count]], positions[order[count:]]


def halves(weights: sparse.csr_array, count: int, seed: int) -> npt.NDArray[np.bool_]:
    """Return which ``count`` vertices of a graph are in the first half, so that little is cut.

    METIS decides; then vertices with the least loss change sides until the count is met exactly.

    Parameters
    ----------
    weights : sparse array of float64, shape (n, n)
        Symmetric; weights of the edges.
    count : int
    seed : int
    """
    n = weights.shape[0]
    if n == 2 or weights.nnz == 0:
        return np.arange(n) < count
    largest = weights.data.max()
    graph = pymetis.CSRAdjacency(weights.indptr.astype(np.int32), weights.indices.astype(np.int32))
    _, side = pymetis.part_graph(
        2,
        graph,
        eweights=np.maximum(1, np.round(weights.data * (1000 / largest))).astype(np.int32),
        tpwgts=[count / n, 1 - count / n],
        recursive=True,
        options=pymetis.Options(seed=seed, ufactor=10),
    )
    first: npt.NDArray[np.bool_] = np.asarray(side) == 0
    while (excess := int(first.sum()) - count) != 0:
        crowded = first if excess > 0 else ~first
        loss = weights @ crowded - weights @ ~crowded
        candidates = np.flatnonzero(crowded)
        moved = candidates[np.argmin(loss[candidates])]
        first[moved] = ~first[moved]
    return first
