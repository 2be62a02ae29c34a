"""Learning rules as text: a sum of products, parsed once into a syntax tree.

The form, a sum of products of traces and triggers, is that of Loihi (Davies et al. 2018, "Loihi: a
neuromorphic manycore processor with on-chip learning"); the text and the names in it are those of
Lava (``lava/magma/core/learning``). Comparisons are added::

    dw = 2^-2*x1*y0 - 2^-3*x0*y1

    rule       := target "=" ["-"] term { ("+" | "-") term }
    term       := factor { "*" factor }
    factor     := constant | "2^" exponent | name | "(" sum ")" | "(" comparison ")"
    exponent   := ["-"] integer | "(" ["-"] integer ")"
    sum        := ["-"] operand { ("+" | "-") operand },     operand := constant | variable
    comparison := variable ("<" | "<=" | ">" | ">=" | "==" | "!=") ["-"] constant
    constant   := integer | "w_min" | "w_max"
    name       := variable | "x0" | "y0" | "u0" | ... | "u8"
"""

import re

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.tree import (
    Comparison,
    Factor,
    LinearFactor,
    SumOfProducts,
    Term,
)

__all__ = [
    "CHANCE",
    "LARGEST_PERIOD",
    "PHASES",
    "POST_TRACES",
    "PRE_TRACES",
    "TRACES",
    "VARIABLES",
    "Comparison",
    "Factor",
    "LinearFactor",
    "SumOfProducts",
    "Term",
    "parse_rule",
]

PRE_TRACES, POST_TRACES = ("x1", "x2"), ("y1", "y2", "y3")
"""The traces of a synapse's axon and neuron: as many as on Loihi (Davies et al. 2018)."""

TRACES = (*PRE_TRACES, *POST_TRACES)

VARIABLES = (*TRACES, "v", "w", "t", "r", "e", "b")
"""Pre traces, post traces, membrane potential after the tick before, weight, tag, reward, error,
and a bit that is loaded for each axon."""

CHANCE = "p"
"""The chance of the neuron to spike: another name of ``e``, for neurons whose ``e`` is that."""

PHASES = ("pre", "post", "sweep")
"""When a term is evaluated: where ``x0`` is 1; where ``y0`` is 1 or ``e`` not 0; else at every
synapse."""

LARGEST_PERIOD = 8
"""``u8`` is the rarest: every 256 ticks."""

