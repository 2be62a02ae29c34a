"""What neurons draw: each has a word of its own, which every tick changes.

How a tick changes it is in ``golden/draws.py`` and ``rtl_gen/draws.py``. The first word is a mix of
the image's key and of the neuron's number in the network, so that neither lanes nor cores nor the
order of the neurons change what it draws.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["DRAW_INDEX_BITS", "first_words", "key_after", "words_after"]

DRAW_INDEX_BITS = 24
"""Width of the number of a neuron in its network."""

_MIX = ((11, 11), (7, 13), (12, 9), (15, 11), (6, 6))
"""Rounds of an exclusive or and a product with an odd number, whose shifts are found by trying many
and keeping those with the least bias, are those of Wellons 2018 ("Prospecting for Hash Functions");
here a product is one addition."""

_MASK = (1 << 32) - 1


def first_words(key: int, indices: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Return the words of neurons in the first tick: key plus number, mixed; 1 in place of 0.

    The rounds of the mix are each ``a ^= a >> r; a += a << l``; behind them ``a ^= a >> 11``; all
    modulo ``2**32``.

    Parameters
    ----------
    key : int
        Of the image: 1..2**32 - 1.
    indices : array of int, shape (n_neurons,)
        Numbers of the neurons in the network, 0..2**24 - 1.
    """
    a = indices.astype(np.uint32) + np.uint32(key)
    for right, left in _MIX:
        a = a ^ (a >> np.uint32(right))
        a = a + (a << np.uint32(left))
    a = a ^ (a >> np.uint32(11))
    found: npt.NDArray[np.uint32] = np.maximum(a, np.uint32(1))
    return found


def words_after(words: npt.NDArray[np.uint32], ticks: int) -> npt.NDArray[np.uint32]:
    """Return the words so many ticks later, 0 or more, however many."""
    found = np.zeros_like(words)
    for bit, column in enumerate(_columns(ticks)):
        found ^= np.where(words >> np.uint32(bit) & np.uint32(1), np.uint32(column), np.uint32(0))
    return found


def key_after(key: int, ticks: int) -> int:
    """Return the key of stochastic transmission so many ticks after ``clear``.

    Parameters
    ----------
    key : int
        1..2**32 - 1.
    ticks : int
        0 or more, however many.
    """
    return _product(_columns(ticks), key)


def _step(key: int) -> int:
    """Return the word of the next tick: xorshift32 (Marsaglia 2003, shifts 13, 17, 5)."""
    key ^= key << 13 & _MASK
    key ^= key >> 17
    return key ^ (key << 5 & _MASK)


def _columns(ticks: int) -> list[int]:
    """Return what becomes of each bit in so many ticks: the step is linear in the bits."""
    found = [1 << bit for bit in range(32)]
    columns = [_step(1 << bit) for bit in range(32)]
    while ticks:
        if ticks & 1:
            found = [_product(columns, column) for column in found]
        columns = [_product(columns, column) for column in columns]
        ticks >>= 1
    return found


def _product(columns: list[int], key: int) -> int:
    found = 0
    for bit in range(32):
        if key >> bit & 1:
            found ^= columns[bit]
    return found
