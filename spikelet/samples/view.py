"""What a chip will see of samples, summed up as they come: for pictures, and as text."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary

__all__ = ["View", "image_text", "raster_text"]

_SHADES = " .:-=+*#%@"
_ROWS, _COLUMNS = 20, 72
"""Signs of a picture made of text, at most."""


@dataclass(eq=False)
class View:
    """Samples summed up, and one of them as it is.

    Parameters
    ----------
    chosen : int
        Number of the sample that is kept.

    Attributes
    ----------
    samples, spikes : int
        Samples that were added, and spikes in them.
    ticks : int
        Of a sample, without padding on average.
    input_shape : tuple of int
        Axes of the inputs; (inputs,) where they have no other.
    per_input : array of int64, shape (inputs,)
        Spikes of each input in all samples.
    per_tick : array of int64, shape (ticks,)
        Spikes in each tick in all samples.
    sample : array of uint8, shape (ticks, inputs), or None
        The chosen one; None until it was added.
    label : int or None
        Its label.
    labels : dict of int to int
        How many samples have each label.
    """

    __repr__ = summary

    chosen: int = 0
    samples: int = 0
    spikes: int = 0
    total_ticks: int = 0
    input_shape: tuple[int, ...] = ()
    per_input: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    per_tick: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    sample: npt.NDArray[np.uint8] | None = None
    label: int | None = None
    labels: dict[int, int] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return len(self.per_input)

    @property
    def rate(self) -> float:
        """Mean share of inputs that spike in a tick."""
        places = self.total_ticks * self.inputs
        return self.spikes / places if places else 0.0

    def add(
        self,
        spikes: npt.NDArray[np.uint8],
        label: int | None = None,
        length: int | None = None,
    ) -> None:
        """Add a sample of shape (ticks, *input_shape); ``length`` is its ticks if it is padded."""
        flat = spikes.reshape(len(spikes), -1)
        if not self.samples:
            self.input_shape = spikes.shape[1:]
            self.per_input = np.zeros(flat.shape[1], np.int64)
            self.per_tick = np.zeros(len(flat), np.int64)
        if self.samples == self.chosen:
            self.sample, self.label = flat, label
        if label is not None:
            self.labels[label] = self.labels.get(label, 0) + 1
        self.samples += 1
        self.total_ticks += len(flat) if length is None else length
        self.per_input += flat.sum(axis=0, dtype=np.int64)
        self.per_tick += flat.sum(axis=1, dtype=np.int64)
        self.spikes = int(self.per_tick.sum())

    @property
    def image(self) -> npt.NDArray[np.float64] | None:
        """Mean spikes of a sample in each pixel, (polarities, rows, columns); None without rows."""
        shape = self.input_shape if len(self.input_shape) == 3 else ()
        if not shape or shape[1] == 1 or not self.samples:
            return None
        found: npt.NDArray[np.float64] = self.per_input.reshape(shape) / self.samples
        return found


def raster_text(spikes: npt.NDArray[np.uint8]) -> list[str]:
    """Return a raster (ticks, inputs) as lines of text: inputs downwards, ticks to the right."""
    return _text(spikes.T)


def image_text(image: npt.NDArray[Any]) -> list[str]:
    """Return an image (rows, columns) as lines of text; a sign is twice as high as it is wide."""
    rows = min(_ROWS, image.shape[0])
    columns = min(_COLUMNS, 2 * rows * image.shape[1] // image.shape[0])
    return _text(np.repeat(image, 2, axis=1), rows, columns)


def _text(values: npt.NDArray[Any], rows: int = _ROWS, columns: int = _COLUMNS) -> list[str]:
    """Return means of rectangles as signs, the darkest the largest."""
    rows, columns = min(rows, values.shape[0]), min(columns, values.shape[1])
    means = values.astype(np.float64)
    for axis, parts in ((0, rows), (1, max(1, columns))):
        edges = np.arange(parts) * values.shape[axis] // parts
        sizes = np.diff(np.append(edges, values.shape[axis]))
        means = np.add.reduceat(means, edges, axis) / np.expand_dims(sizes, 1 - axis)
    top = means.max() or 1.0
    shades = np.ceil(means / top * (len(_SHADES) - 1)).astype(int)
    return ["".join(_SHADES[shade] for shade in row) for row in shades]
