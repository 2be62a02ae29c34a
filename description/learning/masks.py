"""Synapses that were pruned stay so while the others learn."""

from dataclasses import replace

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule

__all__ = ["masked"]


def masked(rule: LearningRule) -> LearningRule:
    """Return a rule that leaves weights of 0 as they are: the mask of a pruned network.

    Every term of ``dw`` gets the factor ``(w != 0)``. A weight that learning brings to 0 is pruned,
    too; in the gates it costs a comparison a lane. What a synapse of weight 0 does to its tag
    stays.

    Raises
    ------
    SpikeletError
        If 0 is not within the bounds of the rule.
    """
    if not rule.w_min <= 0 <= rule.w_max:
        raise SpikeletError(
            f"rule {rule.name}: a mask needs a weight of 0 within {rule.w_min}..{rule.w_max}",
            remedy="widen w_min..w_max",
        )
    terms = "".join(
        f" {'-' if term.coefficient < 0 else '+'} {term.text}*(w != 0)"
        for term in rule.weight.terms
    )
    return replace(rule, dw=terms.removeprefix(" + ").strip(), name=f"{rule.name}, masked")
