"""Golden model of emission: from fired neurons to arrivals. Twin of ``rtl_gen/emission.py``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.params import ChipParams
from spikelet.golden.axon_bitmap import AxonBitmap

__all__ = ["emit", "single_targets"]


def single_targets(chip: ChipParams, destinations: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return (neuron, core, axon, delay) of each core that each destination reaches.

    Parameters
    ----------
    chip : ChipParams
    destinations : array of int32, shape (n, 6)
        As in :class:`CoreImage`.

    Returns
    -------
    array of int32, shape (targets, 4)
        Sorted by neuron; the cores of a rectangle row by row.
    """
    columns, rows = destinations[:, 4], destinations[:, 5]
    if np.all(columns * rows == 1):
        return np.ascontiguousarray(destinations[:, :4])
    cores = columns * rows
    targets = np.repeat(destinations, cores, axis=0)
    place = np.arange(len(targets)) - np.repeat(np.cumsum(cores) - cores, cores)
    row, column = np.divmod(place, targets[:, 4])
    targets[:, 1] += (row * chip.width + column).astype(np.int32)
    return np.ascontiguousarray(targets[:, :4])


def emit(
    fired: npt.NDArray[Any],
    first_tick: int,
    targets: npt.NDArray[np.int32],
    bitmaps: Sequence[AxonBitmap],
    outputs: npt.NDArray[np.uint16],
) -> None:
    """Send the spikes of some ticks of one core to every core they reach.

    Parameters
    ----------
    fired : array of bool, or uint8 of counts, shape (samples, ticks, n_neurons)
    first_tick : int
        The tick of ``fired[:, 0]``.
    targets : array of int32, shape (targets, 4)
        See :func:`single_targets`.
    bitmaps : sequence of AxonBitmap
        Of every core; arrivals are added.
    outputs : array of uint16, shape (samples, ticks of the run, n_outputs)
        Spikes are added to the output lines.
    """
    last_tick = first_tick + fired.shape[1]
    for core in np.unique(targets[:, 1]):
        neuron, _, axon, delay = targets[targets[:, 1] == core].T
        if core == HOST:
            _add(outputs[:, first_tick:last_tick], axon, fired[..., neuron])
            continue
        for d in np.unique(delay):
            due = bitmaps[core].arrivals[:, first_tick + d : last_tick + d]
            _add(due, axon[delay == d], fired[..., neuron[delay == d]])


def _add(
    counts: npt.NDArray[np.unsignedinteger], place: npt.NDArray[np.int32], spikes: npt.NDArray[Any]
) -> None:
    """Add spikes to axons or output lines, one pass for each time one is repeated."""
    while place.size:
        _, once = np.unique(place, return_index=True)
        counts[..., place[once]] += spikes[..., once]
        place, spikes = np.delete(place, once), np.delete(spikes, once, axis=-1)
