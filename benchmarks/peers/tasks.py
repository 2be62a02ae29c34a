"""What the engines are compared by: see :data:`TASKS`. Needs numpy alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.layers import Layers
from benchmarks.peers.learning import Learning
from benchmarks.peers.scale import SIDE, Network

__all__ = ["TASKS", "Built", "Run", "Task"]

Run = Callable[[], tuple[float, npt.NDArray[np.int64]]]
"""Runs once; returns the seconds of it, and the spikes of each tick, or in all, as one number."""

Built = Callable[[Any], Run]
"""Builds an engine for the work of a task, runs it once, and returns what runs it."""


@dataclass(frozen=True)
class Task:
    """Something that golden and its peers compute.

    Parameters
    ----------
    title : str
    family : str
        Of the modules: ``benchmarks.peers.FAMILY_peers`` and ``FAMILY_golden``.
    work : Layers, Learning or Network
    ticks : int
        Of a run, over all its samples.
    golden : tuple of str
        Engines of ``FAMILY_golden``, what peers are compared with first.
    peers : tuple of str
        Engines of ``FAMILY_peers``, by name.
    goals : dict of str to float
        Times as fast as these that golden is to be; peers as their documentation shows them. The
        others are rearranged by hand.
    synapses : int
        Operations of a spike, where they are counted.
    """

    title: str
    family: str
    work: Any
    ticks: int
    golden: tuple[str, ...] = ("golden compiled",)
    peers: tuple[str, ...] = ()
    goals: dict[str, float] = field(default_factory=dict)
    synapses: int = 0


_BOTH = ("golden compiled", "golden numpy")
_LAYERS = ("Spyx", "sinabs", "snnTorch", "Spyx, by layer")
_CORES = ("Brian2", "snnTorch", "snnTorch, active rows")


def _layers(sizes: tuple[int, ...], samples: int, ticks: int, goal: float) -> Task:
    one = len(sizes) == 2
    peers = ("Brian2", "Spyx", "Spyx, by layer") if one else _LAYERS
    return Task(
        f"{'-'.join(map(str, sizes))}, batch {samples}, {ticks} ticks",
        "layers",
        Layers(sizes, samples, ticks),
        samples * ticks,
        _BOTH,
        peers,
        {name: goal for name in peers if "by" not in name},
    )


def _scale(
    cores: int, weights: str, ticks: int, peers: tuple[str, ...] = (), goal: float = 0.0
) -> Task:
    network = Network(cores, weights, ticks)
    goals = {name: goal for name in peers if name in ("Brian2", "snnTorch")}
    title = f"{cores:,} cores of 256x256, weights {weights}, {ticks} ticks"
    return Task(title, "scale", network, ticks, peers=peers, goals=goals, synapses=SIDE)


TASKS = {
    "core": _layers((256, 256), 1, 10_000, 4.0),
    "layers": _layers((784, 256, 128, 10), 1, 100, 5.0),
    "batch": _layers((784, 256, 128, 10), 128, 100, 1.5),
    "learning": Task(
        "784 to 400 with pair STDP, 7,000 ticks",
        "learning",
        Learning(7000),
        7000,
        _BOTH,
        ("Brian2", "Brian2, traces by neuron", "NEST"),
        {"Brian2": 10.0},
    ),
    "cores-64": _scale(
        64, "signed", 2000, ("Brian2", "snnTorch", "snnTorch, active rows", "NEST"), 8.0
    ),
    "cores-1024": _scale(
        1024, "signed", 200, ("Brian2", "snnTorch", "snnTorch, active rows"), 25.0
    ),
    "cores-4096": _scale(4096, "binary", 200),
}
"""By the name that ``--only`` takes."""
