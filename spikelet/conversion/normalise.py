"""Data-based normalisation: what a spike of each layer is worth, and the NIR graph of it.

Neurons without a leak that reset by subtraction fire at a rate that follows ReLU, up to one spike a
tick (Diehl et al. 2015, "Fast-classifying, high-accuracy spiking deep networks through weight and
threshold balancing"). So the activations of a layer are divided by a high percentile of those that
samples cause, which a few exceed, and not by the largest (Rueckauer et al. 2017, "Conversion of
continuous-valued deep networks to efficient event-driven networks for image classification").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

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
        shape = self.network.input_shape
        nodes: dict[str, tuple[str, Fields]] = {"input": ("Input", {"shape": np.array(shape)})}
        before = 1.0
        for (name, value), segment in zip(
            self.values.items(), _segments(self.network), strict=True
        ):
            lift = self.lift if name == OUTPUT else 0.0
            for index, (kind, fields) in enumerate(_written(segment, shape, before, lift)):
                nodes[f"{name}_{kind.lower()}_{index}"] = (kind, fields)
            shape = segment[-1].shape if segment else shape
            each = {"r": 1.0, "v_threshold": value, "v_reset": 0.0}
            nodes[name] = ("IF", {field: np.full(shape, n) for field, n in each.items()})
            before = value
        nodes["end"] = ("Output", {"shape": np.array(shape)})
        return WrittenGraph(nodes, list(pairwise(nodes))).contents()


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
    segments, found, lift = _segments(network), dict[str, float](), 0.0
    for number, segment in enumerate(segments, start=1):
        for layer in segment:
            values = layer.apply(values)
        last = number == len(segments)
        if last and not isinstance(network.layers[-1], Rectified):
            active = values.max(axis=1)
            low, high = np.percentile(active, (100 - percentile, percentile))
            lift = float(max(0.0, _MARGIN * (high - low) - low))
            active = active + lift
        else:
            values = np.maximum(values, 0)
            active = values
        name = OUTPUT if last else f"layer_{number}"
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


def _segments(network: ReluNetwork) -> list[list[Layer]]:
    """Return the layers in front of each layer of neurons."""
    found: list[list[Layer]] = [[]]
    for layer in network.layers:
        if isinstance(layer, Rectified):
            found.append([])
        else:
            found[-1].append(layer)
    return found[:-1] if isinstance(network.layers[-1], Rectified) else found


def _written(
    segment: list[Layer], shape: tuple[int, ...], gain: float, lift: float
) -> Iterator[tuple[str, Fields]]:
    """Yield the nodes of layers in a row, of which the first weights are times ``gain``."""
    weighted = [n for n, layer in enumerate(segment) if isinstance(layer, Weighted)]
    if not weighted:
        yield "Scale", {"scale": np.full(shape, gain)}
    for number, layer in enumerate(segment):
        if isinstance(layer, Weighted):
            driven = layer.driven(gain) if number == weighted[0] else layer
            yield (driven.shifted(np.array([lift])) if number == weighted[-1] else driven).node
        elif isinstance(layer, Pooled):
            yield layer.node
        elif isinstance(layer, Reshaped) and len(layer.shape_before) > 1:
            axes = {"input_type": layer.shape_before, "start_dim": 0, "end_dim": -1}
            yield "Flatten", {name: np.array(value) for name, value in axes.items()}