_BOUNDS = ("w_min", "w_max")
_LARGEST_EXPONENT = 16
_LARGEST_INTEGER = 1 << 16
_TOKEN = re.compile(
    r"\s*(?:(?P<integer>\d+(?:\.\d*)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol><=|>=|==|!=|[-+*^()=<>])|(?P<bad>\S))",
    re.ASCII,
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_PERIODS = tuple(f"u{k}" for k in range(LARGEST_PERIOD + 1))
_DIGITS = "0123456789"
_MOST_DIGITS = 12
"""More are refused unread: Python would not convert thousands of them."""


def parse_rule(text: str, target: str, bounds: tuple[int, int]) -> SumOfProducts:
    """Return the syntax tree of a rule.

    Parameters
    ----------
    text : str
        With or without ``target =`` in front.
    target : str
        ``"dw"`` or ``"dt"``.
    bounds : tuple of int
        What ``w_min`` and ``w_max`` stand for.

    Raises
    ------
    SpikeletError
        With the position, if the text is not a rule, names something unknown, or cannot be built.
    """
    return _Parser(text, target, dict(zip(_BOUNDS, bounds, strict=True))).rule()


class _Parser:
    def __init__(self, text: str, target: str, bounds: dict[str, int]) -> None:
        self.text = text
        self.target = target
        self.bounds = bounds
        self.tokens = list(_TOKEN.finditer(text.rstrip()))
        self.at = 0

    def error(self, message: str, position: int | None = None) -> SpikeletError:
        """Return an error that points into the text."""
        if position is None:
            position = self._start()
        pointer = " " * position + "^"
        return SpikeletError(
            f"rule for {self.target}, column {position + 1}: {message}\n  {self.text}\n  {pointer}"
        )

    def _start(self) -> int:
        if self.at >= len(self.tokens):
            return len(self.text)
        match = self.tokens[self.at]
        return match.start(match.lastgroup or 0)

    def found(self) -> str:
        """Return what comes next, for a message."""
        return repr(self.peek()) if self.peek() else "the end"

    def peek(self) -> str:
        """Return the token that comes next, or an empty text at the end."""
        return self.tokens[self.at].group().strip() if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        """Return the next token and step past it, if it is one of ``expected``."""
        token = self.peek()
        if token in expected and token:
            self.at += 1
            return token
        return ""

    def expect(self, symbol: str, why: str) -> None:
        if not self.take(symbol):
            raise self.error(f"expected {symbol!r} {why}, found {self.found()}")

    def rule(self) -> SumOfProducts:
        if len(self.tokens) > 1 and self.tokens[1].group().strip() == "=":
            if not self.take(self.target):
                raise self.error(f"expected '{self.target} =', found {self.found()}")
            self.take("=")
        terms = [self.term(-1 if self.take("-") else 1)]
        while sign := self.take("+", "-"):
            terms.append(self.term(-1 if sign == "-" else 1))
        if self.peek():
            raise self.error(f"expected '+', '-', '*' or the end, found {self.found()}")
        return SumOfProducts(self.target, tuple(terms))

    def term(self, sign: int) -> Term:
        start = self._start()
        coefficient, exponent = sign, 0
        factors: list[Factor] = []
        triggers: set[str] = set()
        while True:
            number, power, factor, trigger = self.factor()
            coefficient, exponent = coefficient * number, exponent + power
            if trigger in triggers:
                raise self.error(f"{trigger} is given twice in a term", start)
            triggers |= {trigger} - {""}
            if isinstance(factor, LinearFactor) and not factor.variables:
                coefficient *= factor.constant
            elif factor:
                factors.append(factor)
            if not self.take("*"):
                break
        if self.peek() == "^":
            raise self.error("only 2 has powers; for the square of x1, write x1*x1")
        last = self.tokens[self.at - 1].end()
        text = self.text[start:last]
        term = Term(
            coefficient, exponent, tuple(factors), tuple(sorted(triggers, key=_order)), text
        )
        self._check(term, start)
        return term

    def _check(self, term: Term, start: int) -> None:
        if term.coefficient == 0:
            raise self.error("this term is 0", start)
        if abs(term.exponent) > _LARGEST_EXPONENT:
            raise self.error(
                f"the powers of two of a term must make 2^-{_LARGEST_EXPONENT} to "
                f"2^{_LARGEST_EXPONENT}, not 2^{term.exponent}",
                start,
            )
        periods = [trigger for trigger in term.triggers if trigger[0] == "u"]
        if term.phase != "sweep" and periods:
            raise self.error(
                f"{periods[0]} is for terms without x0, y0 and e, which no spike or error starts",
                start,
            )
        if len(periods) > 1:
            raise self.error(f"{periods[0]} and {periods[1]} cannot both apply", start)
        if term.phase == "sweep" and not periods and "r" not in term.variables:
            raise self.error(
                "a term without x0, y0, r or e changes every synapse in every tick, which is not "
                "implementable at speed; multiply it by x0 (pre spike), y0 (post spike), r "
                "(reward), e (error) or by u0 to u8 (every 2^k ticks)",
                start,
            )
        if term.counts_by_error and not _vanishes_without(term, "e"):
            raise self.error(
                "without y0 this term is evaluated only where e is not 0, but it may not be 0 "
                "where e is 0; multiply it by e, by (e > 0) or (e < 0), or by y0",
                start,
            )
        if term.phase == "sweep" and not periods and not _vanishes_without(term, "r"):
            raise self.error(
                "without u0 to u8 this term is evaluated only where r is not 0, but it may not be "
                "0 where r is 0; multiply it by r, by (r > 0) or (r < 0), or by u0 to u8",
                start,
            )
        if "v" in term.variables and term.phase != "pre":
            raise self.error(
                "v can be used only with x0 and without y0 and e: a spike resets it", start
            )

    def factor(self) -> tuple[int, int, Factor | None, str]:
        """Return (number, power of two, factor or None, trigger or "")."""
        if self.take("("):
            return 1, 0, self.parenthesis(), ""
        token = self.peek()
        if token == "2" and self._next_is("^"):
            self.at += 2
            return 1, self.exponent(), None, ""
        if token and token[0] in _DIGITS:
            return self.integer(), 0, None, ""
        name = self.name("a factor")
        if name in self.bounds:
            return self.bounds[name], 0, None, ""
        if name in VARIABLES:
            return 1, 0, LinearFactor(0, ((name, 1),)), ""
        return 1, 0, None, name

    def _next_is(self, symbol: str) -> bool:
        later = self.tokens[self.at + 1 : self.at + 2]
        return bool(later) and later[0].group().strip() == symbol

    def exponent(self) -> int:
        bracket = self.take("(")
        sign = -1 if self.take("-") else 1
        position = self._start()
        value = sign * self.integer()
        if abs(value) > _LARGEST_EXPONENT:
            raise self.error(
                f"exponents must be in -{_LARGEST_EXPONENT}..{_LARGEST_EXPONENT}, not {value}",
                position,
            )
        if bracket:
            self.expect(")", "after the exponent")
        return value

    def integer(self) -> int:
        token = self.peek()
        if not token or token[0] not in _DIGITS:
            raise self.error(f"expected an integer, found {self.found()}")
        if len(token) > _MOST_DIGITS:
            raise self.error(f"constants have at most {_MOST_DIGITS} digits, not {len(token)}")
        if "." in token:
            raise self.error(
                f"{token} is not implementable: constants are integers and powers of two"
                + _nearest(float(token))
            )
        if int(token) > _LARGEST_INTEGER:
            raise self.error(f"constants must be at most {_LARGEST_INTEGER}, not {token}")
        self.at += 1
        return int(token)

    def name(self, what: str) -> str:
        token = self.peek()
        known = ("x0", "y0", *VARIABLES, CHANCE, *_BOUNDS)
        if not re.fullmatch(r"[A-Za-z_]\w*", token, re.ASCII):
            raise self.error(f"expected {what}, found {self.found()}")
        if re.fullmatch(r"u\d+", token) and token not in _PERIODS:
            raise self.error(f"{token}: periods are u0 to u{LARGEST_PERIOD}")
        if token not in known and token not in _PERIODS:
            raise self.error(
                f"unknown name {token!r}; known are {', '.join(known)} and u0 to u{LARGEST_PERIOD}"
            )
        self.at += 1
        return "e" if token == CHANCE else token

    def variable(self) -> str:
        name = self.name("a variable")
        if name not in VARIABLES:
            self.at -= 1
            raise self.error(f"{name} cannot be used in parentheses; multiply the term by it")
        return name

    def parenthesis(self) -> Factor:
        for operator in _COMPARISONS:
            if self._next_is(operator):
                name = self.variable()
                self.at += 1
                sign = -1 if self.take("-") else 1
                bound = self.take(*self.bounds)
                value = sign * (self.bounds[bound] if bound else self.integer())
                self.expect(")", "after the comparison")
                return Comparison(name, operator, value)
        constant, variables = 0, {}
        sign = -1 if self.take("-") else 1
        while True:
            bound = self.take(*self.bounds)
            if bound or (self.peek() and self.peek()[0] in _DIGITS):
                constant += sign * (self.bounds[bound] if bound else self.integer())
            else:
                name = self.variable()
                if name in variables:
                    self.at -= 1
                    raise self.error(f"{name} is given twice in parentheses")
                variables[name] = sign
            symbol = self.take("+", "-")
            if not symbol:
                break
            sign = -1 if symbol == "-" else 1
        if self.peek() in _COMPARISONS:
            raise self.error(f"{self.peek()!r} compares one variable, on its left, with an integer")
        self.expect(")", "or '+', '-' or a comparison with an integer")
        return LinearFactor(constant, tuple(variables.items()))


def _order(trigger: str) -> tuple[int, str]:
    return ("x", "y", "u").index(trigger[0]), trigger


def _vanishes_without(term: Term, variable: str) -> bool:
    """Return whether the term is certainly 0 where r, or e, is 0."""
    for factor in term.factors:
        if isinstance(factor, Comparison):
            if factor.variable == variable and not factor.holds(0):
                return True
        elif factor.constant == 0 and [name for name, _ in factor.variables] == [variable]:
            return True
    return False


def _nearest(value: float) -> str:
    """Return, for a message, a close product of an integer and a power of two, if there is one."""
    for exponent in range(_LARGEST_EXPONENT + 1):
        scaled = value * 2**exponent
        if 0 < round(scaled) <= _LARGEST_INTEGER and abs(round(scaled) - scaled) <= scaled / 64:
            power = f"*2^-{exponent}" if exponent else ""
            return f"; close to it is {round(scaled)}{power}"
    return ""
