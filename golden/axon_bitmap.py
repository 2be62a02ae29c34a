"""Golden model of the axon bitmap and its delay slots. Twin of ``rtl_gen/axon_bitmap.py``.

The hardware holds one bit, or the bits of a count, per axon and delay slot. Here the arrivals of a
whole run are counted, so that a core can be advanced by many ticks at once; what is above the most
that the hardware holds are the merged spikes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.run.events import Events

__all__ = ["AxonBitmap"]


class AxonBitmap:
    """Arrivals at the axons of one core over a run.

    Parameters
    ----------
    core : CoreParams
    samples, ticks : int
    graded : bool
        Whether packets of the chip hold counts.

    Attributes
    ----------
    arrivals : array of uint16, shape (samples, ticks + delay_slots, n_axons)
        Spikes due at each tick and axon; the last ``delay_slots`` ticks lie beyond the run. uint32
        where packets hold counts.
    """

    def __init__(self, core: CoreParams, samples: int, ticks: int, graded: bool = False) -> None:
        self.ticks = ticks
        self.most = core.most_spikes
        shape = (samples, ticks + core.delay_slots, core.n_axons)
        kind = np.uint32 if graded else np.uint16
        self.arrivals: npt.NDArray[np.unsignedinteger] = np.zeros(shape, kind)

    def carry(self, arrivals: npt.NDArray[Any]) -> None:
        """Enter what is due already when the run starts, shape (delay_slots, n_axons)."""
        self.arrivals[:, : len(arrivals)] += arrivals

    def add_events(self, events: Events, core: int) -> None:
        """Enter the host events of a whole run that go to core number ``core``."""
        here = np.flatnonzero(events.core == core)
        sent = events.tick_of_event[here]
        due = sent % events.ticks + events.delay[here]
        ticks, n_axons = self.arrivals.shape[1:]
        place = (sent // events.ticks * ticks + due) * n_axons + events.axon[here]
        count = 1 if events.count is None else events.count[here].astype(self.arrivals.dtype)
        np.add.at(self.arrivals.reshape(-1), place, count)

    def active(self, first_tick: int, last_tick: int) -> npt.NDArray[Any]:
        """Return S for ticks ``first_tick`` up to, not including, ``last_tick``.

        Shape (samples, ticks, n_axons); bool, or uint8 of counts.
        """
        return self._held(self.arrivals[:, first_tick:last_tick])

    def remaining(self) -> npt.NDArray[Any]:
        """Return what is due after the run's end in the last sample: (delay_slots, n_axons)."""
        return self._held(self.arrivals[-1, self.ticks :])

    def _held(self, arrivals: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[Any]:
        """Return what the hardware holds of arrivals."""
        if self.most == 1:
            return arrivals > 0
        held: npt.NDArray[Any] = np.minimum(arrivals, self.most).astype(np.uint8)
        return held

    def merged(self) -> npt.NDArray[np.int32]:
        """Return the merged spikes of each sample; also those due after the run's end."""
        spikes = self.arrivals.sum(axis=(1, 2), dtype=np.int64)
        held = self._held(self.arrivals).sum(axis=(1, 2), dtype=np.int64)
        merged: npt.NDArray[np.int32] = (spikes - held).astype(np.int32)
        return merged
