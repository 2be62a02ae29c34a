"""Golden model of a core's neurons and their memories. Twin of ``rtl_gen/neuron_array.py``."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.golden.lif_update import lif_update
from spikelet.golden.trace_update import less_fraction

__all__ = ["NeuronArray"]


@dataclass
class NeuronArray:
    """State of a core's neurons for a batch: what ``clear`` clears, and the adaptations.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    v : array of int64, shape (samples, n_neurons)
        Membrane potentials.
    fired : array of bool, same shape
        Who fired in the last tick.
    adaptation : array of int64, same shape, or None in a core without
    """

    core: CoreParams
    image: CoreImage
    v: npt.NDArray[np.int64]
    fired: npt.NDArray[np.bool_]
    adaptation: npt.NDArray[np.int64] | None = None

    @classmethod
    def cleared(cls, core: CoreParams, image: CoreImage, samples: int) -> "NeuronArray":
        """Return the neurons after ``clear``: zeros, and the adaptations of the image."""
        shape = (samples, core.n_neurons)
        adaptation = None
        if core.adaptation:
            adaptation = np.broadcast_to(image.adaptation.astype(np.int64), shape)
        return cls(core, image, np.zeros(shape, np.int64), np.zeros(shape, np.bool_), adaptation)

    def update(
        self,
        sums: npt.NDArray[np.int32],
        first_tick: int,
        potentials: npt.NDArray[np.int32] | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Advance by the ticks of ``sums``.

        Parameters
        ----------
        sums : array of int32, shape (samples, ticks, n_neurons)
            Synaptic sums, in weight LSBs.
        first_tick : int
            Number of the first of these ticks, counted from 0 at ``clear``; nothing changes before
            the core's own ``first_tick``.
        potentials : array of int32, same shape, or None
            Receives the potentials after each tick.

        Returns
        -------
        array of bool, same shape
            Who fired.
        """
        fired = np.zeros(sums.shape, np.bool_)
        for tick in range(sums.shape[1]):
            if first_tick + tick >= self.core.first_tick:
                self._tick(sums[:, tick].astype(np.int64))
                fired[:, tick] = self.fired
            if potentials is not None:
                potentials[:, tick] = self.v
        return fired

    def _tick(self, current: npt.NDArray[np.int64]) -> None:
        inhibited = None
        if self.core.inhibition == "shared":
            inhibited = self.fired.any(axis=-1, keepdims=True) & ~self.fired
        self.v, self.fired = lif_update(
            self.core,
            self.image,
            self.v,
            self.fired,
            current,
            adaptation=self.adaptation,
            inhibited=inhibited,
        )

    def adapt(self) -> None:
        """Raise the adaptations of those that fired in the last tick, after all have decayed."""
        rule = self.core.adaptation
        if rule and self.adaptation is not None:
            values = self.adaptation
            if rule.decay_shift:
                values = less_fraction(values, rule.decay_shift)
            self.adaptation = np.minimum(values + rule.increment * self.fired, rule.largest)
