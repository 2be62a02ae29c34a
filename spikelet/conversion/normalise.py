"""Data-based normalisation: what a spike of each layer is worth, and the NIR graph of it.

Neurons without a leak that reset by subtraction fire at a rate that follows ReLU, up to one spike a
tick (Diehl et al. 2015, "Fast-classifying, high-accuracy spiking deep networks through weight and
threshold balancing"). So the activations of a layer are divided by a high percentile of those that
samples cause, which a few exceed, and not by the largest (Rueckauer et al. 2017, "Conversion of
continuous-valued deep networks to efficient event-driven networks for image classification").
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikelet.conversion.layers import (
    FloatArray,
    Layer,
    Pooled,
    Rectified,
    ReluNetwork,
    Reshaped,
    Weighted,
)
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.nir.written import Fields, WrittenGraph

__all__ = ["OUTPUT", "Normalised", "normalised"]

OUTPUT = "output"
"""Name of the last layer of neurons."""


_MARGIN = 0.05
"""Of the range of the highest outputs: what lies between the lowest of them and 0."""


@dataclass(frozen=True, eq=False)
class Normalised:
    """A ReLU network with what a spike of each of its layers of neurons is worth.

    Parameters
    ----------
    network : ReluNetwork
    values : mapping of str to float
        The activation at one spike a tick, by layer of neurons: ``layer_1`` and so on, at last
        ``output``.
    lift : float
        What is added to all outputs, so that the highest of a sample is above 0.
    """

    __repr__ = summary

    network: ReluNetwork
    values: Mapping[str, float]
    lift: float

    def nir(self) -> bytes:
        """Return it as a NIR file of IF nodes whose thresholds are the values."""
        return _Writer(self).contents()


def normalised(network: ReluNetwork, values: FloatArray, percentile: float) -> Normalised:
    """Return a network with the values that samples give its layers.

    Parameters
    ----------
    network : ReluNetwork
    values : array of float64, shape (samples, inputs)
    percentile : float
        Of the activations above 0 of a layer, above 0 and at most 100; of the outputs, of the
        highest of each sample.

    Raises
    ------
    SpikeletError
        If a layer is not active in any sample, or activations are not finite.
    """
    found, lift = dict[str, float](), 0.0
    results = network.results(values)
    names = _neurons(network)
    for index, name in names.items():
        values = network.total(results, network.ends) if index < 0 else results[index]
        active = values
        if index < 0:
            active = values.max(axis=1)
            low, high = np.percentile(active, (100 - percentile, percentile))
            if _lifted(network) is not None:
                lift = float(max(0.0, _MARGIN * (high - low) - low))
            active = active + lift
        active = active[active > 0]
        if not active.size or not np.isfinite(active).all():
            raise SpikeletError(
                f"{name} of the ReLU network is {'not finite' if active.size else 'never above 0'} "
                f"on {len(values)} samples",
                remedy="check how the inputs were scaled in training (mean and std), and the "
                "network itself",
            )
        found[name] = float(np.percentile(active, percentile))
    return Normalised(network, found, lift)


def _neurons(network: ReluNetwork) -> dict[int, str]:
    """Return the layers that become neurons, by number, with their names.

    -1 stands for the output, where that is no such layer.
    """
    found = [i for i, layer in enumerate(network.layers) if isinstance(layer, Rectified)]
    if network.ends != tuple(found[-1:]):
        found.append(-1)
    return {index: f"layer_{n}" for n, index in enumerate(found[:-1], start=1)} | {
        found[-1]: OUTPUT
    }


def _lifted(network: ReluNetwork) -> int | None:
    """Return the last layer with weights that no neurons follow; None if there is none."""
    for index, layer in reversed(list(enumerate(network.layers))):
        if isinstance(layer, Rectified):
            return None
        if isinstance(layer, Weighted):
            return index
    return None


class _Writer:
    """Writes a network as NIR nodes; signals that meet in a node add there."""

    def __init__(self, made: Normalised) -> None:
        self.made, self.network = made, made.network
        shape = np.array(self.network.input_shape)
        self.graph = WrittenGraph({"input": ("Input", {"shape": shape})})
        self.ends: dict[int, list[tuple[str, float]]] = {-1: [("input", 1.0)]}
        """Nodes that a layer's result is the sum of, each times a factor."""
        self.names = _neurons(self.network)
        self.next = iter(self.names.values())
        self.prefix, self.number = next(self.next), 0

    def contents(self) -> bytes:
        """Return the file."""
        network = self.network
        for index, (layer, feed) in enumerate(zip(network.layers, network.feeds, strict=True)):
            before = [end for source in feed for end in self.ends[source]]
            shape = network.shape_of(feed[0])
            self.ends[index] = self._layer(index, layer, before, shape)
        last = [end for source in network.ends for end in self.ends[source]]
        shape = network.shape_of(network.ends[0])
        if -1 in self.names:
            last = self._fired(last, shape)
        self._node("end", "Output", {"shape": np.array(shape)}, last)
        return self.graph.contents()

    def _layer(
        self, index: int, layer: Layer, before: list[tuple[str, float]], shape: tuple[int, ...]
    ) -> list[tuple[str, float]]:
        if isinstance(layer, Rectified):
            return self._fired(before, shape)
        if isinstance(layer, Reshaped) and len(layer.shape_before) == 1:
            return before
        gains = {gain for _, gain in before}
        gain = gains.pop()
        if gains:
            before, gain = [self._scaled(end, shape) for end in before], 1.0
        if isinstance(layer, Weighted):
            lift = self.made.lift if index == _lifted(self.network) else 0.0
            kind, fields = layer.driven(gain).shifted(np.array([lift])).node
            gain = 1.0
        elif isinstance(layer, Pooled):
            kind, fields = layer.node
        else:
            assert isinstance(layer, Reshaped)
            axes = {"input_type": layer.shape_before, "start_dim": 0, "end_dim": -1}
            kind, fields = "Flatten", {name: np.array(value) for name, value in axes.items()}
        return [(self._node(None, kind, fields, before), gain)]

    def _fired(
        self, before: list[tuple[str, float]], shape: tuple[int, ...]
    ) -> list[tuple[str, float]]:
        """Write neurons that a sum of signals drives."""
        neurons = {"input", *self.names.values()}
        before = [
            self._scaled(end, shape) if end[1] != 1 or end[0] in neurons else end for end in before
        ]
        value = self.made.values[self.prefix]
        each = {"r": 1.0, "v_threshold": value, "v_reset": 0.0}
        fields = {field: np.full(shape, n) for field, n in each.items()}
        name = self._node(self.prefix, "IF", fields, before)
        self.prefix, self.number = next(self.next, ""), 0
        return [(name, value)]

    def _scaled(self, end: tuple[str, float], shape: tuple[int, ...]) -> tuple[str, float]:
        return self._node(None, "Scale", {"scale": np.full(shape, end[1])}, [end]), 1.0

    def _node(
        self, name: str | None, kind: str, fields: Fields, before: list[tuple[str, float]]
    ) -> str:
        """Write a node behind others; return its name."""
        if name is None:
            name = f"{self.prefix}_{kind.lower()}_{self.number}"
            self.number += 1
        self.graph.nodes[name] = (kind, fields)
        self.graph.edges += [(source, name) for source, _ in before]
        return name
