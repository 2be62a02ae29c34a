"""The shapes that a written NIR file gives to signals, so that convolutions are nodes.

A Conv node takes (channels, *extent), and what it gives has such a shape too; a matrix takes a
vector, and gives one. NIR has a node that makes a vector of a shape, but none for the way back.
"""

from collections.abc import Callable

import numpy as np

from spikelet.network.convolution import Convolution
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.nir.handlers import convolution_node

__all__ = ["channel_bias", "written_shapes"]

Shape = tuple[int, ...]


def written_shapes(
    network: Network, bias_of: Callable[[Population], FloatArray]
) -> dict[str, Shape]:
    """Return the shapes of the input and of each population, by name.

    One has several axes where all that leads to it, if anything does, are convolutions that NIR has
    nodes for, and these and those behind it agree; else it is a vector. So a convolution is a node
    where its target is no vector, and all others are matrices.

    Parameters
    ----------
    network : Network
    bias_of : callable
        Returns what is added to a population's input in every tick, shape (size,): the first
        projection into it brings it.
    """
    nodes = [
        projection
        for population in network.populations
        for number, projection in enumerate(network.into(population.name))
        if _is_node(projection, np.zeros(1) if number else bias_of(population))
    ]
    while True:
        shapes = {name: _shape(network, name, nodes) for name in network.sizes}
        kept = [
            p
            for p in nodes
            if p.convolution is not None
            and shapes[p.source] == p.convolution.shape
            and shapes[p.target] == p.convolution.output_shape
        ]
        if len(kept) == len(nodes):
            return shapes
        nodes = kept


def channel_bias(convolution: Convolution, bias: FloatArray) -> FloatArray | None:
    """Return a bias of the output channels, shape (outputs,); None if it differs within one.

    Parameters
    ----------
    convolution : Convolution
    bias : array of float64, shape (1,) or (size,)
    """
    each = np.broadcast_to(bias, (convolution.size,)).reshape(len(convolution.kernel), -1)
    return each[:, 0] if (each == each[:, :1]).all() else None


def _is_node(projection: Projection, bias: FloatArray) -> bool:
    convolution = projection.convolution
    if convolution is None or (added := channel_bias(convolution, bias)) is None:
        return False
    return convolution_node(convolution, added) is not None


def _shape(network: Network, name: str, nodes: list[Projection]) -> Shape:
    """Return the shape on which the convolutions of a population agree, or that of a vector."""
    of_ends = {p.convolution.shape for p in nodes if p.convolution and p.source == name}
    of_ends |= {p.convolution.output_shape for p in nodes if p.convolution and p.target == name}
    into = [] if name == INPUT else network.into(name)
    if len(of_ends) == 1 and all(any(p is node for node in nodes) for p in into):
        return of_ends.pop()
    return (network.sizes[name],)
