"""What a plastic network is shown: intensities or spikes from a file, labels and rewards."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.errors import SpikeletError
from spikelet.road.encode import ENCODERS, rest
from spikelet.road.samples import load_samples

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
    """

    __repr__ = summary

    given: npt.NDArray[Any]
    labels: npt.NDArray[np.int64] | None = None
    reward: npt.NDArray[np.int64] | None = None
    encoder: Encoder | None = None
    full_scale: int = 1

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

    def rewards(self, first: int = 0, last: int | None = None) -> npt.NDArray[np.int64] | None:
        """Return the rewards of samples, where there are any."""
        return None if self.reward is None else self.reward[first:last]


def load_learning_samples(path: Path, encoder: Encoder | None) -> LearningSamples:
    """Read samples for learning.

    Parameters
    ----------
    path : Path
        A samples file as :func:`load_samples` reads it; with an encoder, one with ``levels``
        (samples, inputs) and ``full_scale``. Optionally ``labels`` (samples) and ``reward``
        (samples, ticks).
    encoder : Encoder or None

    Raises
    ------
    SpikeletError
        Saying what is wrong with the file and what would be valid.
    """
    if encoder is None:
        samples = load_samples(path)
        arrays = _arrays(path)
        return LearningSamples(samples.spikes, samples.labels, _reward(path, arrays))
    arrays = _arrays(path)
    if not {"levels", "full_scale"} <= arrays.keys():
        raise SpikeletError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; the [encoder] of the network needs "
            "levels (samples, inputs) and full_scale",
            remedy="add them, or leave [encoder] out to use spikes as they are",
        )
    labels = arrays.get("labels")
    if labels is not None and labels.shape != arrays["levels"].shape[:1]:
        raise SpikeletError(
            f"{path}: labels must have shape {arrays['levels'].shape[:1]}, not {labels.shape}"
        )
    full_scale = arrays["full_scale"]
    if full_scale.shape != () or full_scale.dtype.kind not in "iu":
        raise SpikeletError(f"{path}: full_scale must be one int, not {full_scale!r}")
    return LearningSamples(
        arrays["levels"],
        None if labels is None else labels.astype(np.int64),
        _reward(path, arrays),
        encoder,
        int(full_scale),
    )


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as data:
            return dict(data)
    except (OSError, ValueError, TypeError, BadZipFile) as error:
        raise SpikeletError(
            f"{path} is not a readable .npz file: {error}",
            remedy="write it with numpy.savez: levels and full_scale, or spikes",
        ) from error


def _reward(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64] | None:
    reward = arrays.get("reward")
    if reward is None:
        return None
    if reward.dtype.kind not in "iu":
        raise SpikeletError(f"{path}: reward must be integers, not {reward.dtype}")
    return reward.astype(np.int64)
