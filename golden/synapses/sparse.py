"""Golden model of sparse synapses: rows of entries. Twin of ``rtl_gen/synapses/sparse.py``."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["synaptic_sums"]


def synaptic_sums(
    active: npt.NDArray[Any], entries: npt.NDArray[np.int16], n_neurons: int, lanes: int
) -> npt.NDArray[np.int32]:
    """Return what the entries of the active axons add up to, exactly.

    I[group[e, l] * lanes + l] += S[axon[e]] * weight[e, l] for each entry e and lane l

    Parameters
    ----------
    active : array of bool, or uint8 of counts, shape (..., n_axons)
        S: axons with an arrival in this tick.
    entries : array of int16, shape (n, 1 + 2 * lanes)
        Axon, groups and weights of each.
    n_neurons, lanes : int

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs. float32 is exact here: a sum of at most 4096 weights of 8 bits stays below
        2**20, and float32 holds integers up to 2**24; with counts, float64.
    """
    kind = np.float32 if active.dtype == np.bool_ else np.float64
    flat = active.reshape(-1, active.shape[-1]).astype(kind)
    matrix = np.zeros((active.shape[-1], n_neurons), kind)
    neurons = entries[:, 1 : 1 + lanes].astype(np.int64) * lanes + np.arange(lanes)
    np.add.at(matrix, (entries[:, :1], neurons), entries[:, 1 + lanes :])
    sums: npt.NDArray[np.int32] = (flat @ matrix).astype(np.int32)
    return sums.reshape(*active.shape[:-1], n_neurons)
