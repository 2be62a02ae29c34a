"""A small network, its samples, and workers that are no processes."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import numpy as np

import spikelet
from spikelet.network.network import INPUT, Network, Projection
from spikelet.samples.samples import Samples
from spikelet.sweeps.bench import Bench, Configuration, Point
from tests.helpers.networks import population

GRID: dict[str, Any] = {"weight_bits": [2, 4], "lanes": [1, 3], "ticks": [3, 6]}
"""Of 8 configurations, the 4 of 3 lanes make no chip."""


def task() -> tuple[Network, Samples]:
    """Return a network of 6 inputs and 4 outputs, and 10 samples of 6 ticks."""
    rng = np.random.default_rng(4)
    weights = Projection(INPUT, "out", rng.normal(0.2, 0.3, (6, 4)))
    network = Network("task", 6, 1e-3, (population("out", 4),), (weights,), ("out",))
    shown = spikelet.rate(rng.integers(0, 9, (10, 6)), 8, 6)
    return network, Samples(shown, np.arange(10) % 4)


class Here:
    """Workers in this thread; a configuration that ``kills`` breaks all of them."""

    kills: Callable[[Configuration], bool] = staticmethod(lambda configuration: False)
    room = 4

    def __init__(self, bench: Bench, workers: int | None = None) -> None:
        self.bench, self.out, self.renewed = bench, [], 0
        self.given: list[Configuration] = []

    def submit(self, configuration: Configuration) -> "Future[Point]":
        """Measure at once, unless an earlier one has broken the pool."""
        future: Future[Point] = Future()
        self.given.append(configuration)
        self.broken = getattr(self, "broken", False) or self.kills(configuration)
        if self.broken:
            future.set_exception(BrokenExecutor("a worker was killed"))
        else:
            future.set_result(self.bench.measured(configuration))
        return future

    def renew(self) -> None:
        self.broken = False
        self.renewed += 1

    def check(self) -> None:
        return

    def given_up(self, error: BaseException) -> bool:
        return False

    def close(self) -> None:
        return
