"""Samples: input spikes with their labels, from a file."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.errors import SpikeletError
from spikelet.road.encode import rate

__all__ = ["Samples", "load_samples"]

_FORMAT = (
    "an .npz file with `spikes` (samples, ticks, inputs) of 0 and 1, or with `levels` (samples, "
    "inputs), `full_scale` and `ticks` for rate encoding; and, optionally, `labels` (samples)"
)


@dataclass(frozen=True)
class Samples:
    """A batch of inputs.

    Parameters
    ----------
    spikes : array of uint8, shape (samples, ticks, inputs)
    labels : array of int64, shape (samples,), or None
    """

    __repr__ = summary

    spikes: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None = None

    def first(self, count: int | None) -> "Samples":
        """Return the first ``count`` samples; all of them for None."""
        return Samples(self.spikes[:count], None if self.labels is None else self.labels[:count])

    def accuracy(self, classes: npt.NDArray[np.int64]) -> float | None:
        """Return the share of ``classes`` that equal the labels; None without labels."""
        return None if self.labels is None else float(np.mean(classes == self.labels))


def load_samples(path: Path, prefix: str = "") -> Samples:
    """Read samples; SpikeletError says what is wrong with the file and what would be valid.

    Parameters
    ----------
    path : Path
        An .npz file.
    prefix : str
        Before the array names, as in ``test_levels``; one file can hold several sets.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = dict(data)
    except FileNotFoundError as error:
        raise SpikeletError(f"{path} does not exist", remedy=f"give {_FORMAT}") from error
    except (OSError, ValueError, TypeError, BadZipFile) as error:
        raise SpikeletError(
            f"{path} is not an .npz file: {error}", remedy=f"give {_FORMAT}"
        ) from error
    labels = arrays.get(f"{prefix}labels")
    if f"{prefix}spikes" in arrays:
        spikes = arrays[f"{prefix}spikes"]
        if spikes.ndim != 3:
            raise SpikeletError(f"{path}: {prefix}spikes must have 3 axes, not {spikes.ndim}")
        spikes = spikes.astype(np.uint8) if spikes.dtype == np.bool_ else spikes
    elif {f"{prefix}levels", "full_scale", "ticks"} <= arrays.keys():
        levels = arrays[f"{prefix}levels"]
        if levels.ndim != 2:
            raise SpikeletError(f"{path}: {prefix}levels must have 2 axes, not {levels.ndim}")
        try:
            spikes = rate(levels, int(arrays["full_scale"]), int(arrays["ticks"]))
        except SpikeletError as error:
            raise SpikeletError(f"{path}: {error}") from error
    else:
        found = ", ".join(arrays) or "nothing"
        raise SpikeletError(f"{path} holds {found}", remedy=f"give {_FORMAT}")
    if labels is not None and labels.shape != spikes.shape[:1]:
        raise SpikeletError(
            f"{path}: {prefix}labels must have shape ({len(spikes)},), not {labels.shape}"
        )
    return Samples(spikes, None if labels is None else labels.astype(np.int64))
