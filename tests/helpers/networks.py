"""Small networks for the tests of the road: as float networks and as NIR files."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import nir  # type: ignore[import-untyped]
import numpy as np

from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.network.network import INPUT, Network, Population, Projection


class Reset(NamedTuple):
    """How LIF neurons reset: ``"zero"``, ``"value"`` or ``"subtract"``, and when.

    With ``delayed``, in the tick after the spike; with ``residual``, a potential still above the
    threshold is lowered for the next comparison, and raised again if that does not fire.
    """

    kind: str
    delayed: bool = False
    residual: bool = False


RESETS = {
    "snntorch-zero": Reset("zero", delayed=True),
    "snntorch-zero-immediate": Reset("zero"),
    "snntorch-subtract": Reset("subtract", delayed=True),
    "snntorch-subtract-immediate": Reset("subtract", residual=True),
    "nir-euler": Reset("value"),
}
"""LIF neurons that differ in their reset, by model, written down apart from the models' texts."""

LIF_MODELS = {name: neuron_model(name) for name in RESETS}

EULER = LIF_MODELS["nir-euler"]
SUBTRACT = LIF_MODELS["snntorch-subtract"]

DT = 1e-3
"""Seconds per tick, of which :func:`lif` is a neuron of decay 1/2."""

Edges = list[tuple[str, str]]


def lif(size: int = 1, **fields: Any) -> nir.LIF:
    """LIF of decay 1/2 and gain 1 at dt = 1e-3; a field may be given as one value."""
    values = {"tau": 2e-3, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **fields}
    return nir.LIF(**{k: np.broadcast_to(v, (size,)).astype(float) for k, v in values.items()})


def integrator(size: int = 1, **fields: Any) -> nir.IF:
    """IF of gain 1."""
    values = {"r": 1.0, "v_threshold": 1.0, "v_reset": 0.0, **fields}
    return nir.IF(**{k: np.broadcast_to(v, (size,)).astype(float) for k, v in values.items()})


def linear(outputs: int, inputs: int, seed: int = 0) -> nir.Linear:
    """Linear with random weights."""
    return nir.Linear(np.random.default_rng(seed).normal(size=(outputs, inputs)))


def affine(outputs: int, inputs: int, seed: int = 0) -> nir.Affine:
    """Affine with random weights and bias."""
    rng = np.random.default_rng(seed)
    return nir.Affine(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))


def source(*shape: int) -> nir.Input:
    """Input of a shape."""
    return nir.Input({"input": np.array(shape)})


def sink(*shape: int) -> nir.Output:
    """Output of a shape."""
    return nir.Output({"output": np.array(shape)})


def write(path: Path, nodes: dict[str, Any], edges: Edges | None = None, **metadata: Any) -> Path:
    """Write a graph, a chain in the order of ``nodes`` unless edges are given; return the path."""
    edges = list(pairwise(nodes)) if edges is None else edges
    nir.write(path, nir.NIRGraph(nodes, edges, metadata=metadata, type_check=False))
    return path


def population(name: str, size: int, neuron: NeuronModel = EULER, **fields: Any) -> Population:
    """Population of threshold 1; parameters that are None have their default."""
    values = {"threshold": np.ones(1), **fields}
    return Population(name, size, neuron, {n: v for n, v in values.items() if v is not None})


def chain(
    sizes: list[int],
    *,
    neuron: NeuronModel = EULER,
    seed: int = 0,
    scale: float = 1 / 8,
    **fields: Any,
) -> Network:
    """Fully connected populations p0, p1, ... with weights on a 4-bit grid of step ``scale``."""
    rng = np.random.default_rng(seed)
    names = [INPUT, *(f"p{i}" for i in range(len(sizes) - 1))]
    projections = [
        Projection(a, b, scale * _grid(rng, (m, n)))
        for a, b, m, n in zip(names, names[1:], sizes, sizes[1:], strict=False)
    ]
    populations = [
        population(n, s, neuron, **fields) for n, s in zip(names[1:], sizes[1:], strict=True)
    ]
    return Network("chain", sizes[0], 1e-3, tuple(populations), tuple(projections), (names[-1],))


def branched(
    *,
    neuron: NeuronModel = EULER,
    seed: int = 0,
    bias: float = 0.0,
    recurrent: Iterable[str] = (),
    decay: Any = None,
) -> Network:
    """Two branches, a skip connection from the input and one over a layer, and a deep output.

    Populations a and b are at depth 0, c at 1, out at 2; those of ``recurrent`` feed themselves.
    """
    rng = np.random.default_rng(seed)
    sizes = {INPUT: 7, "a": 9, "b": 5, "c": 20, "out": 3}
    pairs = [
        (INPUT, "a"),
        (INPUT, "b"),
        ("a", "c"),
        ("b", "c"),
        ("a", "out"),
        (INPUT, "out"),
        ("c", "out"),
        *((name, name) for name in recurrent),
    ]
    projections = [Projection(a, b, _grid(rng, (sizes[a], sizes[b])) / 8) for a, b in pairs]
    populations = [
        population(
            n,
            sizes[n],
            neuron,
            decay=decay,
            bias=bias * (1 + np.arange(sizes[n]) % 3),
            threshold=1 + np.arange(sizes[n]) % 5 / 8,
        )
        for n in ("a", "b", "c", "out")
    ]
    return Network("branched", 7, 1e-3, tuple(populations), tuple(projections), ("out",))


def _grid(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    values = rng.integers(-4, 8, shape).astype(float)  # lively: more excitation
    values.flat[:2] = (-8, 7)  # so that the grid's step is the only one that fits
    return values


def spikes(samples: int, ticks: int, inputs: int, *, rate: float = 0.3, seed: int = 0) -> Any:
    """Random input spikes (samples, ticks, inputs)."""
    return (np.random.default_rng(seed).random((samples, ticks, inputs)) < rate).astype(np.uint8)
