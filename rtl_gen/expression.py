"""Gates of an expression on integers. No twin in golden, whose ``expression.py`` computes it."""

from collections.abc import Callable, Mapping

from amaranth import C, Cat, Mux, Shape, Value, signed, unsigned

from spikelet.description.checks import bits_of
from spikelet.description.expression import Constant, Node, Operation, Range, range_of

__all__ = ["gates_of", "shape_of"]

_FEW_DIGITS = 3
"""Digits of a constant factor that are cheaper as adders than a multiplier."""


def shape_of(ends: Range) -> Shape:
    """Return the shape that holds a range: signed where it has negative values."""
    bits = bits_of(*ends)
    return signed(bits) if ends[0] < 0 else unsigned(bits)


def gates_of(node: Node, values: Mapping[str, Value], ranges: Mapping[str, Range]) -> Value:
    """Return the value of an expression.

    Parameters
    ----------
    node : Node
    values : mapping of str to Value
        Of the names, in shapes that hold their ranges.
    ranges : mapping of str to (int, int)
        Of the names.

    Returns
    -------
    Value
        Exact, in a shape that may be wider than the range of the expression.
    """
    if not isinstance(node, Operation):
        return C(node.value) if isinstance(node, Constant) else values[node.name]
    parts = [gates_of(argument, values, ranges) for argument in node.arguments]
    ends = [range_of(argument, ranges) for argument in node.arguments]
    if node.operator in _OF_RANGES:
        return _OF_RANGES[node.operator](node.operator, parts, ends)
    return _GATES[node.operator](*parts)


def _fitted(value: Value, ends: Range) -> Value:
    """Drop the highest bits that a value in this range does not need."""
    shape = shape_of(ends)
    if len(value) < shape.width:
        return value
    value = value[: shape.width]
    return value.as_signed() if shape.signed else value


def _negative(value: Value) -> Value:
    return value[-1] if value.shape().signed else C(0, 1)


def _nearest(value: Value, bits: int) -> Value:
    """Divide with a carry into whatever adds the quotient."""
    return value.shift_right(bits) + value[bits - 1] if bits else value


def _truncated(value: Value, bits: int) -> Value:
    return value.shift_right(bits) + (_negative(value) & value[:bits].any()) if bits else value


def _by_chance(value: Value, bits: int, draw: Value) -> Value:
    return (value + draw[:bits]).shift_right(bits) if bits else value


_SHIFTS: dict[str, Callable[..., Value]] = {
    "<<": lambda value, bits: value.shift_left(bits),
    ">>": lambda value, bits: value.shift_right(bits),
    "nearest": _nearest,
    "truncate": _truncated,
    "chance": _by_chance,
}


def _shifted(operator: str, parts: list[Value], ends: list[Range]) -> Value:
    value, _, *draw = parts
    return _SHIFTS[operator](value, ends[1][0], *draw)


def _product(_: str, parts: list[Value], ends: list[Range]) -> Value:
    """Multiply; by a constant of few digits with adders."""
    for value, (low, high) in zip(parts[::-1], ends, strict=True):
        digits = _digits(low) if low == high else []
        if 0 < len(digits) <= _FEW_DIGITS:
            return _sum_of_shifted(value, digits)
    return _fitted(parts[0], ends[0]) * _fitted(parts[1], ends[1])


def _difference(_: str, parts: list[Value], ends: list[Range]) -> Value:
    """Subtract; from ones alone by turning the bits over."""
    shape = parts[1].shape()
    ones = -1 if shape.signed else (1 << shape.width) - 1
    return ~parts[1] if ends[0] == (ones, ones) else parts[0] - parts[1]


def _sum_of_shifted(value: Value, digits: list[tuple[int, int]]) -> Value:
    (shift, sign), *others = digits
    total = value.shift_left(shift) if sign > 0 else -value.shift_left(shift)
    for shift, sign in others:
        total = total + value.shift_left(shift) if sign > 0 else total - value.shift_left(shift)
    return total


