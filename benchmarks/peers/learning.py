"""784 inputs to 400 neurons that learn by pair STDP. Needs numpy alone."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = [
    "DEPRESSION",
    "INPUTS",
    "MEMBRANE",
    "NEURONS",
    "POTENTIATION",
    "THRESHOLD",
    "TRACE",
    "Learning",
]

INPUTS, NEURONS = 784, 400
PRESENTATION = 350
"""Ticks of one image."""

MEMBRANE, TRACE = 100.0, 20.0
"""Time constants, in ticks."""

THRESHOLD = 30_000
POTENTIATION, DEPRESSION = 1.0, 1.1
"""Largest change of a weight by a pair of spikes; weights are 0..255."""


class Learning:
    """Inputs and first weights, for all engines.

    Parameters
    ----------
    ticks : int
    """

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks

    @cached_property
    def spikes(self) -> npt.NDArray[np.bool_]:
        """Input spikes, shape (ticks, inputs)."""
        rng = np.random.default_rng(1)
        images = -(-self.ticks // PRESENTATION)
        rates = rng.uniform(0.010, 0.060, (images, INPUTS)) * (rng.random((images, INPUTS)) < 0.2)
        rates = np.repeat(rates, PRESENTATION, axis=0)[: self.ticks]
        return np.asarray(rng.random(rates.shape) < rates)

    @cached_property
    def weights(self) -> npt.NDArray[np.int16]:
        """First weights, shape (inputs, neurons)."""
        return np.random.default_rng(2).integers(0, 120, (INPUTS, NEURONS)).astype(np.int16)
