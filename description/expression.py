"""Expressions on integers: a tree, the range of its values, and what is known of it beforehand.

The readers of a text (numpy, C, gates) each give the operators their meaning by themselves; here is
only what all of them need: which values can come out, and what stays of an expression when some
names are constants.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from spikelet.description.errors import SpikeletError

__all__ = [
    "COMPARISONS",
    "LOGIC",
    "ROUNDINGS",
    "WIDEST",
    "Constant",
    "Name",
    "Node",
    "Operation",
    "Range",
    "RangeError",
    "folded",
    "looked_up",
    "names",
    "range_of",
]

Range = tuple[int, int]
"""Smallest and largest value."""

WIDEST = 62
"""Bits that every value fits, with its sign, beside one to spare in 64."""

LARGE_TABLE = 1024
"""Bits of a table of constants from which on a core has it in a block RAM."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
LOGIC = ("and", "or", "not")
ROUNDINGS = ("nearest", "truncate", "chance")
"""Divisions by a power of two: halves go up, towards zero, and up with the chance of the rest."""


@dataclass(frozen=True)
class Constant:
    """An integer."""

    value: int


@dataclass(frozen=True)
class Name:
    """A value with a name; ``place`` is its column in the text, for messages."""

    name: str
    place: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Operation:
    """An operator or function with its arguments.

    Parameters
    ----------
    operator : str
        ``+``, ``-``, ``*``, ``&``, ``<<``, ``>>`` (rounds down), one of :data:`COMPARISONS` (0 or
        1) or :data:`LOGIC`, ``negative``, ``where`` (condition, then, else), ``clamp`` (value, low,
        high), ``least``, ``most``, ``abs``, ``sign``, ``table`` (index, values), ``nearest`` and
        ``truncate`` (value, bits), ``chance`` (value, bits, draw).
    arguments : tuple of Node
        Constant for shifts, roundings' bits, and the values of a table.
    place : int
        Column in the text.
    """

    operator: str
    arguments: "tuple[Node, ...]"
    place: int = field(default=0, compare=False)


Node = Constant | Name | Operation


