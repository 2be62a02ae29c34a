"""The rule language: what is read is what was written, and what is refused says where."""

from fractions import Fraction
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.text import (
    VARIABLES,
    Comparison,
    Factor,
    LinearFactor,
    SumOfProducts,
    Term,
    parse_rule,
)
from tests.helpers.rule_evaluator import evaluate, split_terms

BOUNDS = (-3, 100)
OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
TRIGGERS = [("x0",), ("y0",), ("x0", "y0"), *((f"u{k}",) for k in range(9)), ()]

VALUES = st.fixed_dictionaries(
    {name: st.integers(-40, 40) for name in VARIABLES}
    | {name: st.integers(0, 1) for name in ("x0", "y0", *(f"u{k}" for k in range(9)))}
    | {"w_min": st.just(BOUNDS[0]), "w_max": st.just(BOUNDS[1])}
)


@st.composite
def constants(draw: st.DrawFn) -> tuple[str, int]:
    """Return a constant as text, and its value."""
    value = draw(st.integers(0, 300))
    return draw(st.sampled_from([(str(value), value), ("w_min", BOUNDS[0]), ("w_max", BOUNDS[1])]))


@st.composite
def factors(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, Factor]:
    """Return a factor with a variable in it, as text and as a tree."""
    kind = draw(st.sampled_from(["variable", "comparison", "sum"]))
    name = draw(st.sampled_from(names))
    if kind == "variable":
        return name, LinearFactor(0, ((name, 1),))
    if kind == "comparison":
        operator = draw(st.sampled_from(OPERATORS))
        text, value = draw(constants())
        sign = draw(st.sampled_from([1, -1]))
        text = f"({name} {operator} {'-' if sign < 0 else ''}{text})"
        return text, Comparison(name, operator, sign * value)
    used = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    operands = [(variable, None) for variable in used]
    operands += draw(st.lists(constants(), max_size=2))
    constant, variables, text = 0, [], ""
    for operand, value in draw(st.permutations(operands)):
        sign = draw(st.sampled_from([1, -1]))
        text += (" - " if sign < 0 else " + ") + operand
        if value is None:
            variables.append((operand, sign))
        else:
            constant += sign * value
    return f"({text.removeprefix(' + ')})", LinearFactor(constant, tuple(variables))


@st.composite
def terms(draw: st.DrawFn) -> tuple[int, str, Term]:
    """Return sign, text and tree of a term that is legal anywhere."""
    triggers = draw(st.sampled_from(TRIGGERS))
    left_out = ("v" if triggers != ("x0",) else "", "e" if "y0" not in triggers else "")
    names = tuple(name for name in VARIABLES if name not in left_out)
    chosen = draw(st.lists(factors(names), max_size=3))
    if not triggers:
        starting = draw(st.sampled_from(["r", "e"]))
        chosen.append((starting, LinearFactor(0, ((starting, 1),))))
    sign = draw(st.sampled_from([1, -1]))
    coefficient, exponent, parts = sign, 0, [(name, None) for name in triggers]
    for text, value in draw(st.lists(constants(), max_size=2)):
        coefficient *= value
        parts.append((text, None))
    for power in draw(st.lists(st.integers(-8, 8), max_size=2)):
        exponent += power
        parts.append((draw(st.sampled_from([f"2^{power}", f"2^({power})", f"2 ^ {power}"])), None))
    assume(coefficient)
    parts += chosen
    assume(parts)
    parts = draw(st.permutations(parts))
    text = draw(st.sampled_from(["*", " * ", "*  "])).join(part for part, _ in parts)
    tree = tuple(factor for _, factor in parts if factor is not None)
    return sign, text, Term(coefficient, exponent, tree, triggers, text)


def value_of(term: Term, values: dict[str, int]) -> Fraction:
    """Return the value of a syntax tree."""
    compare = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}
    compare |= {"==": int.__eq__, "!=": int.__ne__}
    product = term.coefficient * Fraction(2) ** term.exponent
    for factor in term.factors:
        if isinstance(factor, Comparison):
            product *= compare[factor.operator](values[factor.variable], factor.value)
        else:
            product *= factor.constant + sum(s * values[name] for name, s in factor.variables)
    return product * prod(values[trigger] for trigger in term.triggers)


