"""What a plastic network is shown: intensities or spikes from a file, labels and rewards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.samples.encode import ENCODERS, check_levels, rest
from spikelet.samples.lengths import Lengths
from spikelet.samples.reader import SampleReader
from spikelet.samples.sample_file import SampleFile
from spikelet.samples.samples import Samples

__all__ = ["Encoder", "LearningSamples", "load_learning_samples"]


@dataclass(frozen=True)
class Encoder:
    """How intensities become spikes.

    Parameters
    ----------
    kind : str
        One of :data:`ENCODERS`.
    options : dict
        Its arguments besides levels, full scale and seed.
    seed : int or None
        None for an encoder without randomness.
    rest : int
        Silent ticks behind each sample.
    """

    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    rest: int = 0

    def encode(
        self, levels: npt.NDArray[np.integer], full_scale: int, epoch: int = 0, first: int = 0
    ) -> npt.NDArray[np.uint8]:
        """Return spikes (samples, ticks, inputs).

        Random ones are drawn anew for each epoch and sample, ``first`` being the number of the
        first: what a sample becomes does not depend on which are encoded together.
        """
        encoder = ENCODERS[self.kind]
        if self.seed is None:
            return rest(encoder(levels, full_scale, **self.options), self.rest)
        drawn = []
        for index in range(len(levels)):
            sequence = np.random.SeedSequence([self.seed, epoch, first + index])
            seed = int(sequence.generate_state(1)[0])
            one = levels[index : index + 1]
            drawn.append(encoder(one, full_scale, seed=seed, **self.options))
        return rest(np.concatenate(drawn), self.rest)


@dataclass(frozen=True, eq=False)
class LearningSamples:
    """A batch of inputs.

    Parameters
    ----------
    given : array, shape (samples, ticks, inputs) or (samples, inputs)
        Spikes, or intensities in 0..``full_scale`` with an encoder.
    labels : array of int64, shape (samples,), or None
    reward : array of int64, shape (samples, ticks), or None
    encoder : Encoder or None
    full_scale : int
    path : Path or None
        The file that they are from.
    lengths : array of int64, shape (samples,), or None
        As of :class:`Samples`; not with an encoder.
    input_shape : tuple of int, or None
        As of :class:`Samples`.
    expected : dict of str to array
        As of :class:`Samples`; none with an encoder.
    """

    __repr__ = summary

    given: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None = None
    reward: npt.NDArray[np.int64] | None = None
    encoder: Encoder | None = None
    full_scale: int = 1
    path: Path | None = None
    lengths: Lengths = None
    input_shape: tuple[int, ...] | None = None
    expected: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is shown: intensities or spikes, their encoding, labels and rewards."""
        encoding = repr((self.encoder, self.full_scale))
        return digest_of(self.given, self.labels, self.reward, encoding)

    def __len__(self) -> int:
        return len(self.given)

    def spikes(
        self, epoch: int = 0, first: int = 0, last: int | None = None
    ) -> npt.NDArray[np.uint8]:
        """Return the spikes of samples ``first`` up to, not including, ``last``, in an epoch."""
        given = self.given[first:last]
        if self.encoder is None:
            return given
        return self.encoder.encode(given, self.full_scale, epoch, first)

    def first(self, count: int | None) -> Samples:
        """Return the first so many samples, as they are in the first epoch; None: all."""
        labels = None if self.labels is None else self.labels[:count]
        return Samples(
            self.spikes(last=count),
            labels,
            self.path,
            self.rewards(last=count),
            None if self.lengths is None else self.lengths[:count],
            self.input_shape,
            {name: values[:count] for name, values in self.expected.items()},
        )

    def rewards(self, first: int = 0, last: int | None = None) -> npt.NDArray[np.int64] | None:
        """Return the rewards of samples, where there are any."""
        return None if self.reward is None else self.reward[first:last]


def load_learning_samples(
    path: Path,
    encoder: Encoder | None,
    *,
    readers: Iterable[SampleReader] = (),
    input_levels: int = 1,
) -> LearningSamples:
    """Read samples for learning.

    Parameters
    ----------
    path : Path
        A samples file as :func:`load_samples` reads it; with an encoder, one with ``levels``
        (samples, inputs) and ``full_scale``. Optionally ``labels`` (samples) and ``reward``
        (samples, ticks).
    encoder : Encoder or None
    readers : iterable of SampleReader
    input_levels : int
        As for :func:`load_samples`.

    Raises
    ------
    SpikeletError
        Saying what is wrong with the file and what would be valid.
    """
    file = SampleFile.read(path, readers=readers, input_levels=input_levels)
    if encoder is None:
        spikes = file.shown()
        labels = file.labels(len(spikes), spikes.shape[1])
        reward = file.reward(len(spikes), spikes.shape[1])
        return LearningSamples(
            spikes,
            labels,
            reward,
            path=file.path,
            lengths=file.lengths(*spikes.shape[:2]),
            input_shape=file.input_shape(),
            expected=file.expected(len(spikes)),
        )
    if not {f"{file.prefix}levels", "full_scale"} <= file.arrays.keys():
        raise SpikeletError(
            f"{file.path} holds {', '.join(file.arrays) or 'nothing'}; the [encoder] of the "
            "network needs levels (samples, inputs) and full_scale",
            remedy="add them, or leave [encoder] out to use spikes as they are",
        )
    if f"{file.prefix}lengths" in file.arrays:
        raise file.error(
            f"{file.prefix}lengths",
            "are of spikes, and the [encoder] of the network makes as many ticks for each sample",
            "leave lengths out, or store spikes and leave [encoder] out",
        )
    levels = file.levels()
    full_scale = file.number("full_scale")
    try:
        check_levels(levels, full_scale)
    except SpikeletError as error:
        raise SpikeletError(f"{file.path}: {error.args[0]}", remedy=error.remedy) from error
    labels = file.labels(len(levels))
    reward = file.reward(len(levels))
    return LearningSamples(levels, labels, reward, encoder, full_scale, file.path)
