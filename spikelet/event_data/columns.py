"""Named columns of numbers as events: which is which, and what their values must be."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.event_data.event_file import EventBlock
from spikelet.event_data.event_reader import TIME_UNITS

__all__ = ["block_of", "columns_of", "microseconds"]

_NAMES = {
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
    "x": ("x", "channel", "unit"),
    "y": ("y",),
    "p": ("p", "pol", "polarity", "on"),
}
"""What columns are called, in any case."""

_LARGEST_TIME = float(1 << 53)
"""Microseconds up to which float64 is exact: 285 years."""

_NO_TIME = 1 << 62


def columns_of(names: Sequence[str], place: str) -> dict[str, int]:
    """Return which of the columns are t, x and, if they are there, y and p.

    SpikeletError if t or x is missing, or one is there twice.
    """
    found: dict[str, int] = {}
    for meaning, known in _NAMES.items():
        here = [i for i, name in enumerate(names) if name.strip().lower() in known]
        if len(here) > 1 or (not here and meaning in "tx"):
            raise SpikeletError(
                f"{place}: {'several columns are' if here else 'no column is'} {meaning} "
                f"({', '.join(map(repr, names)) or 'there are none'})",
                remedy="name them t, x, y and p; y and p may be missing",
            )
        if here:
            found[meaning] = here[0]
    return found


def microseconds(values: npt.NDArray[Any], unit: str, place: str) -> npt.NDArray[np.integer[Any]]:
    """Return times as whole microseconds; SpikeletError for what is no time."""
    if values.dtype.kind not in "iuf":
        raise SpikeletError(f"{place}: times must be numbers, not {values.dtype}")
    scale = TIME_UNITS[unit]
    if values.dtype.kind in "iu" and scale == 1:
        if values.dtype == np.uint64 and values.size and values.max() >= _LARGEST_TIME:
            raise _no_time(values[values >= _LARGEST_TIME][0], place)
        return values.astype(np.int64) if values.dtype == np.uint64 else values
    if values.dtype == np.float16:  # as SHD has them: there are few, and they convert slowly
        found = _half_microseconds(unit)[values.view(np.uint16)]
    else:
        found = _rounded(values, scale)
    if found.size and found.max() == _NO_TIME:
        raise _no_time(values[found == _NO_TIME][0], place)
    return found


def _rounded(values: npt.NDArray[Any], scale: float) -> npt.NDArray[np.int64]:
    """Return scaled values, rounded; ``_NO_TIME`` for those that are no time."""
    with np.errstate(all="ignore"):
        scaled = np.rint(values.astype(np.float64) * scale)
        return np.where(np.abs(scaled) < _LARGEST_TIME, scaled, _NO_TIME).astype(np.int64)


@lru_cache
def _half_microseconds(unit: str) -> npt.NDArray[np.int64]:
    """Return the microseconds of every float16, by its bits."""
    return _rounded(np.arange(1 << 16, dtype=np.uint16).view(np.float16), TIME_UNITS[unit])


def _no_time(value: Any, place: str) -> SpikeletError:
    return SpikeletError(
        f"{place}: {value} is no time", remedy="times must be finite, and within 285 years of 0"
    )


def block_of(
    t: npt.NDArray[Any],
    x: npt.NDArray[Any],
    y: npt.NDArray[Any] | None,
    p: npt.NDArray[Any] | None,
    unit: str,
    place: str,
) -> EventBlock:
    """Return columns as a block of events; SpikeletError for values that are none of an event.

    Parameters
    ----------
    t, x : array, shape (events,)
        Times in ``unit``, and columns or channels: whole numbers from 0.
    y, p : array, shape (events,), or None
        Rows; and polarities: 0 or -1 for off, 1 for on, or bool.
    unit : str
        Of :data:`TIME_UNITS`.
    place : str
        For messages.
    """
    none = np.zeros(len(t), np.uint8)
    return EventBlock(
        microseconds(t, unit, place),
        _pixels(x, "x", place),
        none if y is None else _pixels(y, "y", place),
        none if p is None else _polarities(p, place),
    )


def _pixels(values: npt.NDArray[Any], name: str, place: str) -> npt.NDArray[np.integer[Any]]:
    whole = values
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = values.astype(np.int64)
    if values.dtype.kind not in "iuf" or (whole is not values and (whole != values).any()):
        raise SpikeletError(f"{place}: {name} must be whole numbers", remedy="count pixels from 0")
    if values.dtype.kind != "u" and whole.size and whole.min() < 0:
        raise SpikeletError(f"{place}: {name} is {whole.min()}", remedy="count pixels from 0")
    return whole


def _polarities(values: npt.NDArray[Any], place: str) -> npt.NDArray[np.integer[Any]]:
    if values.dtype.kind == "b":
        values = values.view(np.uint8)  # a damaged one may hold more than 0 and 1
    if values.dtype.kind not in "iuf":
        raise SpikeletError(f"{place}: p must be 0 or 1, not {values.dtype}")
    wrong = (values != 0) & (np.abs(values) != 1) if values.dtype.kind != "u" else values > 1
    if wrong.any():
        raise SpikeletError(
            f"{place}: p is {values[wrong][0]}", remedy="p must be 0 or -1 for off, 1 for on"
        )
    return (values > 0).view(np.uint8)