def _digits(constant: int) -> list[tuple[int, int]]:
    """Return a constant as signed powers of two, no two of them neighbours, positive ones first."""
    digits = []
    shift = 0
    while constant:
        if constant & 1:
            digit = 2 - (constant & 3)
            digits.append((shift, digit))
            constant -= digit
        constant >>= 1
        shift += 1
    return sorted(digits, key=lambda item: -item[1])


def _bounded(operator: str, parts: list[Value], ends: list[Range]) -> Value:
    """Keep a value in its bounds; where those are powers of two, the highest bits tell."""
    value, own = _fitted(parts[0], ends[0]), ends[0]
    bounds = ends[1:]
    constant = all(low == high for low, high in bounds)
    if operator == "clamp":
        low, high = bounds[0][0], bounds[1][0]
        if constant and low <= high:
            return _clamped(value, own, low, high)
        raised = Mux(value < parts[1], parts[1], value)
        return Mux(raised > parts[2], parts[2], raised)
    if constant and operator == "least":
        return _clamped(value, own, own[0], bounds[0][0])
    if constant:
        return _clamped(value, own, bounds[0][0], own[1])
    smaller = value < parts[1]
    return Mux(smaller, value, parts[1]) if operator == "least" else Mux(smaller, parts[1], value)


def _clamped(value: Value, own: Range, low: int, high: int) -> Value:
    """Return a value, which has the range ``own``, kept in ``low..high``."""
    if low <= own[0] and own[1] <= high:
        return value
    if own[0] < low == ~high and _mask(high):
        sign, above = value[-1], value[high.bit_length() : -1]
        rail = Mux(sign, low, high)
        return Mux(Mux(sign, ~above.all(), above.any()), rail, value)
    kept = value
    if own[1] > high:
        kept = Mux(_exceeds(value, own, high), high, kept)
    if own[0] < low:
        kept = Mux(value < low, low, kept)
    return kept


def _mask(value: int) -> bool:
    return value >= 0 and value & (value + 1) == 0


def _exceeds(value: Value, own: Range, high: int) -> Value:
    if not _mask(high):
        return value > high
    if own[0] >= 0:
        return value[high.bit_length() :].any()
    return ~value[-1] & value[high.bit_length() : -1].any()


def _from_table(_: str, parts: list[Value], ends: list[Range]) -> Value:
    constants = [low for low, _ in ends[1:]]
    shape = shape_of((min(constants), max(constants)))
    index = _fitted(parts[0], ends[0])
    values: list[Value] = [C(value, shape) for value in constants]
    for bit in index[: (len(values) - 1).bit_length()]:  # from index to index, halved
        pairs = zip(values[::2], [*values[1::2], values[-1]], strict=False)
        values = [Mux(bit, odd, even) for even, odd in pairs]
    return values[0]


_OF_RANGES: dict[str, Callable[[str, list[Value], list[Range]], Value]] = {
    **dict.fromkeys(_SHIFTS, _shifted),
    "*": _product,
    "-": _difference,
    **dict.fromkeys(("clamp", "least", "most"), _bounded),
    "table": _from_table,
}
"""Of operator, arguments and their ranges."""


def _bit(condition: Value) -> Value:
    return condition[0]


_GATES: dict[str, Callable[..., Value]] = {
    "+": lambda a, b: a + b,
    "&": lambda a, b: a & b,
    "negative": lambda a: -a,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "and": lambda a, b: _bit(a) & _bit(b),
    "or": lambda a, b: _bit(a) | _bit(b),
    "not": lambda a: ~_bit(a),
    "where": lambda condition, a, b: Mux(_bit(condition), a, b),
    "abs": lambda a: Mux(_negative(a), -a, a),
    "sign": lambda a: Cat(a != 0, _negative(a)).as_signed(),
}
