"""The arrays of a samples file, of whatever kind: which set is meant, and what they must hold."""

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.summary import summary
from spikelet.samples.encode import direct, rate
from spikelet.samples.lengths import TIME_FIRST, Lengths, check_lengths, check_padding, within
from spikelet.samples.reader import SampleReader
from spikelet.samples.sample_readers import FROM_EVENTS, NEEDED, reader_of

__all__ = ["SampleFile"]

_MOST_CLASSES = 1 << 31
_FRAME_AXES = 5


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
    merge_counts, time_first : bool
    input_levels : int
        As for :func:`load_samples`.
    """

    __repr__ = summary

    path: Path
    prefix: str
    arrays: dict[str, npt.NDArray[Any]]
    merge_counts: bool = False
    time_first: bool = False
    input_levels: int = 1

    @classmethod
    def read(
        cls,
        path: str | Path,
        prefix: str = "",
        readers: Iterable[SampleReader] = (),
        *,
        merge_counts: bool = False,
        time_first: bool = False,
        input_levels: int = 1,
    ) -> "SampleFile":
        """Read a file, and find out which set is meant; as for :func:`load_samples`."""
        path = Path(path)
        file, colon, ending = str(path).rpartition(":")
        if colon and not prefix and file and not os.path.exists(path):
            path, prefix = Path(file), ending
        arrays = reader_of(path, readers).read(path)
        ends = ("spikes", "levels")
        sets = sorted({n.removesuffix(end) for n in arrays for end in ends if n.endswith(end)})
        if prefix not in sets and sets and not (prefix == "" and len(sets) == 1):
            example = f"{path}:{sets[0]}"
            raise SpikeletError(
                f"{path} has no {prefix}spikes and no {prefix}levels; it holds {', '.join(arrays)}",
                remedy=f"name one of its sets ({', '.join(map(repr, sets))}) behind a colon, such "
                f"as {example}; or load_samples(path, {sets[0]!r})",
            )
        prefix = prefix if prefix in sets or not sets else sets[0]
        return cls(path, prefix, arrays, merge_counts, time_first, input_levels)

    def error(self, name: str, message: str, remedy: str = "") -> SpikeletError:
        """Return the error of an array, naming file and array."""
        return SpikeletError(f"{self.path}: {name} {message}", remedy=remedy)

    def shown(self) -> npt.NDArray[np.uint8]:
        """Return the spikes (samples, ticks, inputs), or what is made of levels.

        That is by rate, or, for graded inputs, directly.
        """
        if f"{self.prefix}spikes" in self.arrays:
            spikes = self.spikes()
            lengths = self.lengths(*spikes.shape[:2])
            with self._named():
                check_padding(lengths, spikes)
            return spikes
        if not {f"{self.prefix}levels", "full_scale", "ticks"} <= self.arrays.keys():
            events = any(values.dtype.names for values in self.arrays.values())
            raise SpikeletError(
                f"{self.path} holds {', '.join(self.arrays) or 'nothing'}",
                remedy=FROM_EVENTS if events else f"give {NEEDED}",
            )
        given = self.levels(), self.number("full_scale"), self.number("ticks")
        with self._named():
            graded = self.input_levels > 1
            spikes = direct(*given, self.input_levels) if graded else rate(*given)
        return within(self.lengths(*spikes.shape[:2]), spikes)

    def input_shape(self) -> tuple[int, ...] | None:
        """Return the axes of the inputs, where spikes are frames; None otherwise."""
        spikes = self.arrays.get(f"{self.prefix}spikes")
        if spikes is None or spikes.ndim != _FRAME_AXES:
            return None
        return tuple(spikes.shape[2:])

    def spikes(self) -> npt.NDArray[np.uint8]:
        """Return the spikes (samples, ticks, inputs).

        Frames (samples, ticks, polarities, rows, columns) are flattened, in row-major order.
        """
        name = f"{self.prefix}spikes"
        spikes = self._numbers(name)
        if spikes.ndim == _FRAME_AXES and spikes.size:
            spikes = spikes.reshape(*spikes.shape[:2], -1)
        if spikes.ndim != 3:
            remedy = "flatten the inputs: spikes.reshape(samples, ticks, -1)"
            if spikes.ndim == 2:
                remedy = "a single sample is spikes[None]"
            elif spikes.ndim == 4:
                remedy += "; a single sample of frames (ticks, p, y, x) is spikes[None]"
            raise self.error(
                name,
                "must have 3 axes (samples, ticks, inputs), or 5 of frames (samples, ticks, p, y, "
                f"x), not {spikes.ndim}: {spikes.shape}",
                remedy if 2 <= spikes.ndim <= 8 else f"give {NEEDED}",
            )
        if self.time_first:
            spikes = spikes.swapaxes(0, 1)
        if not spikes.size:
            raise self.error(
                name, f"has shape {spikes.shape}: there is nothing in it", f"give {NEEDED}"
            )
        if spikes.dtype.kind not in "bu" or spikes.max() > self.input_levels:  # else all is valid
            if self.input_levels > 1:
                self._check_counts(name, spikes)
            elif (wrong := (spikes != 0) & (spikes != 1)).any():
                spikes = self._merged(name, spikes, wrong)
        return np.ascontiguousarray(spikes, np.uint8)

    def _check_counts(self, name: str, spikes: npt.NDArray[Any]) -> None:
        """Check the counts of graded inputs."""
        valid = (spikes >= 0) & (spikes <= self.input_levels) & (spikes == np.rint(spikes))
        if not valid.all():
            sample, tick, line = (int(i) for i in np.argwhere(~valid)[0])
            raise self.error(
                name,
                f"must be whole numbers in 0..{self.input_levels}, the levels of the network's "
                f"inputs, found {spikes[sample, tick, line]} at sample {sample}, tick {tick}, "
                f"input {line} ({int((~valid).sum())} of {spikes.size} values)",
                "intensities are `levels`; compile with more --input-levels or --input-counts, up "
                "to 255",
            )

    def _merged(
        self, name: str, spikes: npt.NDArray[Any], wrong: npt.NDArray[np.bool_]
    ) -> npt.NDArray[Any]:
        """Return counts of events as spikes, if that is wanted; SpikeletError otherwise."""
        sample, tick, line = (int(i) for i in np.argwhere(wrong)[0])
        message = (
            f"must be 0 or 1, found {spikes[sample, tick, line]} at sample {sample}, tick {tick}, "
            f"input {line} ({int(wrong.sum())} of {spikes.size} values)"
        )
        beyond = spikes[wrong].astype(np.float64)
        if not (np.isfinite(beyond) & (beyond > 1) & (beyond == np.rint(beyond))).all():
            raise self.error(name, message, "intensities are `levels`, whole numbers from 0")
        events, lost = int(spikes.sum(dtype=np.float64)), int((beyond - 1).sum())
        if not self.merge_counts:
            raise self.error(
                name,
                f"{message}; if these are counts, and each becomes one spike, {lost:,} of "
                f"{events:,} events are lost",
                "spikelet data FILE --merge-counts -o NEW.npz, or load_samples(path, "
                "merge_counts=True); shorter ticks lose fewer; or let the chip take counts: "
                "spikelet compile --input-counts N; intensities are `levels`",
            )
        said = f"{self.path}: {name}: {lost:,} of {events:,} events are lost where counts above 1 "
        warnings.warn(f"{said}became one spike", SpikeletWarning, stacklevel=2)
        return spikes > 0

    def lengths(self, samples: int, ticks: int) -> Lengths:
        """Return the lengths (samples,), None if there are none."""
        name = f"{self.prefix}lengths"
        if name not in self.arrays:
            return None
        lengths = self._numbers(name)
        if lengths.shape == (samples, 1):
            lengths = lengths[:, 0]
        lengths = self._whole(name, lengths)
        with self._named():
            check_lengths(lengths, samples, ticks)
        return lengths.astype(np.int64)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the file in errors of what does not know it."""
        try:
            yield
        except SpikeletError as error:
            raise SpikeletError(f"{self.path}: {error.args[0]}", remedy=error.remedy) from error

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
                f"give {NEEDED}",
            )
        if levels.dtype.kind == "f" and self.input_levels == 1:
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
                remedy = TIME_FIRST
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

    def reward(self, samples: int, ticks: int | None = None) -> npt.NDArray[np.int64] | None:
        """Return the rewards (samples, ticks), None if there are none; ``ticks`` if it is known."""
        name = f"{self.prefix}reward"
        if name not in self.arrays:
            return None
        reward = self.arrays[name]
        if reward.dtype.kind not in "iu":
            raise self.error(name, f"must be integers, not {reward.dtype}")
        if reward.ndim != 2 or len(reward) != samples or ticks not in (None, reward.shape[1]):
            wanted = "ticks" if ticks is None else ticks
            remedy = TIME_FIRST if reward.shape[::-1] == (samples, ticks) else ""
            text = f"must have shape ({samples}, {wanted}), not {reward.shape}"
            raise self.error(name, text, remedy)
        return reward.astype(np.int64)

    def expected(self, samples: int) -> dict[str, npt.NDArray[Any]]:
        """Return what the network's framework recorded, by layer, the outputs under "".

        ``expected`` is of the outputs, ``expected_LAYER`` or ``layer_LAYER`` of a layer. What it
        must be follows from the network; here, numbers of so many samples.
        """
        found: dict[str, npt.NDArray[Any]] = {}
        for array in self.arrays:
            name = array.removeprefix(self.prefix)
            begins = ("expected_", "layer_") if array.startswith(self.prefix) else ()
            begin = next((begin for begin in begins if name.startswith(begin)), None)
            if begin is None and (not begins or name != "expected"):
                continue
            layer = name.removeprefix(begin) if begin else ""
            values = self._numbers(array)
            if self.time_first and values.ndim > 2:
                values = values.swapaxes(0, 1)
            if not 1 <= values.ndim <= 5 or len(values) != samples:
                raise self.error(
                    array,
                    f"has shape {values.shape}; it must be of {samples} samples",
                    "record what the framework does on these samples: spikes (samples, ticks, "
                    "neurons), counts (samples, neurons) or classes (samples,)",
                )
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise self.error(array, "must be finite", "record it again")
            if layer in found:
                raise self.error(array, f"is given twice, as layer_{layer} and expected_{layer}")
            found[layer] = values
        return found

    def _numbers(self, name: str) -> npt.NDArray[Any]:
        values = self.arrays[name]
        if values.dtype.kind not in "biuf":
            if values.dtype.names:
                what = "a table of events (a structured array)"
                raise self.error(name, f"must be numbers, not {what}", FROM_EVENTS)
            raise self.error(name, f"must be numbers, not {values.dtype}", f"give {NEEDED}")
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
                "round them, or scale them to whole numbers, before storing, such as "
                "np.rint(255 * levels).astype(int) and full_scale 255; or let the first layer see "
                "them in every tick: spikelet compile --input-levels N"
                if name.endswith("levels")
                else "round them, or scale them to whole numbers, before storing",
            )
        return whole


def _first(labels: npt.NDArray[Any]) -> str:
    return repr(labels.ravel()[0].item())[:40] if labels.size else "missing"


def _one_hot(labels: npt.NDArray[Any]) -> bool:
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())
