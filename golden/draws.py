"""Golden model of what neurons draw. Twin of ``rtl_gen/draws.py``.

Each neuron has a word, which every tick changes and ``clear`` sets to its first again. It depends
on the image's key, the tick and the neuron's number in the network alone, so neither lanes nor
cores nor the order of the neurons change what a neuron draws.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spikelet.description.neurons.draws import first_words, key_after, words_after

__all__ = ["Draws", "Keys", "next_key"]

_Words = TypeVar("_Words", int, npt.NDArray[np.int64])


def next_key(key: _Words) -> _Words:
    """Return the word of the next tick: xorshift32 (Marsaglia 2003, shifts 13, 17 and 5).

    Parameters
    ----------
    key : int, or array of int64
        1..2**32 - 1, as the next one is.
    """
    key = key ^ (key << 13 & 0xFFFFFFFF)
    key = key ^ (key >> 17)
    return key ^ (key << 5 & 0xFFFFFFFF)


class Draws:
    """The words of neurons, of ticks that are most often asked for one after the other.

    Parameters
    ----------
    key : int
        Of the image, 1..2**32 - 1.
    indices : array of int, shape (n_neurons,)
        Numbers of the neurons in the network, 0..2**24 - 1.
    """

    def __init__(self, key: int, indices: npt.NDArray[np.integer]) -> None:
        self._first = first_words(key, indices)
        self._last = 0, self._first.astype(np.int64)

    def of(self, tick: int) -> npt.NDArray[np.int64]:
        """Return the word of each neuron in a tick, counted from 0 at ``clear``."""
        last, words = self._last
        if tick == last + 1:
            words = next_key(words)
        elif tick != last:
            words = words_after(self._first, tick).astype(np.int64)
        self._last = tick, words
        return words


class Keys:
    """The keys of stochastic transmission, most often asked for one tick after the other.

    Parameters
    ----------
    first : int
        Of tick 0: 1..2**32 - 1; 0 where none is asked for.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._last = (0, first)

    def of(self, tick: int) -> int:
        """Return the key of a tick, counted from 0 at ``clear``."""
        last, key = self._last
        if tick == last + 1:
            key = next_key(key)
        elif tick != last:
            key = key_after(self._first, tick)
        self._last = tick, key
        return key
