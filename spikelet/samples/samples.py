"""Samples: input spikes with their labels, from a file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.samples.lengths import Lengths, check_lengths, check_padding
from spikelet.samples.reader import SampleReader
from spikelet.samples.sample_file import SampleFile

__all__ = ["Samples", "Score", "as_samples", "load_samples", "winners"]


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
        0 and 1, or, for graded inputs, counts.
    labels : array of int64, shape (samples,), or None
    path : Path or None
        The file that they are from.
    reward : array of int64, shape (samples, ticks), or None
    lengths : array of int64, shape (samples,), or None
        Ticks of each sample; what follows is padding, in which nothing is counted
        (:mod:`spikelet.samples.lengths`). None: all have all.
    input_shape : tuple of int, or None
        Axes of the inputs where there are several, such as (polarities, rows, columns); ``spikes``
        has them in row-major order.
    expected : dict of str to array
        What the network's framework recorded on these samples, by layer, the outputs under "":
        spikes or potentials (samples, ticks, neurons), counts (samples, neurons) or classes
        (samples,).

    Raises
    ------
    SpikeletError
        If a length is not in 1..ticks, or a spike is in the padding.
    """

    __repr__ = summary

    spikes: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None = None
    path: Path | None = None
    reward: npt.NDArray[np.int64] | None = None
    lengths: Lengths = None
    input_shape: tuple[int, ...] | None = None
    expected: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lengths is not None:
            check_lengths(self.lengths, *self.spikes.shape[:2])
            check_padding(self.lengths, self.spikes)

    @property
    def digest(self) -> str:
        """SHA-256 of spikes, labels, rewards, lengths, and what was recorded."""
        rewards = () if self.reward is None else (self.reward,)
        lengths = () if self.lengths is None else ("lengths", self.lengths)
        recorded = [part for name in sorted(self.expected) for part in (name, self.expected[name])]
        expected = ("expected", *recorded) if recorded else ()
        spikes = self.spikes.astype(np.uint8, copy=False)
        return digest_of(spikes, self.labels, *rewards, *lengths, *expected)

    def first(self, count: int | None) -> "Samples":
        """Return the first ``count`` samples; all of them for None.

        SpikeletError for a count below 1.
        """
        if count is not None and count < 1:
            raise SpikeletError(f"the count of samples must be 1 or more, not {count}")
        parts = {
            name: values[:count]
            for name in ("spikes", "labels", "reward", "lengths")
            if (values := getattr(self, name)) is not None
        }
        expected = {name: values[:count] for name, values in self.expected.items()}
        return replace(self, **parts, expected=expected)

    def shortened(self, ticks: int) -> "Samples":
        """Return the first ``ticks`` ticks of each sample, and of what was recorded in them.

        Classes and counts that were recorded are of whole samples, and are left out.

        SpikeletError unless ``ticks`` is in 1..ticks of the samples.
        """
        most = self.spikes.shape[1]
        if not 1 <= ticks <= most:
            raise SpikeletError(
                f"the count of ticks must be in 1..{most}, those of the samples, not {ticks}"
            )
        return replace(
            self,
            spikes=self.spikes[:, :ticks],
            reward=None if self.reward is None else self.reward[:, :ticks],
            lengths=None if self.lengths is None else np.minimum(self.lengths, ticks),
            expected={
                name: values[:, :ticks] for name, values in self.expected.items() if values.ndim > 2
            },
        )

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


def as_samples(
    given: Samples | npt.ArrayLike, check: Callable[[npt.ArrayLike], npt.NDArray[Any]]
) -> Samples:
    """Return samples as they are; an array as the spikes of samples without labels.

    Parameters
    ----------
    given : Samples, or array of 0 and 1, or counts, shape (samples, ticks, inputs)
    check : callable
        Returns an array if it can be input spikes, as :meth:`IntegerNetwork.check_spikes` does.
    """
    if isinstance(given, Samples):
        return given
    return Samples(check(given).astype(np.uint8))


def load_samples(
    path: str | Path,
    prefix: str = "",
    *,
    readers: Iterable[SampleReader] = (),
    merge_counts: bool = False,
    time_first: bool = False,
    input_levels: int = 1,
) -> Samples:
    """Read samples; SpikeletError says what is wrong with the file and what would be valid.

    Parameters
    ----------
    path : path
        An .npz or .npy file, or ``FILE:PREFIX``, such as ``digits_test.npz:test_``.
    prefix : str
        Before the array names, as in ``test_levels``; one file can hold several sets. A file of
        which all names have one and the same prefix needs none.
    readers : iterable of SampleReader
        Of further kinds of files; they are asked first whether a file is theirs.
    merge_counts : bool
        Whether counts above 1 become one spike; a warning says how many events are lost.
    time_first : bool
        Whether the first two axes of ``spikes`` are (ticks, samples).
    input_levels : int
        Of the network (:attr:`IntegerNetwork.input_levels`). Above 1 its inputs are graded:
        ``spikes`` are counts up to it, and ``levels`` are given in every tick (:func:`direct`).
    """
    file = SampleFile.read(
        path,
        prefix,
        readers,
        merge_counts=merge_counts,
        time_first=time_first,
        input_levels=input_levels,
    )
    spikes = file.shown()
    return Samples(
        spikes,
        file.labels(len(spikes), spikes.shape[1]),
        file.path,
        lengths=file.lengths(*spikes.shape[:2]),
        input_shape=file.input_shape(),
        expected=file.expected(len(spikes)),
    )
