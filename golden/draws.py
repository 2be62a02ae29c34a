"""Golden model of what neurons draw. Twin of ``rtl_gen/draws.py``.

A core has a key, which every tick changes; a neuron draws a mix of the key and of its number in the
network. So neither lanes nor cores nor the order of the neurons change what it draws.
"""

import numpy as np
import numpy.typing as npt

from spikelet.description.neurons.draws import MIX, key_after

__all__ = ["Keys", "draws", "next_key"]


def next_key(key: int) -> int:
    """Return the key of the next tick: xorshift32 (Marsaglia 2003, shifts 13, 17 and 5).

    Parameters
    ----------
    key : int
        1..2**32 - 1, as the next one is.
    """
    key ^= key << 13 & 0xFFFFFFFF
    key ^= key >> 17
    return key ^ (key << 5 & 0xFFFFFFFF)


class Keys:
    """The keys of ticks, which are most often asked for one after the other.

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


def draws(key: int, indices: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Return the 32 bits that each neuron draws: key plus number, mixed.

    Parameters
    ----------
    key : int
        Of the tick.
    indices : array of int, shape (n_neurons,)
        Numbers of the neurons in the network, 0..2**24 - 1.
    """
    a = indices.astype(np.uint32) + np.uint32(key)
    for right, left in MIX:
        a = a ^ (a >> np.uint32(right))
        a = a + (a << np.uint32(left))
    mixed: npt.NDArray[np.uint32] = a ^ (a >> np.uint32(11))
    return mixed
