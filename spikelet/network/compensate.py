"""Integers of weights whose rounding errors make up for each other in the currents.

Each weight is rounded in turn, and what that changes of the currents on calibration samples is made
up for by the weights that are not rounded yet, as well as they can: optimal brain surgery
(Hassibi and Stork 1993, "Second order derivatives for network pruning") applied to rounding, in one
order for all neurons (Frantar et al. 2023, "GPTQ: Accurate Post-Training Quantization for
Generative Pre-trained Transformers"). Currents then agree on average, too, so that there is nothing
left for a correction of biases.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.network.network import FloatArray
from spikelet.network.scale import codes

__all__ = ["Compensated"]

_DAMPING = 0.01
"""Added to how often inputs spike together, as a share of the mean over the inputs: what few
samples show by chance is not followed."""

_BLOCK = 64
"""Inputs rounded before the other weights are told; saves passes over these."""

_MOST_INPUTS = 2048
"""Inputs that make up for each other; of more, as many at a time."""

_SEARCHED_NEURONS = 64
"""Neurons, spread over all, on which an error is measured."""


class Compensated:
    """Weights, and what arrives at them.

    Parameters
    ----------
    weights : array of float64, shape (inputs, neurons)
    arriving : array of 0 and 1, shape (ticks, inputs)
        1 tick or more, on calibration samples.
    """

    __repr__ = summary

    def __init__(self, weights: FloatArray, arriving: FloatArray) -> None:
        self.weights = weights
        self._arriving = arriving

    def codes(self, scale: float, bits: int) -> npt.NDArray[np.int8]:
        """Return integers of weights in units of ``scale``, of the shape of the weights.

        A weight of exactly 0 is 0; if all weights are multiples of the scale within the range,
        so are the integers.
        """
        return self._codes(self.weights, scale, bits)

    def error(self, scale: float, bits: int) -> float:
        """Return the sum of the squares of what rounding changes of the currents.

        Of many neurons, on some of them.
        """
        weights = self.weights[:, :: -(-self.weights.shape[1] // _SEARCHED_NEURONS)]
        lost = weights - scale * self._codes(weights, scale, bits)
        return float(np.sum((self._arriving @ lost) ** 2))

    @cached_property
    def _blocks(self) -> list[tuple[npt.NDArray[np.int64], FloatArray]]:
        """Inputs that make up for each other, in the order in which they are rounded, and how.

        Row i of the matrix says how weights change if that of input i does, above the diagonal.
        """
        found = []
        for first in range(0, len(self.weights), _MOST_INPUTS):
            part = self._arriving[:, first : first + _MOST_INPUTS]
            together = part.T @ part
            often = np.diag(together)
            order = np.argsort(-often, kind="stable")
            together = together[np.ix_(order, order)]
            together[np.diag_indices(len(order))] += _DAMPING * often.mean() or 1.0
            upper = np.linalg.cholesky(np.linalg.inv(together)).T
            found.append((first + order, upper / np.diag(upper)[:, None]))
        return found

    def _codes(self, weights: FloatArray, scale: float, bits: int) -> npt.NDArray[np.int8]:
        found = np.zeros(weights.shape, np.int8)
        for order, spread in self._blocks:
            wanted, kept = weights[order], weights[order] != 0
            for first in range(0, len(order), _BLOCK):
                last = min(first + _BLOCK, len(order))
                errors = np.empty((last - first, weights.shape[1]))
                for i in range(first, last):
                    rounded = codes(wanted[i], scale, bits) * kept[i]
                    found[order[i]] = rounded
                    errors[i - first] = wanted[i] - scale * rounded
                    wanted[i + 1 : last] -= np.outer(spread[i, i + 1 : last], errors[i - first])
                wanted[last:] -= spread[first:last, last:].T @ errors
        return found
