"""Samples: input spikes with their labels, from a file."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spikelet.description.artefact import digest_of
from spikelet.errors import SpikeletError
from spikelet.road.encode import rate

__all__ = ["Samples", "Score", "load_samples", "winners"]

_FORMAT = (
    "an .npz file with `spikes` (samples, ticks, inputs) of 0 and 1, or with `levels` (samples, "
    "inputs), `full_scale` and `ticks` for rate encoding; and, optionally, `labels` (samples)"
)


def winners(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return the output that spiked most in each sample, the lowest of equals.

    Parameters
    ----------
    counts : array of int, shape (samples, outputs)

    Returns
    -------
    array of int64, shape (samples,)
        -1 where no output spiked: such a sample has no class.
    """
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)


@dataclass(frozen=True)
class Score:
    """How samples were classified.

    Parameters
    ----------
    samples : int
    correct : int or None
        Samples whose class is their label; None without labels.
    unclassified : int
        Samples without an output spike; they have no class, and are not correct.
    ties : int
        Samples in which several outputs spiked most; the lowest of them is the class.
    """

    samples: int
    correct: int | None
    unclassified: int
    ties: int

    @property
    def accuracy(self) -> float | None:
        """Share of the samples classified as labelled; None without labels or samples."""
        return None if self.correct is None or not self.samples else self.correct / self.samples

    @property
    def notes(self) -> str:
        """What a reader of the accuracy should know, in words; empty if there is nothing."""
        found = ((self.unclassified, "not classified (no output spike)"), (self.ties, "tied"))
        return ", ".join(f"{number:,} {words}" for number, words in found if number)


@dataclass(frozen=True)
class Samples:
    """A batch of inputs.

    Parameters
    ----------
    spikes : array of uint8, shape (samples, ticks, inputs)
    labels : array of int64, shape (samples,), or None
    path : Path or None
        The file that they are from.
    """

    spikes: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None = None
    path: Path | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of spikes and labels."""
        return digest_of(self.spikes.astype(np.uint8), self.labels)

    def first(self, count: int | None) -> "Samples":
        """Return the first ``count`` samples; all of them for None."""
        labels = None if self.labels is None else self.labels[:count]
        return Samples(self.spikes[:count], labels, self.path)

    def accuracy(self, classes: npt.NDArray[np.int64]) -> float | None:
        """Return the share of ``classes`` that equal the labels; None without labels.

        A class of -1, which :func:`winners` gives to a sample without output spikes, is wrong.
        """
        if self.labels is None or not len(self.labels):
            return None
        return float(np.mean((classes == self.labels) & (classes >= 0)))

    def score(self, counts: npt.NDArray[np.integer]) -> Score:
        """Return how samples with these output spikes, shape (samples, outputs), are classified."""
        classes = winners(counts)
        spiked = classes >= 0
        tied = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
        right = None if self.labels is None else int(((classes == self.labels) & spiked).sum())
        return Score(len(classes), right, int((~spiked).sum()), int((tied & spiked).sum()))


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
    return Samples(spikes, None if labels is None else labels.astype(np.int64), Path(path))
