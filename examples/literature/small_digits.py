"""The 8x8 digits of ``examples/digits``."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["small_digits"]

Labelled = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def small_digits(training: int = 460) -> tuple[Labelled, Labelled]:
    """Return so many images (images, 64), of 0..16, with labels, and the others of 560."""
    with np.load(Path(__file__).parents[1] / "digits" / "digits_test.npz") as data:
        levels = np.concatenate([data["calibration_levels"], data["test_levels"]])
        labels = np.concatenate([data["calibration_labels"], data["test_labels"]])
    return (levels[:training], labels[:training]), (levels[training:], labels[training:])
