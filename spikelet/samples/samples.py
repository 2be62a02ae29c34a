"""Samples: input spikes with their labels, from a file."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import read_arrays
from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.samples.encode import rate

__all__ = ["SampleFile", "Samples", "Score", "load_samples", "winners"]

_FORMAT = (
    "an .npz file with `spikes` (samples, ticks, inputs) of 0 and 1, or with `levels` (samples, "
    "inputs), `full_scale` and `ticks` for rate encoding; and, optionally, `labels` (samples)"
)
_MOST_CLASSES = 1 << 31


def winners(counts: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the output that spiked most in each sample, the lowest of equals.

    Parameters
    ----------
    counts : array of int, or of votes, shape (samples, outputs)

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
    reward : array of int64, shape (samples, ticks), or None
    """

    __repr__ = summary

    spikes: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None = None
    path: Path | None = None
    reward: npt.NDArray[np.int64] | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of spikes, labels and rewards."""
        rewards = () if self.reward is None else (self.reward,)
        return digest_of(self.spikes.astype(np.uint8), self.labels, *rewards)

    def first(self, count: int | None) -> "Samples":
        """Return the first ``count`` samples; all of them for None.

        SpikeletError for a count below 1.
        """
        if count is not None and count < 1:
            raise SpikeletError(f"the count of samples must be 1 or more, not {count}")
        labels = None if self.labels is None else self.labels[:count]
        reward = None if self.reward is None else self.reward[:count]
        return Samples(self.spikes[:count], labels, self.path, reward)

    def accuracy(self, classes: npt.NDArray[np.int64]) -> float | None:
        """Return the share of ``classes`` that equal the labels; None without labels.

        A class of -1, which :func:`winners` gives to a sample without output spikes, is wrong.
        """
        if self.labels is None or not len(self.labels):
            return None
        return float(np.mean((classes == self.labels) & (classes >= 0)))

    def score(self, counts: npt.NDArray[Any]) -> Score:
        """Return how samples with these output spikes, shape (samples, outputs), are classified."""
        classes = winners(counts)
        spiked = classes >= 0
        tied = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
        right = None if self.labels is None else int(((classes == self.labels) & spiked).sum())
        return Score(len(classes), right, int((~spiked).sum()), int((tied & spiked).sum()))

    def check_labels(self, n_classes: int) -> None:
        """Check the labels against a network's outputs, of which there are ``n_classes``.

        SpikeletError, naming the first that is wrong, unless all are in 0..n_classes - 1.
        """
        if self.labels is None:
            return
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= n_classes))
        if not wrong.size:
            return
        first = int(wrong[0])
        low, high = int(self.labels.min()), int(self.labels.max())
        remedy = "number the classes as the network's outputs are, the first being 0"
        if (low, high) == (1, n_classes):
            remedy = f"they seem to count from 1: store labels - 1, which are 0..{n_classes - 1}"
        raise SpikeletError(
            f"labels must be in 0..{n_classes - 1}, the network's outputs; that of sample {first} "
            f"is {self.labels[first]} (all are in {low}..{high}, {wrong.size} of "
            f"{len(self.labels)} are not valid)",
            remedy=remedy,
        )


def load_samples(path: str | Path, prefix: str = "") -> Samples:
    """Read samples; SpikeletError says what is wrong with the file and what would be valid.

    Parameters
    ----------
    path : path
        An .npz file, or ``FILE:PREFIX``, such as ``digits_test.npz:test_``.
    prefix : str
        Before the array names, as in ``test_levels``; one file can hold several sets. A file of
        which all names have one and the same prefix needs none.
    """
    return SampleFile.read(path, prefix).samples()


@dataclass(frozen=True, eq=False)
class SampleFile:
    """The arrays of a samples file, checked as they are asked for.

    Parameters
    ----------
    path : Path
        For messages.
    prefix : str
        Before the names of the set that is meant.
    arrays : dict of str to array
        All arrays of the file.
    """

    __repr__ = summary

    path: Path
    prefix: str
    arrays: dict[str, npt.NDArray[Any]]

    @classmethod
    def read(cls, path: str | Path, prefix: str = "") -> "SampleFile":
        """Read a file, and find out which set is meant; as for :func:`load_samples`."""
        path = Path(path)
        file, colon, ending = str(path).rpartition(":")
        if colon and not prefix and file and not os.path.exists(path):
            path, prefix = Path(file), ending
        arrays = read_arrays(path, _FORMAT)
        ends = ("spikes", "levels")
        sets = sorted({n.removesuffix(end) for n in arrays for end in ends if n.endswith(end)})
        if prefix not in sets and sets and not (prefix == "" and len(sets) == 1):
            example = f"{path}:{sets[0]}"
            raise SpikeletError(
                f"{path} has no {prefix}spikes and no {prefix}levels; it holds {', '.join(arrays)}",
                remedy=f"name one of its sets ({', '.join(map(repr, sets))}) behind a colon, such "
                f"as {example}; or load_samples(path, {sets[0]!r})",
            )
        return cls(path, prefix if prefix in sets or not sets else sets[0], arrays)

    def error(self, name: str, message: str, remedy: str = "") -> SpikeletError:
        """Return the error of an array, naming file and array."""
        return SpikeletError(f"{self.path}: {name} {message}", remedy=remedy)

    def samples(self) -> Samples:
        """Return spikes, or what rate encoding makes of levels, and labels."""
        if f"{self.prefix}spikes" in self.arrays:
            spikes = self.spikes()
        elif {f"{self.prefix}levels", "full_scale", "ticks"} <= self.arrays.keys():
            given = self.levels(), self.number("full_scale"), self.number("ticks")
            try:
                spikes = rate(*given)
            except SpikeletError as error:
                raise SpikeletError(f"{self.path}: {error.args[0]}", remedy=error.remedy) from error
        else:
            raise SpikeletError(
                f"{self.path} holds {', '.join(self.arrays) or 'nothing'}",
                remedy=f"give {_FORMAT}",
            )
        return Samples(spikes, self.labels(len(spikes), spikes.shape[1]), self.path)

    def spikes(self) -> npt.NDArray[np.uint8]:
        """Return the spikes (samples, ticks, inputs)."""
        name = f"{self.prefix}spikes"
        spikes = self._numbers(name)
        if spikes.ndim != 3:
            remedy = "flatten the inputs: spikes.reshape(samples, ticks, -1)"
            if spikes.ndim == 2:
                remedy = "a single sample is spikes[None]"
            raise self.error(
                name,
                f"must have 3 axes (samples, ticks, inputs), not {spikes.ndim}: {spikes.shape}",
                remedy if 2 <= spikes.ndim <= 8 else f"give {_FORMAT}",
            )
        if not spikes.size:
            raise self.error(
                name, f"has shape {spikes.shape}: there is nothing in it", f"give {_FORMAT}"
            )
        wrong = (spikes != 0) & (spikes != 1)
        if wrong.any():
            sample, tick, line = (int(i) for i in np.argwhere(wrong)[0])
            found = spikes[sample, tick, line]
            raise self.error(
                name,
                f"must be 0 or 1, found {found} at sample {sample}, tick {tick}, input {line} "
                f"({int(wrong.sum())} of {spikes.size} values)",
                "counts of events become spikes by counts > 0; intensities are `levels`",
            )
        return np.ascontiguousarray(spikes, np.uint8)

    def levels(self) -> npt.NDArray[Any]:
        """Return the intensities (samples, inputs)."""
        name = f"{self.prefix}levels"
        levels = self._numbers(name)
        if levels.ndim != 2 or not levels.size:
            raise self.error(
                name,
                f"must have 2 axes (samples, inputs), not {levels.ndim}: {levels.shape}"
                if levels.ndim != 2
                else f"has shape {levels.shape}: there is nothing in it",
                f"give {_FORMAT}",
            )
        if levels.dtype.kind == "f":
            return self._whole(name, levels)
        return levels.astype(np.uint8) if levels.dtype.kind == "b" else levels

    def number(self, name: str) -> int:
        """Return an array that is one whole number."""
        values = self._numbers(name)
        if values.size != 1:
            raise self.error(name, f"must be one number, not an array of shape {values.shape}")
        return int(self._whole(name, values).ravel()[0])

    def labels(self, samples: int, ticks: int | None = None) -> npt.NDArray[np.int64] | None:
        """Return the labels (samples,), None if there are none; ``ticks`` is for a better hint."""
        name = f"{self.prefix}labels"
        if name not in self.arrays:
            return None
        labels = self.arrays[name]
        if labels.dtype.kind in "US":
            raise self.error(
                name,
                f"are text, the first is {_first(labels)}; they must be numbers of classes from 0",
                "number them: np.unique(labels, return_inverse=True)[1]",
            )
        labels = self._numbers(name)
        if labels.shape == (samples, 1):
            labels = labels[:, 0]
        if labels.shape != (samples,):
            remedy = ""
            if labels.ndim == 2 and len(labels) == samples and _one_hot(labels):
                remedy = "they look one-hot: store labels.argmax(axis=1)"
            elif labels.shape == (ticks,):
                remedy = "is the first axis of spikes the ticks? store spikes.swapaxes(0, 1)"
            raise self.error(name, f"must have shape ({samples},), not {labels.shape}", remedy)
        whole = self._whole(name, labels)
        wrong = np.flatnonzero((whole < 0) | (whole >= _MOST_CLASSES))
        if wrong.size:
            raise self.error(
                name,
                f"must be numbers of classes from 0, found {labels[wrong[0]]} at {wrong[0]} "
                f"({wrong.size} of {samples})",
                "leave samples of unknown class out, or leave out labels",
            )
        return whole.astype(np.int64)

    def _numbers(self, name: str) -> npt.NDArray[Any]:
        values = self.arrays[name]
        if values.dtype.kind not in "biuf":
            what = "a table of events (a structured array)" if values.dtype.names else values.dtype
            raise self.error(name, f"must be numbers, not {what}", f"give {_FORMAT}")
        return values

    def _whole(self, name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return values as integers; SpikeletError unless each is a whole number."""
        if values.dtype.kind in "iu":
            return values
        with np.errstate(invalid="ignore"):
            whole = values.astype(np.int64)
            wrong = np.flatnonzero((values != whole).ravel())
        if wrong.size:
            raise self.error(
                name,
                f"must be whole numbers, found {values.ravel()[wrong[0]]} at {wrong[0]} "
                f"({wrong.size} of {values.size})",
                "round them, or scale them to whole numbers, before storing",
            )
        return whole


def _first(labels: npt.NDArray[Any]) -> str:
    return repr(labels.ravel()[0].item())[:40] if labels.size else "missing"


def _one_hot(labels: npt.NDArray[Any]) -> bool:
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())
