"""Synaptic sums by synapse format. No twin: ``rtl_gen/synapses/crossbars.py`` has the gates."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden.synapses import axon_types, dense, gather, shared, sparse

__all__ = ["DrawnSums", "Sums", "drawn_sums", "register_sums", "synaptic_sums"]

Sums = Callable[[CoreParams, npt.NDArray[Any], npt.NDArray[np.int16]], npt.NDArray[np.int32]]
"""From a core, its active axons (..., n_axons) and stored weights to sums (..., n_neurons)."""

DrawnSums = Callable[
    [CoreParams, npt.NDArray[np.bool_], npt.NDArray[np.int16], Sequence[int]],
    npt.NDArray[np.int32],
]
"""The same of a core whose synapses draw, from axons (samples, ticks, n_axons) and ticks' keys."""

_DRAWN_SUMS: dict[str, DrawnSums] = {
    "axon-types": lambda core, active, weights, keys: axon_types.drawn_sums(
        active, weights, core.lanes, keys
    ),
}

_SUMS: dict[str, Sums] = {
    "dense": lambda _, active, weights: dense.synaptic_sums(active, weights),
    "shared": lambda core, active, kernel: shared.synaptic_sums(
        ConvolutionShape.of(core.synapse_options), active, kernel
    ),
    "gather": lambda core, active, kernel: gather.synaptic_sums(
        ConvolutionShape.of(core.synapse_options), active, kernel
    ),
    "sparse": lambda core, active, entries: sparse.synaptic_sums(
        active, entries, core.n_neurons, core.lanes
    ),
    "axon-types": lambda _, active, weights: axon_types.synaptic_sums(active, weights),
}


def synaptic_sums(
    core: CoreParams, active: npt.NDArray[Any], weights: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return I[n] = sum over a of S[a] * W[a, n], exactly, in weight LSBs.

    Parameters
    ----------
    core : CoreParams
    active : array of bool, or uint8 of counts, shape (..., n_axons)
        S: axons with an arrival in this tick.
    weights : array of int16
        As the core's synapse format stores them.

    Returns
    -------
    array of int32, shape (..., n_neurons)
    """
    return _SUMS[core.synapses](core, active, weights)


def drawn_sums(
    core: CoreParams,
    active: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.int16],
    keys: Sequence[int],
) -> npt.NDArray[np.int32]:
    """Return the synaptic sums of ticks in a core whose synapses draw, in weight LSBs.

    Parameters
    ----------
    core : CoreParams
    active : array of bool, shape (samples, ticks, n_axons)
    weights : array of int16
        As the core's synapse format stores them.
    keys : sequence of int
        Of the ticks, 1..2**32 - 1.

    Returns
    -------
    array of int32, shape (samples, ticks, n_neurons)
    """
    return _DRAWN_SUMS[core.synapses](core, active, weights, keys)


def register_sums(name: str, sums: Sums) -> None:
    """Add the golden model of a synapse format; SpikeletError if there is one of this name."""
    if _SUMS.setdefault(name, sums) is not sums:
        raise SpikeletError(f"there is a golden model of {name!r} synapses already")
