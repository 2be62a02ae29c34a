"""Pruning of what a chip has learned: the smallest weights become 0."""

from dataclasses import replace

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError

__all__ = ["prune"]


def prune(
    compiled: CompiledNetwork, state: ChipState, source: str, target: str, share: float
) -> ChipState:
    """Return a state of a chip in which the smallest weights of a plastic projection are 0.

    By magnitude, as Han et al. 2015, "Learning both weights and connections for efficient neural
    networks". A rule made by :func:`~spikelet.description.learning.masks.masked` keeps them at 0
    when the chip goes on learning.

    Parameters
    ----------
    compiled : CompiledNetwork
    state : ChipState
        Of its chip.
    source, target : str
        Ends of the projection.
    share : float
        Of all its weights, 0..1, those that are 0 already included. Of equal ones those with the
        lower numbers go.

    Raises
    ------
    SpikeletError
        If there is no such projection, it is not plastic or cannot be 0, or the share is outside
        its range.
    """
    projection, what = compiled.network.projection(source, target), f"prune {source} -> {target}"
    rule = projection.rule
    if rule is None:
        raise SpikeletError(
            f"{what}: the projection is not plastic",
            remedy="prune the weights before the network is compiled",
        )
    if not rule.w_min <= 0 <= rule.w_max:
        raise SpikeletError(
            f"{what}: weights of {rule.w_min}..{rule.w_max} cannot be 0",
            remedy="widen the bounds of the rule",
        )
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise SpikeletError(f"{what}: share must be a number in 0..1, not {share!r}")
    layer = compiled.layer(target)
    index = layer.slices[0].core
    contents = state.image.cores[index]
    weights = contents.weights.copy()
    part = weights[compiled.axons(source, target), : layer.size]
    smallest = np.argsort(np.abs(part), axis=None, kind="stable")[: round(share * part.size)]
    rows, columns = np.unravel_index(smallest, part.shape)
    part[rows, columns] = 0
    cores = list(state.image.cores)
    cores[index] = replace(contents, weights=weights)
    return replace(state, image=ChipImage(tuple(cores)))
