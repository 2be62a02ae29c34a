"""Fully connected layers of LIF neurons, with random weights and inputs. Needs numpy alone."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["DECAY", "INPUT_RATE", "Layers"]

DECAY = 3686
"""Of 4096: a membrane time constant of 9.5 ticks."""

INPUT_RATE = 0.1
"""Share of inputs that spike in a tick."""


@dataclass(frozen=True)
class Layers:
    """A network and its input, in integers; peers compute the same in floating point.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, then the neurons of each layer.
    samples, ticks : int
    """

    sizes: tuple[int, ...]
    samples: int
    ticks: int

    @property
    def beta(self) -> float:
        """Factor of the leak."""
        return DECAY / 4096

    @cached_property
    def spikes(self) -> npt.NDArray[np.uint8]:
        """Input spikes, 0 or 1, shape (samples, ticks, inputs)."""
        rng = np.random.default_rng(1)
        shape = (self.samples, self.ticks, self.sizes[0])
        return (rng.random(shape, np.float32) < INPUT_RATE).astype(np.uint8)

    @cached_property
    def weights(self) -> list[npt.NDArray[np.int16]]:
        """4-bit weights of each layer, shape (inputs, neurons)."""
        rng = np.random.default_rng(2)
        shapes = zip(self.sizes, self.sizes[1:], strict=False)
        return [rng.integers(-7, 8, shape).astype(np.int16) for shape in shapes]

    @cached_property
    def thresholds(self) -> list[int]:
        """Threshold of each layer, for about a tenth of its neurons to fire in a tick."""
        return [round(2.6 * size**0.5) for size in self.sizes[:-1]]
