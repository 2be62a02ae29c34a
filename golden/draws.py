"""Golden model of what neurons draw. Twin of ``rtl_gen/draws.py``.

A core has a key, which every tick changes; a neuron draws a mix of the key and of its number in the
network. So neither lanes nor cores nor the order of the neurons change what it draws.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["draws", "next_key"]

_U = np.uint32


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


def draws(key: int, indices: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Return the 32 bits that each neuron draws: Robert Jenkins' mix of key plus number.

    Parameters
    ----------
    key : int
        Of the tick.
    indices : array of int, shape (n_neurons,)
        Numbers of the neurons in the network, 0..2**24 - 1.
    """
    a = indices.astype(_U) + _U(key)
    a = a + _U(0x7ED55D16) + (a << _U(12))
    a = a ^ _U(0xC761C23C) ^ (a >> _U(19))
    a = a + _U(0x165667B1) + (a << _U(5))
    a = (a + _U(0xD3A2646C)) ^ (a << _U(9))
    a = a + _U(0xFD7046C5) + (a << _U(3))
    mixed: npt.NDArray[np.uint32] = a ^ _U(0xB55A4F09) ^ (a >> _U(16))
    return mixed
