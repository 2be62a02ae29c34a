"""Golden model of the learning rule: what a visit does. Twin of ``rtl_gen/learning_rule.py``."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.rule import DRAW_BITS, LearningRule
from spikelet.description.learning.text import Factor, LinearFactor, SumOfProducts, Term

__all__ = ["change", "visit"]

_Int = npt.NDArray[np.int64]

_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def visit(
    rule: LearningRule, terms: Sequence[Term], values: Mapping[str, _Int], draws: _Int | None
) -> tuple[_Int, _Int | None]:
    """Return the new weights and tags of the synapses between some axons and neurons.

    Parameters
    ----------
    rule : LearningRule
    terms : sequence of Term
        Those, of either target, that are evaluated now; the others count as 0.
    values : mapping of array of int64
        Variables and triggers (0 or 1) by name. ``w`` and, with tags, ``t`` have the shape
        (axons, neurons), the others one that can be broadcast to it.
    draws : array of int64, shape (axons, neurons), or None
        For a rule that rounds stochastically: the draw of each visit in the neuron's lane.

    Returns
    -------
    weights : array of int64, shape (axons, neurons)
        Where synapses are made of devices, the pulses that they get: 1 up, -1 down, 0 none.
    tags : array of int64, same shape, or None without tags
    """
    old = np.zeros_like(values["w"]) if rule.devices else values["w"]
    total = _total(rule.weight, terms, values, old)
    bits = rule.weight.fraction_bits
    drawn = None if draws is None else draws >> (DRAW_BITS - bits)
    bounds = (-1, 1) if rule.devices else (rule.w_min, rule.w_max)
    weights = np.clip(_rounded(total, bits, rule.rounding, drawn), *bounds)
    if rule.tag is None:
        return weights, None
    total = _total(rule.tag, terms, values, values["t"])
    bits = rule.tag.fraction_bits
    drawn = None if draws is None else draws & ((1 << bits) - 1)
    largest = (1 << (rule.tag_bits - 1)) - 1
    tags = np.clip(_rounded(total, bits, rule.tag_rounding, drawn), -largest - 1, largest)
    return weights, tags


def _total(
    target: SumOfProducts, terms: Sequence[Term], values: Mapping[str, _Int], old: _Int
) -> _Int:
    """Return the old value plus the change, with the target's fraction bits."""
    bits = target.fraction_bits
    mine = [term for term in target.terms if term in terms]
    return (old << bits) + change(mine, bits, values)


def change(terms: Sequence[Term], fraction_bits: int, values: Mapping[str, _Int]) -> _Int:
    """Return the sum of some terms, exactly, in units of ``2**-fraction_bits``.

    Parameters
    ----------
    terms : sequence of Term
    fraction_bits : int
        As many as the largest negative power of two in them needs, or more.
    values : mapping of array of int64
        Variables and triggers by name.
    """
    total = np.zeros((), np.int64)
    for term in terms:
        product = np.array(term.coefficient << (term.exponent + fraction_bits), np.int64)
        for trigger in term.triggers:
            if trigger[0] != "u":  # periods say when, not where
                product = product * values[trigger]
        for factor in term.factors:
            product = product * _factor(factor, values)
        total = total + product
    return total


def _factor(factor: Factor, values: Mapping[str, _Int]) -> _Int:
    if isinstance(factor, LinearFactor):
        total = np.array(factor.constant, np.int64)
        for name, sign in factor.variables:
            total = total + sign * values[name]
        return total
    holds = _COMPARE[factor.operator](values[factor.variable], factor.value)
    return np.asarray(holds, np.int64)


def _rounded(total: _Int, bits: int, rounding: str, drawn: _Int | None) -> _Int:
    """Drop the fraction bits; ``>>`` rounds towards minus infinity."""
    if rounding == "stochastic" and drawn is not None:
        return (total + drawn) >> bits
    if rounding == "toward_zero":
        return (total + np.where(total < 0, (1 << bits) - 1, 0)) >> bits
    return (total + (1 << bits >> 1)) >> bits
