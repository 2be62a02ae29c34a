"""Graded inputs: a network whose input lines carry a count in each tick instead of one spike."""

from dataclasses import replace

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.network.matrices import by_column
from spikelet.network.network import INPUT, Network, Projection

__all__ = ["graded_inputs", "with_graded_inputs"]


def graded_inputs(network: Network, levels: int | None, counts: int | None) -> Network:
    """Return a network with graded inputs, steps from 0 to 1 or counts; with neither, as it is.

    SpikeletError for both, and as :func:`with_graded_inputs`.
    """
    if levels is not None and counts is not None:
        raise SpikeletError(
            "inputs are either steps from 0 to 1 or counts",
            remedy="give one of input_levels (--input-levels) and input_counts (--input-counts)",
        )
    if levels is not None:
        return with_graded_inputs(network, levels)
    return network if counts is None else with_graded_inputs(network, counts, counts=True)


def with_graded_inputs(network: Network, levels: int, *, counts: bool = False) -> Network:
    """Return a network with inputs of 0..``levels``.

    For direct coding an input of ``levels`` is what an input of 1 was: weights from the inputs are
    divided by it. As ``counts``, each is what it was to the network that was trained.
    SpikeletError if inputs are graded already, or ``levels`` is not in 1..255.
    """
    if network.input_levels > 1:
        raise SpikeletError(
            f"network {network.name!r}: its inputs are graded already, "
            f"in {network.input_levels} steps"
        )
    graded = replace(network, input_levels=levels)
    if counts:
        return graded
    projections = tuple(
        _divided(p, levels) if p.source == INPUT else p for p in network.projections
    )
    return replace(graded, projections=projections)


def _divided(projection: Projection, by: float) -> Projection:
    convolution = projection.convolution
    if convolution is not None:
        convolution = replace(convolution, kernel=convolution.kernel / by)
    weights = by_column(projection.weights, np.divide, np.array([by]))
    return replace(projection, weights=weights, convolution=convolution)
