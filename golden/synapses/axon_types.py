"""Golden model of axon types. Twin of ``rtl_gen/synapses/axon_types.py``."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.axon_types import TYPES, parts

__all__ = ["synaptic_sums"]


def synaptic_sums(
    active: npt.NDArray[Any], weights: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return I[n] = sum over a of S[a] * B[a, n] * s[G[a], n], type by type.

    Parameters
    ----------
    active : array of bool, or uint8 of counts, shape (..., n_axons)
        S: axons with an arrival in this tick.
    weights : array of int16, shape (n_axons + 4, 1 + n_neurons)
        Types G of the axons, bits B, and weights s, as the format stores them.

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs. The counts of float32 are exact: at most 4096 axons, and with counts of 8
        bits still below 2**24.
    """
    types, bits, table = parts(weights)
    flat = active.reshape(-1, active.shape[-1]).astype(np.float32)
    sums = np.zeros((len(flat), bits.shape[1]), np.int32)
    for kind in range(TYPES):
        here = types == kind
        counts = flat[:, here] @ bits[here].astype(np.float32)
        sums += counts.astype(np.int32) * table[kind].astype(np.int32)
    return sums.reshape(*active.shape[:-1], bits.shape[1])
