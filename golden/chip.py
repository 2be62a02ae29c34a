"""Golden model of a chip: the tick contract over all cores. Twin of ``rtl_gen/chip.py``."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from golden.axon_bitmap import AxonBitmap
from golden.compiled import CompiledCores, Records, available, why_not
from golden.core import run_core
from golden.dense_spikes import DenseSpikes
from golden.emission import emit
from golden.neuron_array import NeuronArray
from golden.schedule import core_schedule
from golden.timing import tick_cycles
from spikelet.description.events import Events
from spikelet.description.image import ChipImage
from spikelet.description.params import ChipParams
from spikelet.description.trace import Trace
from spikelet.errors import SpikeletError

__all__ = ["BACKENDS", "GoldenChip", "run"]

BACKENDS = ("auto", "numpy", "compiled")

_CHUNK_BYTES = 1 << 28
"""Memory that the arrays of one chunk of samples may take in numpy."""

_CHUNK_UPDATES = 1 << 26
"""Neuron updates in one call of the kernel, which nothing can interrupt: a fraction of a second."""


class GoldenChip:
    """A chip with its contents, ready to run.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
        Not to be changed afterwards.
    backend : str
        ``"numpy"``, the reference; ``"compiled"``, the same by ``kernel.c``; or ``"auto"``:
        compiled if the machine has a C compiler.
    neurons : sequence of int
        Neurons in use in each core, for the count of synaptic operations; all by default.

    Attributes
    ----------
    notes : dict
        ``"backend"``: ``"numpy"`` or ``"compiled"``; ``"backend_note"``: why not the latter, where
        it was wanted. They go into each Trace.

    Raises
    ------
    SpikeletError
        If the image does not fit the chip, or the backend is unknown or cannot be used.
    """

    def __init__(
        self,
        chip: ChipParams,
        image: ChipImage,
        *,
        backend: str = "auto",
        neurons: Sequence[int] | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise SpikeletError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
        image.check(chip)
        self.chip = chip
        self.image = image
        self.neurons = tuple(neurons or (core.n_neurons for core in chip.cores))
        self.notes = {"backend": "numpy"}
        self._cores: CompiledCores | None = None
        if backend == "compiled" or (backend == "auto" and available()):
            self._cores = CompiledCores(chip, image)
            self.notes["backend"] = "compiled"
        elif backend == "auto":
            self.notes["backend_note"] = why_not()

    def run(
        self,
        inputs: Events | DenseSpikes,
        *,
        record: Iterable[str] = ("spikes", "potentials"),
        progress: Callable[[int], None] = lambda samples: None,
    ) -> Trace:
        """Run a batch of samples, each from a cleared state.

        Parameters
        ----------
        inputs : Events or DenseSpikes
            As many samples and ticks are run as it has.
        record : iterable of str
            Any of ``"spikes"`` and ``"potentials"``: what the Trace holds of every neuron.
        progress : callable
            Told how many samples are done, now and then.

        Raises
        ------
        SpikeletError
            If the inputs do not fit the chip.
        """
        inputs.check(self.chip)
        records = self._records(inputs.samples, inputs.ticks, tuple(record))
        in_chunk = self._samples_in_chunk(inputs.ticks)
        for first in range(0, inputs.samples, in_chunk):
            last = min(first + in_chunk, inputs.samples)
            if self._cores:
                self._cores.run(inputs, first, last, records)
            else:
                _run_chunk(self.chip, self.image, inputs, slice(first, last), records)
            progress(last)
        return Trace(
            "golden",
            records.outputs,
            records.active_axons,
            records.merged_spikes,
            self.neurons,
            spikes=records.spikes,
            potentials=records.potentials,
            cycles=tick_cycles(self.chip, records.active_axons),
            notes=dict(self.notes),
        )

    def _records(self, samples: int, ticks: int, record: tuple[str, ...]) -> Records:
        shapes = [(samples, ticks, core.n_neurons) for core in self.chip.cores]
        return Records(
            np.zeros((samples, ticks, self.chip.n_outputs), np.uint16),
            np.empty((samples, ticks, len(self.chip.cores)), np.int32),
            np.empty((samples, len(self.chip.cores)), np.int32),
            [np.empty(shape, np.bool_) for shape in shapes] if "spikes" in record else None,
            [np.empty(shape, np.int32) for shape in shapes] if "potentials" in record else None,
        )

    def _samples_in_chunk(self, ticks: int) -> int:
        cores = self.chip.cores
        if self._cores:
            return max(1, _CHUNK_UPDATES // (sum(c.n_neurons for c in cores) * max(1, ticks)))
        widest = max(core.n_neurons * 12 + core.n_axons * 8 for core in cores)
        return max(1, _CHUNK_BYTES // (widest * max(1, ticks)))


def run(
    chip: ChipParams,
    image: ChipImage,
    events: Events | DenseSpikes,
    *,
    record: Iterable[str] = ("spikes", "potentials"),
    neurons: Sequence[int] | None = None,
    progress: Callable[[int], None] = lambda samples: None,
    backend: str = "auto",
) -> Trace:
    """Run a batch of samples once: :class:`GoldenChip` and its :meth:`GoldenChip.run`."""
    golden = GoldenChip(chip, image, backend=backend, neurons=neurons)
    return golden.run(events, record=record, progress=progress)


def _run_chunk(
    chip: ChipParams,
    image: ChipImage,
    inputs: Events | DenseSpikes,
    here: slice,
    records: Records,
) -> None:
    """Run the samples ``here`` in numpy.

    Cores that no loop connects are advanced one after the other, each by all ticks at once, since a
    spike needs at least one tick to its destination; cores in a loop tick by tick.
    """
    inputs = inputs.samples_between(here.start, here.stop)
    events = inputs.events() if isinstance(inputs, DenseSpikes) else inputs
    samples, ticks = events.samples, events.ticks
    bitmaps = [AxonBitmap(core, samples, ticks) for core in chip.cores]
    arrays = [
        NeuronArray.cleared(core, contents, samples)
        for core, contents in zip(chip.cores, image.cores, strict=True)
    ]
    for index, bitmap in enumerate(bitmaps):
        bitmap.add_events(events, index)
    for cores, block in core_schedule(image, ticks):
        for first in range(0, ticks, block):
            now = slice(first, min(first + block, ticks))
            for i in cores:
                active = bitmaps[i].active(now.start, now.stop)
                potentials = records.potentials[i][here, now] if records.potentials else None
                fired = run_core(arrays[i], active, first, potentials)
                emit(fired, first, image.cores[i].destinations, bitmaps, records.outputs[here])
                records.active_axons[here, now, i] = np.count_nonzero(active, axis=2)
                if records.spikes:
                    records.spikes[i][here, now] = fired
    for i, bitmap in enumerate(bitmaps):
        records.merged_spikes[here, i] = bitmap.merged()
