"""Networks to place: dense, locally connected, and recurrent with loops and delays."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from spikelet.placement.inputs import INPUT
from spikelet.placement.network import Connection, PlacementNetwork


def dense(sizes: list[int], inputs: int = 8) -> PlacementNetwork:
    """Fully connected populations p0, p1, ..., the last of which is the output."""
    names = [INPUT, *(f"p{i}" for i in range(len(sizes)))]
    all_sizes = [inputs, *sizes]
    connections = tuple(
        Connection(a, b, np.ones((all_sizes[i], all_sizes[i + 1])), int(i > 0))
        for i, (a, b) in enumerate(pairwise(names))
    )
    populations = dict(zip(names[1:], sizes, strict=True))
    return PlacementNetwork("dense", populations, connections, {INPUT: inputs}, (names[-1],))


def sheet(side: int, reach: float = 1.5, fan_out: int = 12, seed: int = 0) -> PlacementNetwork:
    """A recurrent sheet of neurons, numbered at random, that talk to their neighbours."""
    rng = np.random.default_rng(seed)
    n = side * side
    names = rng.permutation(n)
    source = np.repeat(np.arange(n), fan_out)
    steps = rng.normal(0, reach, (2, source.size)).round().astype(int)
    x, y = (source % side + steps[0]) % side, (source // side + steps[1]) % side
    ends = (names[source], names[y * side + x])
    weights = sparse.csr_array((np.ones(source.size, np.int16), ends), (n, n))
    return PlacementNetwork("sheet", {"sheet": n}, (Connection("sheet", "sheet", weights),))


def mixed(seed: int) -> PlacementNetwork:
    """Two populations with sparse connections, a loop, two delays, inputs, and an output."""
    rng = np.random.default_rng(seed)

    def some(n: int, m: int) -> Any:
        return rng.integers(-3, 4, (n, m)) * (rng.random((n, m)) < rng.random())

    a, b = (int(n) for n in rng.integers(1, 40, 2))
    connections = (
        Connection(INPUT, "a", some(6, a), 0),
        Connection("a", "a", some(a, a), 1),
        Connection("a", "b", sparse.csr_array(some(a, b)), 2),
        Connection("a", "b", some(a, b), 5),
        Connection("b", "a", some(b, a), 1),
    )
    return PlacementNetwork("mixed", {"a": a, "b": b}, connections, {INPUT: 6}, ("b",))
