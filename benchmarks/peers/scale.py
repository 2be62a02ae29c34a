"""Networks of 256x256 cores that keep themselves busy. Needs numpy alone.

Every neuron adds a constant drive in each tick, as TrueNorth's do with their constant leak (Merolla
et al., Science 345, 2014), and sends its spikes to one axon of its own, of any core. Weights
balance out on average, so a neuron fires every ``THRESHOLD / DRIVE`` ticks, give or take its input;
first potentials are random, so that some 2 % fire in every tick. All values are integers that
floats can hold, so simulators in floating point compute the same spikes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["DRIVE", "SIDE", "SLOTS", "THRESHOLD", "Network"]

SIDE = 256
"""Axons, and neurons, of a core."""

DRIVE, THRESHOLD = 20, 1000
"""In weight LSBs: a rate of 0.02 a tick, which is 20 Hz if a tick is 1 ms."""

SLOTS = 16
"""Of delays: 1 to 15 ticks, as in TrueNorth."""


@dataclass(frozen=True)
class Network:
    """A network, from a fixed seed.

    Parameters
    ----------
    n_cores : int
        A square of a power of two.
    weight_format : str
        ``"signed"``: 4 bits, -7..7; ``"binary"``: 1 bit, +1 or -1; or ``"unsigned"``: 1 bit, 0 or
        1, where the mean input of a half of all weights is taken off the drive.
    ticks : int
    """

    n_cores: int
    weight_format: str
    ticks: int

    @property
    def n_neurons(self) -> int:
        """Neurons, and axons, in all."""
        return self.n_cores * SIDE

    @property
    def drive(self) -> int:
        """What each neuron adds in a tick."""
        excess = SIDE // 2 * DRIVE // THRESHOLD if self.weight_format == "unsigned" else 0
        return DRIVE - excess

    @cached_property
    def weights(self) -> npt.NDArray[np.int8]:
        """Weights, shape (cores, axons, neurons)."""
        rng = np.random.default_rng(1)
        shape = (self.n_cores, SIDE, SIDE)
        if self.weight_format == "signed":
            return rng.integers(-7, 8, shape, np.int8)
        bits = rng.integers(0, 2, shape, np.int8)
        return bits if self.weight_format == "unsigned" else 2 * bits - 1

    @cached_property
    def axons(self) -> npt.NDArray[np.int32]:
        """The axon of each neuron: axon ``axons % SIDE`` of core ``axons // SIDE``."""
        return np.random.default_rng(2).permutation(self.n_neurons).astype(np.int32)

    @cached_property
    def delays(self) -> npt.NDArray[np.int32]:
        """Ticks from each neuron to its axon."""
        return np.random.default_rng(3).integers(1, SLOTS, self.n_neurons, np.int32)

    @cached_property
    def potentials(self) -> npt.NDArray[np.int32]:
        """Of all neurons before the first tick."""
        return np.random.default_rng(4).integers(0, THRESHOLD, self.n_neurons, np.int32)
