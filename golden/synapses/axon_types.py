"""Golden model of axon types. Twin of ``rtl_gen/synapses/axon_types.py``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.axon_types import CHANCE_BITS, TYPES, drawn_parts, parts
from spikelet.golden.lfsr import draw

__all__ = ["drawn_sums", "synaptic_sums"]


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


def drawn_sums(
    active: npt.NDArray[np.bool_], weights: npt.NDArray[np.int16], lanes: int, keys: Sequence[int]
) -> npt.NDArray[np.int32]:
    """Return the sums of ticks where synapses may be stochastic (Cassidy et al. 2013, equation 1).

    An LFSR starts each tick with the tick's key. For each group of neurons, ascending, and in it
    for each active axon, ascending, each two lanes have a draw of 16 bits, of which the lower lane
    takes the lower 8. A stochastic synapse adds the sign of its weight where the weight's size is
    above what its lane has drawn, else nothing.

    Parameters
    ----------
    active : array of bool, shape (samples, ticks, n_axons)
    weights : array of int16, shape (n_axons + 8, 1 + n_neurons)
        As the format stores them, with flags.
    lanes : int
    keys : sequence of int
        Of the ticks, 1..2**32 - 1.

    Returns
    -------
    array of int32, shape (samples, ticks, n_neurons)
    """
    types, bits, table, flags = drawn_parts(weights)
    n_neurons = bits.shape[1]
    groups, words = n_neurons // lanes, -(-lanes // 2)
    sums = np.zeros((*active.shape[:2], n_neurons), np.int32)
    for tick, key in enumerate(keys):
        most = int(active[:, tick].sum(axis=1).max(initial=0))
        drawn = draw(np.array([key], np.uint32), groups * most * words)[0][:, 0]
        chances = np.stack([drawn & (1 << CHANCE_BITS) - 1, drawn >> CHANCE_BITS], axis=1)
        for sample, here in enumerate(active[:, tick]):
            axons = np.flatnonzero(here)
            rows = chances[: groups * axons.size * words].reshape(groups, axons.size, 2 * words)
            of_axons = rows[..., :lanes].transpose(1, 0, 2).reshape(axons.size, n_neurons)
            whole = table[types[axons]].astype(np.int32)
            unit = np.sign(whole) * (abs(whole) > of_axons)
            added = np.where(flags[types[axons]] == 1, unit, whole)
            sums[sample, tick] = (bits[axons] * added).sum(axis=0)
    return sums
