"""Pruning of what a chip has learned: the smallest weights become 0."""

import numpy as np

from spikelet.compiler.compiled import CompiledNetwork
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
        If there is no such projection, it is not plastic, made of devices or cannot be 0, or the
        share is outside its range.
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
    weights = np.array(compiled.weights(source, target, state.image))
    smallest = np.argsort(np.abs(weights), axis=None, kind="stable")[: round(share * weights.size)]
    weights.flat[smallest] = 0
    return compiled.with_weights(state, source, target, weights)
