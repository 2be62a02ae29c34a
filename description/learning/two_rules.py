"""Two rules of a core: one text, in which a bit of each axon chooses between them."""

import re
from collections.abc import Sequence
from dataclasses import fields

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.text import TRACES

__all__ = ["both_rules"]

_OWN = ("dw", "dt", "name", "source", *TRACES)
"""Fields in which two rules of a core may differ, traces only if one has none."""


def both_rules(rules: Sequence[LearningRule]) -> LearningRule:
    """Return the rule of a core whose axons have one or the other: the second where ``b`` is 1.

    Each term of the first has the factor ``(b == 0)``, each of the second ``(b == 1)``.

    Parameters
    ----------
    rules : sequence of LearningRule
        One, which is returned as it is, or two.

    Raises
    ------
    SpikeletError
        If there are more, one reads ``b`` itself, or the two do not go together.
    """
    if len(rules) == 1:
        return rules[0]
    names = " and ".join(f"{rule.name} (dw = {rule.dw})" for rule in rules)
    if len(rules) > 2:
        raise SpikeletError(
            f"a core has two rules at most, and these are {len(rules)}: {names}",
            remedy="use two, or fix the weights of a projection",
        )
    first, second = rules
    for rule in rules:
        if "b" in rule.variables:
            raise SpikeletError(
                f"rule {rule.name} reads b, the axon's bit, which here chooses between {names}",
                remedy="use it alone, or write both rules as one text",
            )
    for field in fields(LearningRule):
        one, other = (getattr(rule, field.name) for rule in rules)
        differ = one != other and (
            field.name not in _OWN or (field.name in TRACES and None not in (one, other))
        )
        if differ:
            raise SpikeletError(
                f"two rules of a core must have the same {field.name}, and {names} have {one} and "
                f"{other}",
                remedy=f"give both the same {field.name}, or fix the weights of one projection",
            )
    return LearningRule(
        _gated(first.dw, second.dw),
        _gated(first.dt, second.dt),
        **{name: getattr(first, name) or getattr(second, name) for name in TRACES},
        **{f.name: getattr(first, f.name) for f in fields(LearningRule) if f.name not in _OWN},
        name=f"{first.name} and {second.name}",
    )


def _gated(*texts: str) -> str:
    """Return the sum of two rules, the terms of each with the comparison that chooses it."""
    found = ""
    for bit, text in enumerate(texts):
        for sign, term in _terms(text):
            found += f" {sign} {term}*(b == {bit})"
    return found.removeprefix(" + ").removeprefix(" ")


def _terms(text: str) -> list[tuple[str, str]]:
    """Return (sign, term) of each term of a rule that has been parsed."""
    body = re.sub(r"^\s*d[wt]\s*=(?!=)", "", text)
    found, depth, term, sign = [], 0, "", "+"
    for symbol in body:
        depth += {"(": 1, ")": -1}.get(symbol, 0)
        if symbol in "+-" and not depth and not term.rstrip().endswith("^"):
            if term.strip():
                found.append((sign, term.strip()))
            term, sign = "", symbol
        else:
            term += symbol
    return [*found, (sign, term.strip())] if term.strip() else found
