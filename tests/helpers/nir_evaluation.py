"""NIR graphs carried out node by node, without folding: the tests' own import."""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from tests.helpers.networks import DT, EULER, Edges, spikes, write
from tests.helpers.slow_convolution import convolved, pooled


def refused(path: Path, *parts: str, neuron: Any = EULER, dt: float | None = DT) -> str:
    """Assert that the file is refused with these parts in the message, in order; return it."""
    with pytest.raises(SpikeletError) as info:
        load_network(path, neuron, dt)
    message = str(info.value)
    pattern = ".*".join(re.escape(part) for part in (str(path), *parts))
    assert re.search(pattern, message, re.DOTALL), message
    assert "remedy: " in message
    return message


def evaluate(
    nodes: dict[str, Any], edges: Edges, sample: Any, back: Iterable[str] = ()
) -> dict[str, list[Any]]:
    """Run a NIR graph tick by tick on node values (nir-euler, dt = DT).

    Nodes of ``back`` are fed the spikes of the tick before.
    """
    spiking = {n: x for n, x in nodes.items() if isinstance(x, nir.LIF | nir.IF)}
    late = {(a, b) for a, b in edges if a in spiking and b in back}
    order, rest = [], list(nodes)
    while rest:
        ready = [
            n for n in rest if all(a in order for a, b in edges if b == n and (a, b) not in late)
        ]
        order += ready
        rest = [n for n in rest if n not in ready]
    v: dict[str, Any] = {}
    fired: dict[str, list[Any]] = {n: [] for n in nodes}
    out: dict[str, Any] = {name: np.zeros(node.v_threshold.shape) for name, node in spiking.items()}
    for tick in sample:
        before, out = out, {}
        for name in order:
            node = nodes[name]
            sources = [a for a, b in edges if b == name]
            x: Any = sum((before[a] if (a, name) in late else out[a] for a in sources), 0.0)
            if name not in spiking:
                out[name] = passed(node, tick if isinstance(node, nir.Input) else x)
            else:
                shape = np.shape(x)
                x = np.ravel(x)
                old = v.get(name, np.zeros(len(x)))
                if isinstance(node, nir.LIF):
                    new = old + DT / node.tau * (node.v_leak - old + node.r * x)
                else:
                    new = old + node.r * x
                out[name] = (new > node.v_threshold).astype(float)
                v[name] = np.where(out[name] > 0, node.v_reset, new)
                fired[name].append(out[name])
                out[name] = out[name].reshape(shape)
    return fired


def passed(node: Any, x: Any) -> Any:
    """Return what a node without neurons makes of the values ``x`` of a tick."""
    if isinstance(node, nir.Input):
        return x.astype(float).reshape(node.input_type["input"])
    if isinstance(node, nir.Scale):
        return x * node.scale.reshape(x.shape)
    if isinstance(node, nir.Linear | nir.Affine):
        return node.weight @ x.ravel() + getattr(node, "bias", 0.0)
    if isinstance(node, nir.Conv1d | nir.Conv2d):
        stride, dilation = (pair(value, x.ndim - 1) for value in (node.stride, node.dilation))
        padding = [(n, n) for n in pair(node.padding, x.ndim - 1)]
        y = convolved(x, node.weight, stride, padding, dilation, int(node.groups))
        return y + node.bias.reshape(-1, *(1,) * (x.ndim - 1))
    if isinstance(node, nir.SumPool2d | nir.AvgPool2d):
        window, stride, padding = (
            pair(v, 2) for v in (node.kernel_size, node.stride, node.padding)
        )
        y = pooled(x, window, stride, padding)
        return y / np.prod(window) if isinstance(node, nir.AvgPool2d) else y
    return x.ravel() if isinstance(node, nir.Flatten) else x


def pair(value: Any, axes: int) -> list[int]:
    """Return a number for each axis."""
    return np.broadcast_to(value, (axes,)).tolist()  # type: ignore[no-any-return]


def check_against_evaluation(
    path: Path, nodes: dict[str, Any], edges: Edges | None = None, back: Iterable[str] = ()
) -> int:
    """Assert that a graph, written and imported, spikes as it does node by node; count spikes."""
    write(path, nodes, edges)
    edges = list(pairwise(nodes)) if edges is None else edges
    network = load_network(path, EULER, DT)
    sample = spikes(1, 25, network.n_inputs, rate=0.5, seed=3)
    expected = evaluate(nodes, edges, sample[0], back)
    total = 0
    for population, run in zip(network.populations, run_float(network, sample), strict=True):
        np.testing.assert_array_equal(run.spikes[0], np.array(expected[population.name], bool))
        total += int(run.spikes.sum())
    return total
