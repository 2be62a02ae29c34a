"""Ranges of integers, and the bits that hold them."""

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["bits_of", "check_int", "check_range", "signed_bits", "unsigned_bits"]


def unsigned_bits(largest: int) -> int:
    """Return the bits that hold 0..``largest``; at least 1."""
    return max(1, int(largest).bit_length())


def signed_bits(low: int, high: int) -> int:
    """Return the two's complement bits that hold ``low``..``high``."""
    return max((~end if end < 0 else end).bit_length() for end in (low, high)) + 1


def bits_of(low: int, high: int) -> int:
    """Return the bits that hold ``low``..``high``: two's complement where ``low`` is negative."""
    return signed_bits(low, high) if low < 0 else unsigned_bits(high)


def check_range(name: str, values: npt.NDArray[np.integer], low: int, high: int) -> None:
    """Raise SpikeletError, with the first offending value, unless all are in low..high."""
    wrong = (values < low) | (values > high)
    if wrong.any():
        raise SpikeletError(f"{name} must be in {low}..{high}, found {values[wrong].flat[0]}")


def check_int(what: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SpikeletError(f"{what} must be an int in {low}..{high}, not {value!r}")
