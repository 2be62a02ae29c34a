"""Golden model of the axon bitmap and its delay slots. Twin of ``rtl_gen/axon_bitmap.py``.

The hardware holds one bit per axon and delay slot. Here the arrivals of a whole run are counted, so
that a core can be advanced by many ticks at once; what is above 1 are the merged spikes.
"""

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

    Attributes
    ----------
    arrivals : array of uint16, shape (samples, ticks + delay_slots, n_axons)
        Spikes due at each tick and axon; the last ``delay_slots`` ticks lie beyond the run.
    """

    def __init__(self, core: CoreParams, samples: int, ticks: int) -> None:
        self.ticks = ticks
        self.arrivals = np.zeros((samples, ticks + core.delay_slots, core.n_axons), np.uint16)

    def carry(self, arrivals: npt.NDArray[np.bool_]) -> None:
        """Enter what is due already when the run starts, shape (delay_slots, n_axons)."""
        self.arrivals[:, : len(arrivals)] += arrivals

    def add_events(self, events: Events, core: int) -> None:
        """Enter the host events of a whole run that go to core number ``core``."""
        here = np.flatnonzero(events.core == core)
        sent = events.tick_of_event[here]
        due = sent % events.ticks + events.delay[here]
        ticks, n_axons = self.arrivals.shape[1:]
        place = (sent // events.ticks * ticks + due) * n_axons + events.axon[here]
        np.add.at(self.arrivals.reshape(-1), place, 1)

    def active(self, first_tick: int, last_tick: int) -> npt.NDArray[np.bool_]:
        """Return S for ticks ``first_tick`` up to, not including, ``last_tick``.

        Shape (samples, ticks, n_axons).
        """
        return self.arrivals[:, first_tick:last_tick] > 0

    def remaining(self) -> npt.NDArray[np.bool_]:
        """Return what is due after the run's end in the last sample: (delay_slots, n_axons)."""
        return self.arrivals[-1, self.ticks :] > 0

    def merged(self) -> npt.NDArray[np.int32]:
        """Return the merged spikes of each sample; also those due after the run's end."""
        spikes = self.arrivals.sum(axis=(1, 2), dtype=np.int64)
        places = np.count_nonzero(self.arrivals, axis=(1, 2))
        merged: npt.NDArray[np.int32] = (spikes - places).astype(np.int32)
        return merged
