"""Golden model of the lanes' linear feedback shift registers. Twin of ``rtl_gen/lfsr.py``."""

import numpy as np
import numpy.typing as npt

__all__ = ["draw"]

_TAPS = (16, 14, 10, 9)
"""Shifts that bring the taps of x^32 + x^30 + x^26 + x^25 + 1 above the 16 bits that come in."""

_LAGS = (32, 30, 26, 25)
"""Each bit is the sum, modulo 2, of those so many bits before it. Squaring a polynomial modulo 2
doubles its exponents: the same holds for words of 16 bits, and for 2, 4, 8, ... times as many."""


def draw(
    states: npt.NDArray[np.uint32], visits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Advance the register of every lane by 16 steps for each visit.

    Parameters
    ----------
    states : array of uint32, shape (lanes,)
        None of them 0.
    visits : int

    Returns
    -------
    draws : array of int64, shape (visits, lanes)
        0..65535: the bits that came in, the first of them highest.
    states : array of uint32, shape (lanes,)
        Afterwards.
    """
    words = np.empty((visits + 2, states.size), np.uint32)
    words[0], words[1] = states >> np.uint32(16), states & np.uint32(0xFFFF)
    filled = 2
    while filled < len(words) and filled < _LAGS[0]:
        bits = np.zeros_like(states)
        for shift in _TAPS:
            bits ^= states >> np.uint32(shift)
        words[filled] = bits & np.uint32(0xFFFF)
        states = (states << np.uint32(16)) | words[filled]
        filled += 1
    apart = 1
    while filled < len(words):
        while _LAGS[0] * 2 * apart <= filled:
            apart *= 2
        count = min(_LAGS[-1] * apart, len(words) - filled)
        block = words[filled : filled + count]
        block[:] = 0
        for lag in _LAGS:
            first = filled - lag * apart
            block ^= words[first : first + count]
        filled += count
    return words[2:].astype(np.int64), words[-2] << np.uint32(16) | words[-1]
