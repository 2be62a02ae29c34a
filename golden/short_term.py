"""Golden model of short-term plasticity of axons. Twin of ``rtl_gen/short_term.py``."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.short_term import (
    AMPLITUDE_BITS,
    DEPLETED_BITS,
    FACTOR_BITS,
    U_BITS,
    ShortTermPlasticity,
)

__all__ = ["ShortTerm", "scaled_sums"]

_Int = npt.NDArray[np.int64]

_PRODUCT_BITS = U_BITS + DEPLETED_BITS


class ShortTerm:
    """``u`` and ``depleted`` of the axons of a core, for a batch of samples.

    Parameters
    ----------
    params : ShortTermPlasticity
    axons : array of bool, shape (n_axons,)
        Which have short-term plasticity; the others bring all of their weights.
    states : mapping of array of int, shape (samples, n_axons)
        ``u`` and ``depleted``, as they enter the coming tick.

    Attributes
    ----------
    states : dict of array of int64, shape (samples, n_axons)
    """

    def __init__(
        self,
        params: ShortTermPlasticity,
        axons: npt.NDArray[np.bool_],
        states: Mapping[str, npt.NDArray[np.integer]],
    ) -> None:
        self.params = params
        self.axons = axons
        self.states = {name: values.astype(np.int64) for name, values in states.items()}

    def amplitudes(self) -> _Int:
        """Return what a spike of each axon brings in the coming tick, (samples, n_axons)."""
        product = self._raised() * self._left()
        shift = _PRODUCT_BITS - AMPLITUDE_BITS
        return np.where(self.axons, product + (1 << shift >> 1) >> shift, 1 << AMPLITUDE_BITS)

    def advance(self, active: npt.NDArray[np.bool_]) -> _Int:
        """Take the spikes of a tick, (samples, n_axons); return the amplitudes that they had."""
        found = self.amplitudes()
        raised, depleted = self._raised(), self.states["depleted"]
        used = raised * self._left() >> U_BITS
        u = np.where(active, raised, self.states["u"])
        self.states["u"] = _decayed(u, self.params.facilitation)
        self.states["depleted"] = _decayed(
            np.where(active, depleted + used, depleted), self.params.recovery
        )
        return found

    def _raised(self) -> _Int:
        """Return ``u`` as a spike would raise it."""
        u = self.states["u"]
        return u + (self.params.utilisation * ((1 << U_BITS) - u) >> U_BITS)

    def _left(self) -> _Int:
        """Return ``R``, in units of ``2**-16``."""
        return (1 << DEPLETED_BITS) - self.states["depleted"]


def _decayed(values: _Int, factor: int) -> _Int:
    """Return values a tick later: to the nearest, but at least 1 less, so that all reach 0."""
    rounded = values * factor + (1 << FACTOR_BITS >> 1) >> FACTOR_BITS
    found: _Int = rounded - ((rounded == values) & (values > 0))
    return found


def scaled_sums(
    active: npt.NDArray[np.bool_], amplitudes: _Int, weights: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return the sums of the weights of active axons, each times its amplitude, to the nearest.

    Parameters
    ----------
    active : array of bool, shape (..., n_axons)
    amplitudes : array of int64, shape (..., n_axons)
        0..4096, in 1/4096.
    weights : array of int16, shape (n_axons, n_neurons)

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs, halves up. One float64 matrix product is exact: sums stay below 2**33.
    """
    scaled = np.where(active, amplitudes, 0).astype(np.float64)
    flat = scaled.reshape(-1, scaled.shape[-1])
    sums = (flat @ weights.astype(np.float64)).astype(np.int64)
    rounded = sums + (1 << AMPLITUDE_BITS >> 1) >> AMPLITUDE_BITS
    return rounded.astype(np.int32).reshape(*active.shape[:-1], weights.shape[1])
