"""Cost model: spikes on their way out behind the last update.

No twin in rtl_gen, whose cycles it predicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import CoreImage

__all__ = ["drain_cycles"]

_QUEUE = 3
"""Cycles from the row of a neuron that fired until its word is looked up."""

_TABLE = 2
"""From there until the word's flit leaves."""

_LIST = 2
"""Further ones until the first flit of a list leaves."""


@dataclass
class _Drain:
    """Emission of a tick; times are clock cycles from the last row's update on."""

    core: CoreParams
    free: int = -(1 << 40)
    """When the next neuron can be looked up."""
    taken: int = -(1 << 40)
    """When the last flit was taken from the router."""
    end: int = 0
    """Last cycle in which anything is under way."""
    row: tuple[int, int] = (-1, -1)
    """Slot and word of the axon bitmap that ..."""
    row_taken: int = -(1 << 40)
    """... the last spike for the core itself went to, and when."""

    def neuron(self, row_at: int, targets: list[tuple[int, int, int]]) -> None:
        """Send the spike of a neuron, whose row was updated at ``row_at``."""
        looked_up = max(row_at + _QUEUE, self.free)
        listed = len(targets) > 1
        self.free = looked_up + (len(targets) + _LIST + 1 if listed else 1)
        first = looked_up + _TABLE + (_LIST if listed else 0)
        self.end = max(self.end, looked_up + _TABLE)
        for place, target in enumerate(targets):
            self._flit(first + place, *target)

    def _flit(self, at: int, core: int, axon: int, delay: int) -> None:
        taken = max(at + 1, self.taken + 1)
        if core == HOST:
            self.end = max(self.end, taken)
        else:
            row = (delay % self.core.delay_slots, axon // self.core.scan_bits)
            if row == self.row:  # a second spike to the same word waits until the first is written
                taken = max(taken, self.row_taken + 2)
            self.row, self.row_taken = row, taken
            self.end = max(self.end, taken + 1)
        self.taken = taken


def drain_cycles(
    core: CoreParams,
    image: CoreImage,
    active: npt.NDArray[np.bool_],
    fired: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """Return the clock cycles by which spikes on their way out lengthen each tick.

    Of the only core of a chip, to whose host nothing is in the way; exact where the synapse format
    says when its groups leave (``group_cycles``), else 0.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
    active : array of bool, shape (ticks, n_axons)
    fired : array of bool, shape (ticks, n_neurons)

    Returns
    -------
    array of int64, shape (ticks,)
    """
    found = np.zeros(len(fired), np.int64)
    apart = core.synapse_format.group_cycles(core, np.count_nonzero(active, axis=1))
    if apart is None:
        return found
    targets = _targets(image)
    rows_in_group = core.lanes // core.pipelines
    for tick in np.flatnonzero(fired.any(axis=1)).tolist():
        drain = _Drain(core)
        for neuron in np.flatnonzero(fired[tick]).tolist():
            group, row = divmod(neuron // core.pipelines, rows_in_group)
            row_at = (group + 1 - core.groups) * int(apart[tick]) + row + 1 - rows_in_group
            drain.neuron(row_at, targets.get(neuron, []))
        found[tick] = drain.end
    return found


def _targets(image: CoreImage) -> Mapping[int, list[tuple[int, int, int]]]:
    """Return core, axon and delay of each spike of each neuron, in order."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for neuron, core, axon, delay, _, _ in image.destinations.tolist():
        found.setdefault(neuron, []).append((core, axon, delay))
    return found
