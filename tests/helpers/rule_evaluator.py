"""What a visit computes, straight from a rule's text: in fractions, without the parser.

Python reads the rule: it has the language's precedence once ``^`` is ``**`` and every integer a
``Fraction``.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from math import floor

from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.text import TRACES

__all__ = ["evaluate", "split_terms", "visit"]


def split_terms(text: str) -> list[tuple[int, str]]:
    """Return sign and text of each term, split at the signs that stand outside parentheses."""
    text = re.sub(r"^\s*d[wt]\s*=", "", text)
    terms, start, depth, sign, before = [], 0, 0, 1, "+"
    for at, character in enumerate(text + "+"):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character in "+-" and before != "^":
            if text[start:at].strip():
                terms.append((sign, text[start:at].strip()))
            start, sign = at + 1, -1 if character == "-" else 1
        before = character if character.strip() else before
    return terms


def evaluate(text: str, values: Mapping[str, int]) -> Fraction:
    """Return the value of a rule, or a part of one."""
    python = re.sub(r"\b(\d+)\b", r"Fraction(\1)", text.replace("^", "**"))
    names = {name: Fraction(value) for name, value in values.items()}
    result = eval(python, {"__builtins__": {}, "Fraction": Fraction}, names)  # the text is ours
    return Fraction(result)


def _names(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _phase(body: str) -> str:
    names = _names(body)
    return "post" if "y0" in names else "pre" if "x0" in names else "sweep"


def _counts(body: str, values: Mapping[str, int]) -> bool:
    """Whether a term of the sweep is evaluated: ``tick`` is counted from 0 at clear."""
    periods = [int(name[1:]) for name in _names(body) if re.fullmatch(r"u\d", name)]
    if periods:
        return (values["tick"] + 1) % 2 ** periods[0] == 0
    return values["r"] != 0


def _changed(
    text: str, old: int, phase: str, values: Mapping[str, int], rounding: str, draw: Fraction
) -> int:
    new = Fraction(old)
    for sign, body in split_terms(text):
        if _phase(body) == phase and (phase != "sweep" or _counts(body, values)):
            new += sign * evaluate(body, values)
    if rounding == "toward_zero":
        return floor(new) if new >= 0 else -floor(-new)
    return floor(new + (Fraction(1, 2) if rounding == "nearest" else draw))


def visit(
    rule: LearningRule, phase: str, *, draw: int = 0, **variables: int
) -> tuple[int, int | None]:
    """Return weight and tag after a visit.

    Parameters
    ----------
    rule : LearningRule
    phase : str
        ``"pre"``, ``"post"`` or ``"sweep"``.
    draw : int
        16 bits, for stochastic rounding.
    **variables : int
        Of the rule; with u-terms ``tick``. Those left out are 0, but ``x0`` in the pre phase and
        ``y0`` in the post phase are 1.
    """
    own = {"pre": {"x0": 1}, "post": {"y0": 1}, "sweep": {}}[phase]
    known = dict.fromkeys(("x0", "y0", *TRACES, "v", "w", "t", "r", "tick"), 0)
    values = known | {f"u{k}": 1 for k in range(9)} | own | variables
    values |= {"w_min": rule.w_min, "w_max": rule.w_max}
    bits = rule.weight.fraction_bits
    share = Fraction(draw >> (16 - bits), 2**bits)
    weight = _changed(rule.dw, values["w"], phase, values, rule.rounding, share)
    weight = min(max(weight, rule.w_min), rule.w_max)
    if rule.tag is None:
        return weight, None
    bits = rule.tag.fraction_bits
    share = Fraction(draw % 2**bits, 2**bits)
    tag = _changed(rule.dt, values["t"], phase, values, rule.tag_rounding, share)
    largest = 2 ** (rule.tag_bits - 1) - 1
    return weight, min(max(tag, -largest - 1), largest)
