"""Tables of constants. No twin in golden, where a table is an array."""

from amaranth import Array, C, Value

__all__ = ["table"]


def table(at: Value, values: list[int]) -> Value:
    """Return the value in a table of constants; 0 beyond it."""
    width = max(1, max(values).bit_length())
    if len(at) == 0:
        return C(values[0], width)
    beyond = (1 << len(at)) - len(values)
    return Array([*(C(value, width) for value in values), *[C(0, width)] * beyond])[at]