class RangeError(SpikeletError):
    """An expression that cannot be computed; ``place`` is the column of its operator."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


def names(node: Node) -> Iterator[Name]:
    """Yield the names in an expression, one for each place where it stands."""
    if isinstance(node, Name):
        yield node
    elif isinstance(node, Operation):
        for argument in node.arguments:
            yield from names(argument)


def range_of(node: Node, ranges: Mapping[str, Range]) -> Range:
    """Return the smallest range that holds what an expression can be.

    Parameters
    ----------
    node : Node
    ranges : mapping of str to (int, int)
        Of each name; values of different names are taken to be independent.

    Raises
    ------
    RangeError
        If a value needs more than :data:`WIDEST` bits, a condition is not 0 or 1, ``&`` has a side
        that can be below 0, a shift is not constant, or an index is beyond its table.
    """
    if isinstance(node, Constant):
        return node.value, node.value
    if isinstance(node, Name):
        return ranges[node.name]
    operator, place = node.operator, node.place
    parts = [range_of(argument, ranges) for argument in node.arguments]
    if operator == "table":
        index, *values = parts
        if index[0] < 0 or index[1] >= len(values):
            raise RangeError(
                f"the index of a table of {len(values)} values must be in 0..{len(values) - 1}, "
                f"and can be {_shown(index)}",
                place,
            )
        inside = values[index[0] : index[1] + 1]
        return min(low for low, _ in inside), max(high for _, high in inside)
    for condition in _conditions(operator, parts):
        if condition[0] < 0 or condition[1] > 1:
            raise RangeError(
                f"{operator} needs a condition, 0 or 1, not a value of {_shown(condition)}", place
            )
    if operator == "&" and (below := next((part for part in parts if part[0] < 0), None)):
        raise RangeError(f"& is of values that are 0 or more, not of {_shown(below)}", place)
    if operator in ("<<", ">>", *ROUNDINGS):
        low, high = parts[1]
        limit = 16 if operator == "chance" else WIDEST
        if low != high or not 0 <= low <= limit:
            raise RangeError(
                f"{operator} is by a constant in 0..{limit}, not by {_shown(parts[1])}", place
            )
    if operator == "where":
        parts[1:] = _then_range(node, parts[1]), _else_range(node, parts[2], ranges)
    found = _RANGES[operator](*parts)
    if max(found[1], ~found[0]).bit_length() >= WIDEST:
        raise RangeError(
            f"{operator} of {' and '.join(map(_shown, parts))} can be {_shown(found)}, which needs "
            f"more than {WIDEST} bits",
            place,
        )
    return found


def looked_up(node: Node, ranges: Mapping[str, Range]) -> tuple[int, ...]:
    """Return the values of a table that a core keeps in a block RAM, as it is large; else none.

    Parameters
    ----------
    node : Node
    ranges : mapping of str to (int, int)
        Of the names.
    """
    if not isinstance(node, Operation) or node.operator != "table":
        return ()
    values = tuple(a.value for a in node.arguments[1:] if isinstance(a, Constant))
    low, high = range_of(node, ranges)
    return values if low >= 0 and len(values) * high.bit_length() >= LARGE_TABLE else ()


def _then_range(node: Operation, found: Range) -> Range:
    """Return what is left of the range of ``a - b`` where ``a >= b`` or ``a > b`` is the condition.

    Here and in the other branch two values are not taken to be independent: what divides by
    subtracting must not grow wider with each step, and ``where(-1 >= x, -1 - x, x)`` is never
    negative.
    """
    condition, then, _ = node.arguments
    while isinstance(condition, Operation) and condition.operator == "and":
        condition = condition.arguments[1]
    if not (isinstance(condition, Operation) and isinstance(then, Operation)):
        return found
    if then.operator != "-" or then.arguments != condition.arguments:
        return found
    least = {">=": 0, ">": 1}.get(condition.operator, found[0])
    return max(found[0], min(least, found[1])), found[1]


def _else_range(node: Operation, found: Range, ranges: Mapping[str, Range]) -> Range:
    """Return what is left of the range of ``b`` where the condition ``a >= b`` is not so."""
    condition, _, other = node.arguments
    if not isinstance(condition, Operation) or condition.operator != ">=":
        return found
    bound, compared = condition.arguments
    if other != compared:
        return found
    least = range_of(bound, ranges)[0] + 1
    return max(found[0], min(least, found[1])), found[1]


def _shown(values: Range) -> str:
    return f"{values[0]}..{values[1]}" if values[0] != values[1] else str(values[0])


def _conditions(operator: str, parts: list[Range]) -> list[Range]:
    return parts if operator in LOGIC else parts[:1] if operator == "where" else []


def _of_product(a: Range, b: Range) -> Range:
    products = [one * other for one in a for other in b]
    return min(products), max(products)


def _compared(operator: str) -> Callable[[Range, Range], Range]:
    def found(a: Range, b: Range) -> Range:
        overlap = a[0] <= b[1] and b[0] <= a[1]
        always = {
            "<": a[1] < b[0],
            "<=": a[1] <= b[0],
            ">": a[0] > b[1],
            ">=": a[0] >= b[1],
            "==": a[0] == a[1] == b[0] == b[1],
            "!=": not overlap,
        }[operator]
        never = {
            "<": a[0] >= b[1],
            "<=": a[0] > b[1],
            ">": a[1] <= b[0],
            ">=": a[1] < b[0],
            "==": not overlap,
            "!=": a[0] == a[1] == b[0] == b[1],
        }[operator]
        return (1, 1) if always else (0, 0) if never else (0, 1)

    return found


def _absolute(a: Range) -> Range:
    ends = sorted(map(abs, a))
    return (0 if a[0] < 0 < a[1] else ends[0]), ends[1]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _each(of_end: Callable[[int], int], values: Range) -> Range:
    return of_end(values[0]), of_end(values[1])


def _truncated(value: int, bits: int) -> int:
    return -(-value >> bits) if value < 0 else value >> bits


_RANGES: dict[str, Callable[..., Range]] = {
    "+": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "-": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "negative": lambda a: (-a[1], -a[0]),
    "*": _of_product,
    "&": lambda a, b: (0, min(a[1], b[1])),
    "<<": lambda a, b: (a[0] << b[0], a[1] << b[0]),
    ">>": lambda a, b: (a[0] >> b[0], a[1] >> b[0]),
    "nearest": lambda a, b: _each(lambda end: (end + (1 << b[0] >> 1)) >> b[0], a),
    "truncate": lambda a, b: _each(lambda end: _truncated(end, b[0]), a),
    "chance": lambda a, b, _: (a[0] >> b[0], (a[1] + (1 << b[0]) - 1) >> b[0]),
    "where": lambda c, a, b: (
        (min(a[0], b[0]), max(a[1], b[1])) if c[0] != c[1] else a if c[0] else b
    ),
    "clamp": lambda a, low, high: (
        min(max(a[0], low[0]), high[0]),
        min(max(a[1], low[1]), high[1]),
    ),
    "least": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "most": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "abs": _absolute,
    "sign": lambda a: (_sign(a[0]), _sign(a[1])),
    "and": lambda a, b: (a[0] & b[0], a[1] & b[1]),
    "or": lambda a, b: (a[0] | b[0], a[1] | b[1]),
    "not": lambda a: (1 - a[1], 1 - a[0]),
    **{operator: _compared(operator) for operator in COMPARISONS},
}


def folded(node: Node, known: Mapping[str, Node], ranges: Mapping[str, Range]) -> Node:
    """Return what stays of an expression.

    Names in ``known`` are replaced; what can have only one value is that value; what changes
    nothing (adding 0, a clamp that is never reached, a choice of two equal things) is left out; a
    product with a power of two is a shift.

    Parameters
    ----------
    node : Node
    known : mapping of str to Node
        What stands for a name.
    ranges : mapping of str to (int, int)
        Of the names that are left.

    Raises
    ------
    RangeError
        As for :func:`range_of`.
    """
    if isinstance(node, Name):
        node = known.get(node.name, node)
    elif isinstance(node, Operation):
        arguments = tuple(folded(argument, known, ranges) for argument in node.arguments)
        node = Operation(node.operator, arguments, node.place)
    low, high = range_of(node, ranges)
    if low == high:
        return Constant(low)
    return _simplified(node, ranges) if isinstance(node, Operation) else node


def _simplified(node: Operation, ranges: Mapping[str, Range]) -> Node:
    operator, arguments = node.operator, node.arguments
    if operator == "where":
        condition, then, otherwise = arguments
        if isinstance(condition, Constant):
            return then if condition.value else otherwise
        return then if then == otherwise else node
    if operator in ("least", "most", "clamp"):
        return _within(node, ranges)
    return _unchanged(operator, arguments) or _shifted(node) or node


def _within(node: Operation, ranges: Mapping[str, Range]) -> Node:
    """Leave out the bounds that are never reached."""
    value, *bounds = node.arguments
    low, high = range_of(value, ranges)
    others = [range_of(bound, ranges) for bound in bounds]
    if node.operator == "clamp":
        return value if others[0][1] <= low and high <= others[1][0] else node
    sign = 1 if node.operator == "least" else -1
    ends = sorted((sign * low, sign * high)), sorted(sign * end for end in others[0])
    if ends[0][1] <= ends[1][0]:
        return value
    return bounds[0] if ends[1][1] <= ends[0][0] else node


def _shifted(node: Operation) -> Node | None:
    """Return a product with a power of two as a shift, and the two shifts of a value as one."""
    first, *others = node.arguments
    by = others[0] if others else None
    if node.operator == "*":
        value, factor = (by, first) if isinstance(first, Constant) else (first, by)
        if value and isinstance(factor, Constant) and factor.value > 0:
            bits = factor.value.bit_length() - 1
            if factor.value == 1 << bits:
                return Operation("<<", (value, Constant(bits)), node.place)
    if node.operator not in (">>", *ROUNDINGS) or not isinstance(by, Constant):
        return None
    if isinstance(first, Operation) and first.operator == "<<":
        value, left = first.arguments
        if isinstance(left, Constant) and left.value >= by.value:  # nothing is rounded
            shift = Constant(left.value - by.value)
            return Operation("<<", (value, shift), node.place) if shift.value else value
    return None


def _unchanged(operator: str, arguments: tuple[Node, ...]) -> Node | None:
    """Return the argument that an operation leaves as it is, if it is one of these."""
    neutral = Constant(1 if operator in ("*", "and") else 0)
    if operator in ("+", "*", "and", "or") and arguments[0] == neutral:
        return arguments[1]
    if operator in ("+", "-", "*", "and", "or", "<<", ">>", *ROUNDINGS) and arguments[1] == neutral:
        return arguments[0]
    return None
