"""Digits of 16x16 pixels: MNIST, deskewed and scaled down, or the 8x8 digits scaled up."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.examples.mnist.data import load_mnist

__all__ = ["FULL_SCALE", "SIDE", "Digits", "Preparation", "deskewed", "scaled"]

SIDE = 16
FULL_SCALE = 255

_MNIST_SIDE = 28
_FIRST_HELD_OUT = 50_000
_SMALL_TRAINING = 460
_SMALL_SCALE = 16

_Images = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """How MNIST's images become 16x16.

    Parameters
    ----------
    deskew : bool
        Whether to shear and centre each image.
    margin : int
        Pixels cut off at each side before scaling, 0..12. MNIST's digits are in the inner 20x20.
    """

    deskew: bool = True
    margin: int = 4


@dataclass(frozen=True, eq=False)
class Digits:
    """Images as levels of 0..255, shape (images, 256), and labels."""

    levels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def part(self, first: int, last: int) -> "Digits":
        """Return images ``first`` to ``last - 1``."""
        return replace(self, levels=self.levels[first:last], labels=self.labels[first:last])

    @classmethod
    def mnist(cls, folder: Path, first: int, last: int, prepare: Preparation) -> "Digits":
        """Return images ``first`` to ``last - 1`` of MNIST's training files.

        SpikeletError if a file is missing or damaged, or has no such images.
        """
        levels, labels = load_mnist(folder)
        if not 0 <= first < last <= len(levels):
            raise SpikeletError(
                f"{folder}: images {first} to {last - 1} are wanted of {len(levels)}"
            )
        side = _MNIST_SIDE
        images = levels[first:last].reshape(-1, side, side).astype(np.float64)
        if prepare.deskew:
            images = deskewed(images)
        inner = slice(prepare.margin, side - prepare.margin)
        return cls(_levels(scaled(images[:, inner, inner], SIDE)), labels[first:last])

    @classmethod
    def small(cls) -> tuple["Digits", "Digits"]:
        """Return 460 of the 8x8 digits of ``examples/digits``, scaled up, and 100 others."""
        path = Path(__file__).parents[1] / "digits" / "digits_test.npz"
        with np.load(path) as data:
            small = np.concatenate([data["calibration_levels"], data["test_levels"]])
            labels = np.concatenate([data["calibration_labels"], data["test_labels"]])
        images = small.reshape(-1, 8, 8) * (FULL_SCALE / _SMALL_SCALE)
        digits = cls(_levels(scaled(images, SIDE)), labels)
        return digits.part(0, _SMALL_TRAINING), digits.part(_SMALL_TRAINING, len(labels))


def deskewed(images: _Images) -> _Images:
    """Return images sheared along their rows until they stand upright, centred along the rows.

    The shear makes the covariance of both coordinates 0, as LeCun et al. 1998 ("Gradient-based
    learning applied to document recognition") did for a variant of MNIST; pixels in between are
    interpolated linearly.

    Parameters
    ----------
    images : array of float, shape (images, rows, columns)
        Each with some pixel above 0.
    """
    rows, columns = (np.arange(size, dtype=np.float64) for size in images.shape[1:])
    mass = images.sum(axis=(1, 2))
    row = (images.sum(axis=2) @ rows) / mass
    column = (images.sum(axis=1) @ columns) / mass
    off_row, off_column = rows - row[:, None], columns - column[:, None]
    covariance = np.einsum("nij,ni,nj->n", images, off_row, off_column)
    variance = np.einsum("nij,ni->n", images, off_row**2)
    shear = covariance / np.maximum(variance, 1e-9)
    middle = (len(columns) - 1) / 2
    source = columns + (column[:, None] - middle + shear[:, None] * off_row)[..., None]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1)))  # beyond the image there is 0
    source = np.clip(source + 1, 0, len(columns) + 1)
    left = np.minimum(source.astype(np.int64), len(columns))
    share = source - left
    low = np.take_along_axis(padded, left, axis=2)
    high = np.take_along_axis(padded, left + 1, axis=2)
    straight: _Images = low + share * (high - low)
    return straight


def scaled(images: _Images, side: int) -> _Images:
    """Return square images at another size: each new pixel the mean of the area it covers.

    Parameters
    ----------
    images : array of float, shape (images, n, n)
    side : int
        1 or more.
    """
    size = images.shape[1]
    edges = np.arange(side + 1) * size / side
    ends = np.minimum(edges[1:, None], np.arange(1, size + 1))
    starts = np.maximum(edges[:-1, None], np.arange(size))
    share = np.maximum(0, ends - starts) * side / size
    smaller: _Images = share @ images @ share.T
    return smaller


def _levels(images: _Images) -> npt.NDArray[np.uint8]:
    """Return images as rows of levels."""
    return np.clip(np.rint(images), 0, FULL_SCALE).astype(np.uint8).reshape(len(images), -1)
