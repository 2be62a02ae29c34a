"""What neurons draw: the key of a tick, and how a neuron's number is mixed with it.

The mix itself is in ``golden/draws.py`` and ``rtl_gen/draws.py``.
"""

__all__ = ["DRAW_INDEX_BITS", "MIX", "MIXING_STAGES", "key_after"]

MIX = ((11, 11), (7, 13), (12, 9), (15, 11), (6, 6))
"""The rounds of the mix of key plus number, each ``a ^= a >> r; a += a << l``; behind them ``a ^= a
>> 11``; all modulo ``2**32``.

Rounds of an exclusive or and a product with an odd number, whose shifts are found by trying many
and keeping those with the least bias, are those of Wellons 2018 ("Prospecting for Hash Functions");
here a product takes one adder.
"""

MIXING_STAGES = 1 + len(MIX)
"""Clock cycles of the mix: number and key are added, and a cycle for each round."""

DRAW_INDEX_BITS = 24
"""Width of the number of a neuron in its network."""

_MASK = (1 << 32) - 1


def _step(key: int) -> int:
    """Return the key of the next tick: xorshift32 (Marsaglia 2003, shifts 13, 17, 5)."""
    key ^= key << 13 & _MASK
    key ^= key >> 17
    return key ^ (key << 5 & _MASK)


def key_after(key: int, ticks: int) -> int:
    """Return the key so many ticks after ``clear``.

    Parameters
    ----------
    key : int
        1..2**32 - 1.
    ticks : int
        0 or more, however many.
    """
    columns = [_step(1 << bit) for bit in range(32)]  # the step is linear in the bits
    while ticks:
        if ticks & 1:
            key = _product(columns, key)
        columns = [_product(columns, column) for column in columns]
        ticks >>= 1
    return key


def _product(columns: list[int], key: int) -> int:
    found = 0
    for bit in range(32):
        if key >> bit & 1:
            found ^= columns[bit]
    return found
