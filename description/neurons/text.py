"""The language of neuron models: Python's expressions, restricted, a line for each pipeline stage.

A line holds assignments, parted by ``;``, all of which are computed at once from what the lines
before left: it becomes a stage of the update pipeline. ``docs/neurons.md`` describes the language.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from spikelet.description.errors import SpikeletError
from spikelet.description.expression import (
    COMPARISONS,
    WIDEST,
    Constant,
    Name,
    Node,
    Operation,
)

__all__ = [
    "CHANCE",
    "FUNCTIONS",
    "INPUTS",
    "Assignment",
    "Line",
    "TextError",
    "parse",
    "parse_bound",
]

INPUTS = {
    "current": "synaptic sum of the tick, in potential LSBs",
    "inhibited": "1 where other neurons of the core fired in the tick before and this one did not",
    "learning": "1 while the core's learning is on",
    "teacher": "synaptic sum of the tick over the axons of teachers, in potential LSBs",
    "draw": "a number drawn for this neuron and tick, 0..65535",
}
"""What a text can read besides its states and parameters."""

DRAWN = "draw_low"
"""What ``chance`` draws: other bits, 0..65535, than ``draw``."""

CHANCE = "p"
"""What a rule may read of a model: its chance to spike in the tick, times 65536. Alone it may stand
in a text that does not use it, and is then built for such rules only."""

BOUNDS = ("v_min", "v_max")
"""The ends of the membrane range, which ``clamp`` with one argument takes."""

FUNCTIONS = {
    "where": "where(condition, a, b): a where the condition is 1, else b",
    "clamp": "clamp(x): x kept in the membrane range; clamp(x, low, high)",
    "least": "least(a, b): the smaller",
    "most": "most(a, b): the larger",
    "abs": "abs(x)",
    "sign": "sign(x): -1, 0 or 1",
    "nearest": "nearest(x, n): x / 2**n rounded to the nearest integer, halves up",
    "truncate": "truncate(x, n): x / 2**n rounded towards 0",
    "chance": "chance(x, n): x / 2**n rounded down, or up with the chance of the rest, n <= 16",
    "table": "table(i, (a, b, ...)): the i-th of the constants, from 0",
}
"""The functions, as :mod:`docs/neurons.md` lists them; ``x >> n`` rounds down."""

LONGEST = 10_000
"""Characters of a text."""

DEEPEST = 100
"""Operations and functions inside each other."""

_ARGUMENTS = {
    "where": (3,), "clamp": (1, 3), "least": (2,), "most": (2,), "abs": (1,), "sign": (1,),
    "nearest": (2,), "truncate": (2,), "chance": (2,), "table": (2,),
}  # fmt: skip

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.BitAnd: "&", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip

_COMPARED: dict[type[ast.cmpop], str] = dict(
    zip((ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq), COMPARISONS, strict=True)
)


@dataclass(frozen=True)
class Assignment:
    """``name = value``; ``line`` and ``place`` say where in the text."""

    name: str
    value: Node
    line: int
    place: int


Line = tuple[Assignment, ...]


class TextError(SpikeletError):
    """A fault in a text, which the message shows with a mark below the place."""

    def __init__(self, text: str, line: int, place: int, message: str, remedy: str = "") -> None:
        shown = text.splitlines()[line - 1]
        start = len(shown) - len(shown.lstrip())
        mark = " " * (place - start) + "^"
        super().__init__(
            f"line {line}, column {place + 1}: {message}\n    {shown.strip()}\n    {mark}",
            remedy=remedy,
        )


def parse(text: str) -> tuple[Line, ...]:
    """Return the lines of a text.

    Raises
    ------
    TextError
        If a line is not Python, or holds anything but assignments of expressions of the language.
    SpikeletError
        If the text has more than :data:`LONGEST` characters.
    """
    if len(text) > LONGEST:
        raise SpikeletError(f"the text has {len(text):,} characters, more than {LONGEST:,}")
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        found = _parsed(text, number, indent, line.lstrip(), "exec")
        statements = tuple(_Reader(text, number, indent).assignment(part) for part in found.body)
        if statements:
            lines.append(statements)
    return tuple(lines)


def parse_bound(text: str) -> Node:
    """Return an expression that stands alone; TextError if it is not one."""
    found = _parsed(text, 1, 0, text.strip(), "eval")
    return _Reader(text.strip(), 1, 0).node(found.body)


def _parsed(text: str, number: int, indent: int, part: str, mode: str) -> Any:
    try:
        return ast.parse(part, mode=mode)
    except SyntaxError as error:
        place = indent + (error.offset or 1) - 1
        message = f"this is not an expression: {error.msg}"
        raise TextError(text or " ", number, place, message) from None
    except (ValueError, RecursionError, MemoryError):  # a null byte; too deep
        raise TextError(text, number, indent, "this is not an expression") from None


class _Reader:
    """Turns what Python's parser found in a line into the language's tree."""

    def __init__(self, text: str, line: int, indent: int) -> None:
        self.text, self.line, self.indent = text, line, indent
        self.depth = 0

    def assignment(self, found: ast.stmt) -> Assignment:
        """Read ``name = expression``."""
        if not isinstance(found, ast.Assign) or len(found.targets) > 1:
            self._refuse(found, "a line holds assignments, name = expression, parted by ;")
        target = found.targets[0]
        if not isinstance(target, ast.Name):
            self._refuse(target, "only a name can be assigned to")
        return Assignment(target.id, self.node(found.value), self.line, self._place(target))

    def node(self, found: ast.expr) -> Node:
        """Read an expression."""
        readers: dict[type[ast.expr], Callable[..., Node]] = {
            ast.Constant: self._constant,
            ast.Name: lambda name: Name(name.id, self._place(name)),
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.Compare: self._compare,
            ast.BoolOp: self._logic,
            ast.Call: self._call,
        }
        if type(found) not in readers:
            self._refuse(found, "this is no part of the language of neuron models")
        self.depth += 1
        if self.depth > DEEPEST:
            self._refuse(
                found, f"more than {DEEPEST} operations inside each other", "give parts of it names"
            )
        node = readers[type(found)](found)
        self.depth -= 1
        return node

    def _constant(self, found: ast.Constant) -> Node:
        if type(found.value) is not int:
            self._refuse(found, f"numbers are integers, not {found.value!r}")
        if found.value.bit_length() >= WIDEST:
            self._refuse(found, f"the number needs more than {WIDEST} bits")
        return Constant(found.value)

    def _unary(self, found: ast.UnaryOp) -> Node:
        operators = {ast.USub: "negative", ast.Not: "not"}
        if type(found.op) not in operators:
            self._refuse(found, "of the operators with one side there are - and not")
        value = self.node(found.operand)
        if isinstance(value, Constant) and isinstance(found.op, ast.USub):
            return Constant(-value.value)
        return Operation(operators[type(found.op)], (value,), self._place(found))

    def _binary(self, found: ast.BinOp) -> Node:
        if type(found.op) not in _BINARY:
            self._refuse(
                found,
                "of the operators with two sides there are + - * & << >>",
                "divide by a power of two: x >> n, nearest(x, n), truncate(x, n) or chance(x, n)",
            )
        parts = self.node(found.left), self.node(found.right)
        return Operation(_BINARY[type(found.op)], parts, self._place(found.right))

    def _compare(self, found: ast.Compare) -> Node:
        if len(found.ops) > 1 or type(found.ops[0]) not in _COMPARED:
            self._refuse(found, f"compare two values by one of {' '.join(COMPARISONS)}")
        parts = self.node(found.left), self.node(found.comparators[0])
        return Operation(_COMPARED[type(found.ops[0])], parts, self._place(found))

    def _logic(self, found: ast.BoolOp) -> Node:
        operator = "and" if isinstance(found.op, ast.And) else "or"
        if len(found.values) > DEEPEST:
            self._refuse(found, f"more than {DEEPEST} conditions at once", "give parts of it names")
        value, *others = (self.node(part) for part in found.values)
        for other in others:
            value = Operation(operator, (value, other), self._place(found))
        return value

    def _call(self, found: ast.Call) -> Node:
        name = found.func.id if isinstance(found.func, ast.Name) else ""
        if name not in FUNCTIONS:
            self._refuse(found, f"there is no function {name!r}", f"use {', '.join(FUNCTIONS)}")
        if found.keywords or len(found.args) not in _ARGUMENTS[name]:
            self._refuse(found, f"{name} is called as {FUNCTIONS[name]}")
        if name == "table":
            return self._table(found)
        arguments = tuple(self.node(argument) for argument in found.args)
        if name == "clamp" and len(arguments) == 1:
            arguments += tuple(Name(bound, self._place(found)) for bound in BOUNDS)
        if name == "chance":
            arguments += (Name(DRAWN, self._place(found)),)
        return Operation(name, arguments, self._place(found))

    def _table(self, found: ast.Call) -> Node:
        index, values = found.args
        if not isinstance(values, ast.Tuple) or not values.elts:
            self._refuse(found, f"table is called as {FUNCTIONS['table']}")
        constants = tuple(self.node(value) for value in values.elts)
        for value, constant in zip(values.elts, constants, strict=True):
            if not isinstance(constant, Constant):
                self._refuse(value, "a table holds integers")
        return Operation("table", (self.node(index), *constants), self._place(found))

    def _place(self, found: ast.expr | ast.stmt) -> int:
        return self.indent + found.col_offset

    def _refuse(self, found: ast.expr | ast.stmt, message: str, remedy: str = "") -> NoReturn:
        raise TextError(self.text, self.line, self._place(found), message, remedy)
