"""Spikes of a cochlea as HDF5, as in the Spiking Heidelberg Digits (SHD) and SSC.

Cramer et al. 2022, "The Heidelberg spiking data sets for the systematic evaluation of spiking
neural networks": ``spikes/times`` (seconds) and ``spikes/units``, an array of each for every
sample, and ``labels``.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.description.errors import MALFORMED, SpikeletError
from spikelet.event_data.columns import block_of
from spikelet.event_data.event_file import EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout

__all__ = ["Shd"]

_TIMES, _UNITS, _LABELS = "spikes/times", "spikes/units", "labels"
_DAMAGED = (OSError, RuntimeError, *MALFORMED)
"""What h5py raises for damaged files."""

_SAMPLES_AT_ONCE = 64


class Shd(EventReader):
    """An HDF5 file with ragged `spikes/times` in seconds, `spikes/units` and `labels`."""

    needed = "an .h5 file as of SHD, with `spikes/times` in seconds, `spikes/units` and `labels`"
    starts = (b"\x89HDF\r\n\x1a\n",)
    suffixes = (".h5", ".hdf5")

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return a stream for each sample; they need not be in the order of time."""
        try:
            file = h5py.File(path, "r")
            there = {name for name in (_TIMES, _UNITS, _LABELS) if name in file}
        except _DAMAGED as error:
            raise _damaged(path, error, self.needed) from error
        if not there >= {_TIMES, _UNITS}:
            raise SpikeletError(
                f"{path} is an HDF5 file without {_TIMES} and {_UNITS}",
                remedy=f"give {self.needed}",
            )
        try:
            times, units = file[_TIMES], file[_UNITS]
            labels = file[_LABELS][()] if _LABELS in there else None
            shapes = (times.shape, units.shape)
        except _DAMAGED as error:
            raise _damaged(path, error, self.needed) from error
        if len(shapes[0]) != 1 or shapes[0] != shapes[1] or not shapes[0][0]:
            raise SpikeletError(
                f"{path}: {_TIMES} and {_UNITS} must have one array for each sample, of one number "
                f"of samples, and are of shape {shapes[0]} and {shapes[1]}",
                remedy=f"give {self.needed}",
            )
        if labels is not None:
            labels = np.asarray(labels)
            if labels.shape != shapes[0] or labels.dtype.kind not in "iu" or labels.min() < 0:
                raise SpikeletError(
                    f"{path}: {_LABELS} must be {shapes[0][0]} numbers from 0, not {labels.dtype} "
                    f"of shape {labels.shape}"
                )
        ragged = _Ragged(path, times, units)
        streams = [
            EventStream(
                f"{path}: sample {index}",
                partial(ragged.blocks, index),
                None if labels is None else int(labels[index]),
            )
            for index in range(shapes[0][0])
        ]
        return EventFile(path, "SHD spikes", streams, polarity=False, from_zero=True)


class _Ragged:
    """The arrays of all samples; some that follow one another are kept, since h5py is slow."""

    def __init__(self, path: Path, times: Any, units: Any) -> None:
        self.path, self.times, self.units = path, times, units
        self.first = 0
        self.kept: tuple[npt.NDArray[Any], ...] = (np.zeros(0), np.zeros(0))

    def blocks(self, index: int) -> Iterator[EventBlock]:
        """Yield the only block of a sample."""
        place = f"{self.path}: sample {index}"
        if not self.first <= index < self.first + len(self.kept[0]):
            try:
                some = slice(index, index + _SAMPLES_AT_ONCE)
                self.kept, self.first = (self.times[some], self.units[some]), index
            except _DAMAGED as error:
                raise _damaged(self.path, error, Shd.needed) from error
        t, x = (np.asarray(arrays[index - self.first]) for arrays in self.kept)
        if t.ndim != 1 or t.shape != x.shape:
            raise SpikeletError(
                f"{place} has {_TIMES} of shape {t.shape} and {_UNITS} of {x.shape}",
                remedy="there must be as many times as units",
            )
        yield _sorted(block_of(t, x, None, None, "s", place))


def _sorted(block: EventBlock) -> EventBlock:
    """Return a block in the order of time, which the layout does not promise."""
    later: npt.NDArray[np.bool_] = block.t[1:] < block.t[:-1]
    return block.part(np.argsort(block.t, kind="stable")) if later.any() else block


def _damaged(path: Path, error: Exception, needed: str) -> SpikeletError:
    reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    return SpikeletError(
        f"{path} is an HDF5 file that is cut short or damaged ({reason})",
        remedy=f"copy it again; needed is {needed}",
    )
