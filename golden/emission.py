"""Golden model of emission: from fired neurons to arrivals. Twin of ``rtl_gen/emission.py``."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from golden.axon_bitmap import AxonBitmap
from spikelet.description.image import HOST, NO_DESTINATION

__all__ = ["emit"]


def emit(
    fired: npt.NDArray[np.bool_],
    first_tick: int,
    destinations: npt.NDArray[np.int32],
    bitmaps: Sequence[AxonBitmap],
    outputs: npt.NDArray[np.uint16],
) -> None:
    """Send the spikes of some ticks of one core to every destination.

    Parameters
    ----------
    fired : array of bool, shape (samples, ticks, n_neurons)
    first_tick : int
        The tick of ``fired[:, 0]``.
    destinations : array of int32, shape (n_neurons, fan_out, 3)
        As in :class:`CoreImage`.
    bitmaps : sequence of AxonBitmap
        Of every core; arrivals are added.
    outputs : array of uint16, shape (samples, ticks of the run, n_outputs)
        Spikes are added to the output lines.
    """
    last_tick = first_tick + fired.shape[1]
    for neuron, entry in zip(*np.nonzero(destinations[..., 0] == HOST), strict=True):
        outputs[:, first_tick:last_tick, destinations[neuron, entry, 1]] += fired[..., neuron]
    for target in np.unique(destinations[..., 0]):
        if target in (HOST, NO_DESTINATION):
            continue
        neuron, entry = np.nonzero(destinations[..., 0] == target)
        axon, delay = destinations[neuron, entry, 1:].T
        for d in np.unique(delay):
            due = bitmaps[target].arrivals[:, first_tick + d : last_tick + d]
            _add(due, axon[delay == d], fired[..., neuron[delay == d]])


def _add(
    due: npt.NDArray[np.uint16], axon: npt.NDArray[np.int32], spikes: npt.NDArray[np.bool_]
) -> None:
    """Add spikes to axons, one pass for each time an axon is repeated."""
    while axon.size:
        _, once = np.unique(axon, return_index=True)
        due[..., axon[once]] += spikes[..., once]
        axon, spikes = np.delete(axon, once), np.delete(spikes, once, axis=-1)