@settings(deadline=None)
@given(st.lists(terms(), min_size=1, max_size=4), VALUES, st.booleans())
def test_what_is_read_is_what_was_written(written, values, named):
    text = "".join(f" {'-' if sign < 0 else '+'} {body}" for sign, body, _ in written)
    text = ("dw = " if named else "") + text.removeprefix(" + ")
    rule = parse_rule(text, "dw", BOUNDS)
    assert rule == SumOfProducts("dw", tuple(term for *_, term in written))
    assert sum(value_of(term, values) for term in rule.terms) == sum(
        sign * evaluate(body, values) for sign, body in split_terms(text)
    )
    powers = [-term.exponent for term in rule.terms]
    assert rule.fraction_bits == max(0, *powers)


@given(st.text(max_size=20) | st.text("0123456789.xywtrebuv^*+-=<>!() _²٣", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        assert parse_rule(text, "dt", BOUNDS).terms
    except SpikeletError as error:
        assert "rule for dt, column" in str(error)


def test_a_comparison_holds_as_python_has_it():
    rule = parse_rule("x0*(w < 3)*(w <= 3)*(w > 3)*(w >= 3)*(w == 3)*(w != 3)", "dw", BOUNDS)
    table = [[factor.holds(w) for factor in rule.terms[0].factors] for w in (2, 3, 4)]
    assert table == [
        [True, True, False, False, False, True],
        [False, True, False, True, True, False],
        [False, False, True, True, False, True],
    ]


@pytest.mark.parametrize(
    ("text", "phase", "period"),
    [
        ("x1*y0", "post", None),
        ("x0*y0", "post", None),
        ("x0*y1", "pre", None),
        ("x0*v", "pre", None),
        ("e*x1", "post", None),
        ("e*x0", "post", None),
        ("r*t", "sweep", None),
        ("(r > 0)*t", "sweep", None),
        ("(r < 0)*t", "sweep", None),
        ("(r != 0)*t", "sweep", None),
        ("(-r)*t", "sweep", None),
        ("t*u3", "sweep", 3),
        ("(r + 1)*t*u8", "sweep", 8),
    ],
)
def test_phases_and_periods(text, phase, period):
    rule = parse_rule(text, "dw", BOUNDS)
    assert (rule.terms[0].phase, rule.terms[0].period) == (phase, period)
    assert [p for p in ("pre", "post", "sweep") if rule.in_phase(p)] == [phase]


def test_triggers_stand_in_one_order_and_variables_are_named():
    term = parse_rule("y0*(x1 - w + 3)*x0*(y2 > 1)*2", "dw", BOUNDS).terms[0]
    assert term.triggers == ("x0", "y0")
    assert term.variables == {"x1", "w", "y2"}
    assert parse_rule("(4)*x0*(3 - 1)", "dw", BOUNDS).terms[0].coefficient == 8


REFUSED = [
    ("", 1, "expected a factor, found the end"),
    ("dw =", 5, "expected a factor, found the end"),
    ("dt = x0", 1, "expected 'dw =', found 'dt'"),
    ("= x0", 1, "expected a factor, found '='"),
    ("x0 x1", 4, "expected '+', '-', '*' or the end, found 'x1'"),
    ("x0*", 4, "expected a factor, found the end"),
    ("x0*/w", 4, "expected a factor, found '/'"),
    ("x0 - - w", 6, "expected a factor, found '-'"),
    ("x0*w2", 4, "unknown name 'w2'; known are x0, y0, x1, ..., w_max and u0 to u8"),
    ("x0*²", 4, "expected a factor, found '²'"),
    ("x0*٣", 4, "expected a factor, found '٣'"),
    ("w*u٣", 3, "unknown name 'u'"),
    ("w*u9", 3, "u9: periods are u0 to u8"),
    ("w*u00", 3, "u00: periods are u0 to u8"),
    ("x1^2*y0", 3, "only 2 has powers; for the square of x1, write x1*x1"),
    ("4^2*y0", 2, "only 2 has powers"),
    ("x0*2^w", 6, "expected an integer, found 'w'"),
    ("x0*2^", 6, "expected an integer, found the end"),
    ("x0*2^(3*w", 8, "expected ')' after the exponent, found '*'"),
    ("x0*2^-17", 7, "exponents must be in -16..16, not -17"),
    ("x0*2^(17)", 7, "exponents must be in -16..16, not 17"),
    ("w*x0 + x0*2^-9*2^-9", 8, "the powers of two of a term must make 2^-16 to 2^16, not 2^-18"),
    ("x0*0.3", 4, "0.3 is not implementable: ...; close to it is 19*2^-6"),
    ("x0*1.", 4, "1. is not implementable: ...; close to it is 1"),
    ("x0*0.000001", 4, "0.000001 is not implementable: constants are integers and powers of two"),
    ("x0*65537", 4, "constants must be at most 65536, not 65537"),
    ("x0*" + "9" * 5000, 4, "constants have at most 12 digits, not 5000"),
    ("x0*x0", 1, "x0 is given twice in a term"),
    ("w*u1*u1", 1, "u1 is given twice in a term"),
    ("w*u1*u2", 1, "u1 and u2 cannot both apply"),
    ("w*x0*u2", 1, "u2 is for terms without x0, y0 and e"),
    ("w*y0*u2", 1, "u2 is for terms without x0, y0 and e"),
    ("x0 + 0*x0", 6, "this term is 0"),
    ("(3 - 3)*x0", 1, "this term is 0"),
    ("x0 - x1", 6, "a term without x0, y0, r or e changes every synapse in every tick"),
    ("(r == 0)*t", 1, "evaluated only where r is not 0, but it may not be 0 where r is 0"),
    ("(r + 1)*t", 1, "evaluated only where r is not 0"),
    ("(r - t)*w", 1, "evaluated only where r is not 0"),
    ("(r >= 0)*w", 1, "evaluated only where r is not 0"),
    ("v*y0", 1, "v can be used only with x0 and without y0"),
    ("v*x0*y0", 1, "v can be used only with x0 and without y0"),
    ("(e + 1)*x1", 1, "evaluated only where e is not 0, but it may not be 0 where e is 0"),
    ("e*u3", 1, "u3 is for terms without x0, y0 and e"),
    ("e*v*x0", 1, "v can be used only with x0 and without y0 and e"),
    ("v*u3", 1, "v can be used only with x0 and without y0"),
    ("x0*(w", 6, "expected ')' or '+', '-' or a comparison with an integer, found the end"),
    ("x0*(2*w)", 6, "expected ')' or ..., found '*'"),
    ("x0*()", 5, "expected a variable, found ')'"),
    ("x0*((w))", 5, "expected a variable, found '('"),
    ("x0*(w - w)", 9, "w is given twice in parentheses"),
    ("x0*(w - y0)", 9, "y0 cannot be used in parentheses; multiply the term by it"),
    ("x0*(u1 > 2)", 5, "u1 cannot be used in parentheses"),
    ("x0*(3 > w)", 5, "expected a variable, found '3'"),
    ("x0*(w > y1)", 9, "expected an integer, found 'y1'"),
    ("x0*(w - y1 > 3)", 12, "'>' compares one variable, on its left, with an integer"),
    ("x0*(w > 3 + 1)", 11, "expected ')' after the comparison, found '+'"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED, ids=[t[:20] for t, *_ in REFUSED])
def test_what_is_refused_says_where(text, column, message):
    with pytest.raises(SpikeletError, match=rf"^rule for dw, column {column}: ") as caught:
        parse_rule(text, "dw", BOUNDS)
    said, shown, pointer = str(caught.value).rsplit("\n", 2)
    assert shown == f"  {text}" and pointer == " " * (column + 1) + "^"
    assert all(part in said for part in message.split("..."))
    if text == "x0*0.000001":  # nothing is close
        assert said.endswith("powers of two")
