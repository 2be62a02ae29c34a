"""Golden model of dense synapses. Twin of ``rtl_gen/synapses/dense.py``."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["synaptic_sums"]


def synaptic_sums(
    active: npt.NDArray[Any], weights: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return I[n] = sum over a of S[a] * W[a, n], exactly.

    Parameters
    ----------
    active : array of bool, or uint8 of counts, shape (..., n_axons)
        S: axons with an arrival in this tick.
    weights : array of int16, shape (n_axons, n_neurons)

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs. One float32 matrix product is exact: with at most 4096 axons of 8 bits every
        partial sum stays below 2**20, and float32 holds integers up to 2**24. With counts of 8 bits
        it stays below 2**28, which needs float64.
    """
    kind = np.float32 if active.dtype == np.bool_ else np.float64
    flat = active.reshape(-1, active.shape[-1]).astype(kind)
    sums: npt.NDArray[np.int32] = (flat @ weights.astype(kind)).astype(np.int32)
    return sums.reshape(*active.shape[:-1], weights.shape[1])
