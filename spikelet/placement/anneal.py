"""Simulated annealing: two parts change places, at first also for the worse.

Neighbouring exchanges alone get stuck in the first hollow; random ones are mostly refused. So a
part is exchanged with one near the position drawn for it, and the reach shrinks as it cools.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikelet.placement.floorplan import Floorplan
from spikelet.placement.traffic import Traffic

__all__ = ["anneal_multicasts", "anneal_pairs"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_STEPS, _STEPS_PER_PART = 12_000, 20
"""Steps of :func:`anneal_pairs`, each of many exchanges: at most, and for each part."""

_LARGEST_STEP = 40_000
"""Traffic entries looked at in a step, which bounds its time."""

_TRIALS = 5_000
"""Exchanges that :func:`anneal_multicasts` tries, one after another."""

_GROUPS = 32
"""Groups of multicasts whose trees :func:`anneal_multicasts` looks at: those of most packets."""

_COOLING = 1e-3
"""Last temperature, as a part of the first."""


def anneal_pairs(
    traffic: Traffic, plan: Floorplan, start: IntArray, rng: np.random.Generator, effort: float
) -> IntArray:
    """Exchange parts to lower the objective of packets to one core each.

    A step draws many disjoint pairs of parts and decides on each as if the others stayed. Where
    parts that talk to each other move in the same step the gain differs from what was expected,
    which only adds to the noise of a high temperature. The best positions seen are returned.

    Parameters
    ----------
    traffic : Traffic
        Without multicasts.
    plan : Floorplan
    start : array of int64, shape (parts,)
    rng : Generator
    effort : float
        Multiplies the steps.
    """
    n = traffic.n_parts
    if n < 2 or not (traffic.pairs.nnz or traffic.with_host.any()):
        return start
    state = _PairState(traffic, plan, start)
    degree = 1 + traffic.pairs.nnz / n
    at_once = int(np.clip(min(n / 12, _LARGEST_STEP / (2 * degree)), 1, 256))
    steps = int(effort * min(_STEPS, _STEPS_PER_PART * n))
    best, lowest = start.copy(), state.objective()
    first = 0.0
    for step in range(steps):
        progress = step / steps
        window = max(1.0, n ** (1 - progress) / 2)
        a, b = state.draw(at_once, window, rng)
        change = state.change(a, b)
        if step == 0:
            first = 0.1 * state.typical_change(rng)
        temperature = first * _COOLING**progress
        taken = change <= temperature * rng.exponential(size=len(a))
        state.exchange(a[taken], b[taken])
        if step % 200 == 199 or step == steps - 1:
            value = state.objective()
            if value < lowest:
                best, lowest = state.position.copy(), value
    return best


class _PairState:
    """Positions, and what exchanges of parts would change."""

    def __init__(self, traffic: Traffic, plan: Floorplan, start: IntArray) -> None:
        self.pairs = traffic.pairs
        self.with_host = traffic.with_host
        self.far = plan.distances[: len(start), : len(start)]
        self.host_far = plan.host_distances
        self.near = np.argsort(self.far, axis=1, kind="stable").astype(np.int16)
        self.position = start.copy()
        self.part_at = np.argsort(start)

    def objective(self) -> float:
        """Return the links crossed a tick, but for a constant."""
        place = self.position
        rows = np.repeat(np.arange(len(place)), np.diff(self.pairs.indptr))
        ways = self.far[place[rows], place[self.pairs.indices]]
        return float(self.pairs.data @ ways / 2 + self.with_host @ self.host_far[place])

    def draw(
        self, count: int, window: float, rng: np.random.Generator
    ) -> tuple[IntArray, IntArray]:
        """Return pairs of parts, all different, no further apart than ``window`` places."""
        n = len(self.position)
        a = rng.integers(0, n, count)
        rank = 1 + (rng.random(count) * min(window, n - 1)).astype(np.int64)
        b = self.part_at[self.near[self.position[a], np.minimum(rank, n - 1)]]
        both = np.concatenate([a, b])
        _, first = np.unique(both, return_index=True)
        once = np.zeros(2 * count, np.bool_)
        once[first] = True
        kept = once[:count] & once[count:]
        return a[kept], b[kept]

    def change(self, a: IntArray, b: IntArray) -> FloatArray:
        """Return what each exchange alone would add to the objective."""
        here, there = self.position[a], self.position[b]
        host = (self.with_host[a] - self.with_host[b]) * (
            self.host_far[there] - self.host_far[here]
        )
        return host + self._moved(a, here, there, b) + self._moved(b, there, here, a)

    def _moved(self, part: IntArray, old: IntArray, new: IntArray, other: IntArray) -> FloatArray:
        """Return what moving parts adds; what they send the part they change with stays as far."""
        begin = self.pairs.indptr[part].astype(np.int64)
        count = self.pairs.indptr[part + 1] - begin
        ends = np.cumsum(count)
        entry = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + count, count)
        owner = np.repeat(np.arange(len(part)), count)
        talked_to = self.pairs.indices[entry]
        place = self.position[talked_to]
        added = self.far[new[owner], place] - self.far[old[owner], place]
        added = np.where(talked_to == other[owner], 0, added)
        moved = np.bincount(owner, self.pairs.data[entry] * added, len(part))
        return moved.astype(np.float64)

    def exchange(self, a: IntArray, b: IntArray) -> None:
        """Exchange pairs of parts, all different."""
        self.position[a], self.position[b] = self.position[b], self.position[a]
        self.part_at[self.position[a]] = a
        self.part_at[self.position[b]] = b

    def typical_change(self, rng: np.random.Generator) -> float:
        """Return the mean size of what random exchanges change."""
        n = len(self.position)
        change = self.change(rng.integers(0, n, 256), rng.integers(0, n, 256))
        return float(np.abs(change).mean())


def anneal_multicasts(
    traffic: Traffic, plan: Floorplan, start: IntArray, rng: np.random.Generator, effort: float
) -> IntArray:
    """Exchange parts to lower the whole objective, multicast trees included.

    Rectangles are found anew for every exchange, so it tries fewer than :func:`anneal_pairs`.

    Parameters
    ----------
    traffic, plan, start, rng, effort
        As for :func:`anneal_pairs`, with multicasts.
    """
    n = traffic.n_parts
    state = _TreeState(traffic, plan, start)
    best, lowest = start.copy(), state.total
    first = 0.0
    trials = int(effort * min(_TRIALS, 4 * n * n))
    for trial, (a, b) in enumerate(_exchanges(n, trials, rng)):
        change, found = state.change(a, b)
        first = max(first, 0.02 * abs(change)) if trial < 0.01 * trials else first
        temperature = first * _COOLING ** (trial / trials)
        if change <= temperature * rng.exponential():
            state.exchange(a, b, change, found)
            if state.total < lowest - 1e-9:
                best, lowest = state.position.copy(), state.total
    return best


def _exchanges(n: int, trials: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    for _ in range(trials if n > 1 else 0):
        a, b = rng.integers(0, n), rng.integers(0, n - 1)
        yield int(a), int(b + (b >= a))


class _TreeState:
    """Positions, and the rectangles and cost of each group of multicasts."""

    def __init__(self, traffic: Traffic, plan: Floorplan, start: IntArray) -> None:
        self.plan = plan
        heaviest = sorted(traffic.multicasts, key=lambda g: -g.rates.sum() * len(g.targets))
        self.groups = heaviest[:_GROUPS]
        self.pairs = _PairState(traffic, plan, start)
        self.targets = [set(group.targets.tolist()) for group in self.groups]
        self.sources = [set(group.sources.tolist()) for group in self.groups]
        self.covers = [group.cover(plan, start) for group in self.groups]
        self.costs = [
            group.cost(plan, start, rectangles)
            for group, rectangles in zip(self.groups, self.covers, strict=True)
        ]
        self.total = self.pairs.objective() + sum(self.costs)

    @property
    def position(self) -> IntArray:
        return self.pairs.position

    def change(self, a: int, b: int) -> tuple[float, dict[int, tuple[IntArray, float]]]:
        """Return what an exchange adds, and new rectangles and costs of the groups it touches."""
        one, other = np.array([a]), np.array([b])
        change = float(self.pairs.change(one, other)[0])
        moved = self.position.copy()
        moved[[a, b]] = moved[[b, a]]
        found = {}
        for index, group in enumerate(self.groups):
            # two targets that change places are the same set of targets
            reached = (a in self.targets[index]) != (b in self.targets[index])
            if reached or a in self.sources[index] or b in self.sources[index]:
                rectangles = group.cover(self.plan, moved) if reached else self.covers[index]
                cost = group.cost(self.plan, moved, rectangles)
                found[index] = (rectangles, cost)
                change += cost - self.costs[index]
        return change, found

    def exchange(
        self, a: int, b: int, change: float, found: dict[int, tuple[IntArray, float]]
    ) -> None:
        """Carry out an exchange of which :meth:`change` has told."""
        self.pairs.exchange(np.array([a]), np.array([b]))
        for index, (rectangles, cost) in found.items():
            self.covers[index], self.costs[index] = rectangles, cost
        self.total += change
