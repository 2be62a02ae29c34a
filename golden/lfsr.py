"""Golden model of the lanes' linear feedback shift registers. Twin of ``rtl_gen/lfsr.py``."""

import numpy as np
import numpy.typing as npt

__all__ = ["draw"]

_TAPS = (16, 14, 10, 9)
"""Shifts that bring the taps of x^32 + x^30 + x^26 + x^25 + 1 above the 16 bits that come in."""


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
    draws = np.empty((visits, states.size), np.int64)
    for visit in range(visits):
        bits = np.zeros_like(states)
        for shift in _TAPS:
            bits ^= states >> np.uint32(shift)
        bits &= np.uint32(0xFFFF)
        states = (states << np.uint32(16)) | bits
        draws[visit] = bits
    return draws, states
