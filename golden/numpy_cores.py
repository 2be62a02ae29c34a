"""The readable path of the golden model: the modules of this folder run a whole chip.

No twin in rtl_gen.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState, CoreState
from spikelet.description.run.events import Events
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.golden.core import Core
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.emission import emit, single_targets
from spikelet.golden.records import Records
from spikelet.golden.schedule import core_schedule

__all__ = ["NumpyCores"]

_CHUNK_BYTES = 1 << 28
"""Memory that the arrays of one chunk of samples may take."""


class NumpyCores:
    """The cores of a chip with their state.

    Parameters
    ----------
    chip : ChipParams
    state : ChipState
        Already checked against ``chip``.
    """

    def __init__(self, chip: ChipParams, state: ChipState) -> None:
        self.chip = chip
        self.restore(state)

    def snapshot(self) -> ChipState:
        """Return contents and state after the last tick that was run."""
        return self._state

    def restore(self, state: ChipState) -> None:
        """Go on from ``state``, already checked; no neurons are known to rest."""
        self._state = state
        self._awake = [True] * len(self.chip.cores)

    def samples_at_once(self, ticks: int, records: Records, clear: bool, threads: int) -> int:
        """Return how many samples one call of :meth:`run` can take.

        More than one only where no sample depends on the one before.
        """
        keeps = any(
            (core.learning and contents.learning) or core.update.kept
            for core, contents in self._pairs()
        )
        if keeps or records.learned or not clear:
            return 1
        widest = max(core.n_neurons * 12 + core.n_axons * 8 for core in self.chip.cores)
        return max(1, _CHUNK_BYTES // (widest * max(1, ticks)))

    def run(
        self,
        inputs: Events | DenseSpikes,
        here: slice,
        rewards: npt.NDArray[np.int32],
        records: Records,
        clear: bool,
        threads: int = 1,
    ) -> None:
        """Run the samples ``here``.

        Cores that no loop connects are advanced one after the other, each by all ticks at once,
        since a spike needs at least one tick to its destination; cores in a loop tick by tick.

        Parameters
        ----------
        inputs : Events or DenseSpikes
            Of all samples; already checked against the chip.
        here : slice
            As many as :meth:`samples_at_once` says, or fewer.
        rewards : array of int32, shape (samples, ticks)
            Of all samples.
        records : Records
            For all samples.
        clear : bool
            Whether each sample starts from a cleared state.
        threads : int
            One is taken, whatever is allowed.
        """
        inputs = inputs.samples_between(here.start, here.stop)
        events = inputs.events() if isinstance(inputs, DenseSpikes) else inputs
        samples, ticks = events.samples, events.ticks
        before = replace(self._state, ticks=0, cores=self._cleared()) if clear else self._state
        cores = [
            Core(core, contents, [state] * samples)
            for (core, contents), state in zip(self._pairs(), before.cores, strict=True)
        ]
        for core, awake in zip(cores, self._awake, strict=True):
            if core.neurons.rest and not clear:
                core.neurons.rest.awake[:] = awake
        graded = self.chip.count_bits > 1
        bitmaps = [AxonBitmap(core, samples, ticks, graded) for core in self.chip.cores]
        for index, (bitmap, state) in enumerate(zip(bitmaps, before.cores, strict=True)):
            bitmap.carry(state.arrivals)
            bitmap.add_events(events, index)
        targets = [single_targets(self.chip, core.destinations) for core in before.image.cores]
        for members, block in core_schedule(targets, ticks):
            for first in range(0, ticks, block):
                now = slice(first, min(first + block, ticks))
                for i in members:
                    active = bitmaps[i].active(now.start, now.stop)
                    fired = cores[i].run(
                        active,
                        before.ticks + first,
                        rewards[here.start, now],
                        _part(records.states, i, here, now),
                        _part(records.learned, i, here, now),
                        records.rested[here, now, i],
                    )
                    emit(fired, first, targets[i], bitmaps, records.outputs[here])
                    records.active_axons[here, now, i] = active.sum(axis=2, dtype=np.int32)
                    if records.axons:
                        records.axons[i][here, now] = active
                    if records.spikes:
                        records.spikes[i][here, now] = fired
        for i, bitmap in enumerate(bitmaps):
            records.merged_spikes[here, i] = bitmap.merged()
        rests = [core.neurons.rest for core in cores]
        self._awake = [rest is None or bool(rest.awake[-1]) for rest in rests]
        self._state = replace(
            before,
            ticks=before.ticks + ticks,
            image=ChipImage(tuple(core.contents() for core in cores)),
            cores=tuple(
                core.state(bitmap.remaining()) for core, bitmap in zip(cores, bitmaps, strict=True)
            ),
        )

    def _pairs(self) -> list[tuple[CoreParams, CoreImage]]:
        return list(zip(self.chip.cores, self._state.image.cores, strict=True))

    def _cleared(self) -> tuple[CoreState, ...]:
        return tuple(CoreState.cleared(core) for core in self.chip.cores)


def _part(
    arrays: list[dict[str, npt.NDArray[Any]]] | None, core: int, here: slice, now: slice
) -> dict[str, npt.NDArray[Any]] | None:
    """Return some samples and ticks of what is recorded of a core, if it is."""
    if arrays is None:
        return None
    return {name: array[here, now] for name, array in arrays[core].items()}
