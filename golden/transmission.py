"""Golden model of stochastic transmission of axons. Twin of ``rtl_gen/transmission.py``."""

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.transmission import TRANSMISSION_BITS, transmission_words
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.golden.draws import Keys
from spikelet.golden.lfsr import draw

__all__ = ["Transmission"]


class Transmission:
    """Which spikes bring their weights: one draw for each active axon in a tick, ascending.

    Parameters
    ----------
    image : CoreImage
    """

    def __init__(self, image: CoreImage) -> None:
        self._failures = transmission_words(image.transmission).astype(np.int64)
        self._keys = Keys(image.transmission_key)

    def transmitted(self, active: npt.NDArray[np.bool_], tick: int) -> npt.NDArray[np.bool_]:
        """Return the spikes of a tick that come through, (samples, n_axons).

        An LFSR starts with the tick's key; the k-th active axon has its k-th draw, of which the
        highest 8 bits must not be below the axon's chance to fail.

        Parameters
        ----------
        active : array of bool, shape (samples, n_axons)
        tick : int
            Counted from 0 at ``clear``.
        """
        first = np.array([self._keys.of(tick)], np.uint32)
        draws = draw(first, active.shape[1])[0][:, 0] >> (DRAW_BITS - TRANSMISSION_BITS)
        order = np.cumsum(active, axis=1) - 1  # -1 before the first: not active
        found: npt.NDArray[np.bool_] = active & (draws[order] >= self._failures)
        return found
