"""Golden model of a chip: the tick contract over all cores. Twin of ``rtl_gen/chip.py``."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from golden.axon_bitmap import AxonBitmap
from golden.core import run_core
from golden.emission import emit
from golden.neuron_array import NeuronArray
from golden.schedule import core_schedule
from golden.timing import tick_cycles
from spikelet.description.events import Events
from spikelet.description.image import ChipImage
from spikelet.description.params import ChipParams
from spikelet.description.trace import Trace

__all__ = ["run"]

CHUNK_BYTES = 1 << 28
"""Memory that the arrays of one chunk of samples may take."""


def run(
    chip: ChipParams,
    image: ChipImage,
    events: Events,
    *,
    record: Iterable[str] = ("spikes", "potentials"),
    neurons: Sequence[int] | None = None,
    progress: Callable[[int], None] = lambda samples: None,
) -> Trace:
    """Run a batch of samples, each from a cleared state.

    Cores that no loop connects are advanced one after the other, each by all ticks at once, since a
    spike needs at least one tick to its destination; cores in a loop tick by tick.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    events : Events
        Host events; as many samples and ticks are run as it has.
    record : iterable of str
        Any of ``"spikes"`` and ``"potentials"``: what the Trace holds of every neuron.
    neurons : sequence of int
        Neurons in use in each core, for the count of synaptic operations; all by default.
    progress : callable
        Told how many samples are done, now and then.

    Raises
    ------
    SpikeletError
        If the image or the events do not fit the chip.
    """
    image.check(chip)
    events.check(chip)
    record = tuple(record)
    sizes = tuple(neurons or (core.n_neurons for core in chip.cores))
    widest = max(core.n_neurons * 16 + core.n_axons * 8 for core in chip.cores)
    in_chunk = max(1, CHUNK_BYTES // (widest * max(1, events.ticks)))
    parts = []
    for first in range(0, events.samples, in_chunk):
        last = min(first + in_chunk, events.samples)
        parts.append(_run_chunk(chip, image, events.samples_between(first, last), record, sizes))
        progress(last)
    return _joined(parts)


def _run_chunk(
    chip: ChipParams,
    image: ChipImage,
    events: Events,
    record: tuple[str, ...],
    neurons: tuple[int, ...],
) -> Trace:
    samples, ticks = events.samples, events.ticks
    bitmaps = [AxonBitmap(core, samples, ticks) for core in chip.cores]
    arrays = [
        NeuronArray.cleared(core, contents, samples)
        for core, contents in zip(chip.cores, image.cores, strict=True)
    ]
    outputs = np.zeros((samples, ticks, chip.n_outputs), np.uint16)
    shapes = [(samples, ticks, core.n_neurons) for core in chip.cores]
    spikes = [np.zeros(shape, np.bool_) for shape in shapes]
    potentials = [np.zeros(s, np.int32) for s in shapes] if "potentials" in record else None
    for index, bitmap in enumerate(bitmaps):
        bitmap.add_events(events, index)
    for cores, block in core_schedule(image, ticks):
        for first in range(0, ticks, block):
            for i in cores:
                active = bitmaps[i].active(first, min(first + block, ticks))
                fired, v = run_core(arrays[i], active, first)
                emit(fired, first, image.cores[i].destinations, bitmaps, outputs)
                spikes[i][:, first : first + block] = fired
                if potentials:
                    potentials[i][:, first : first + block] = v
    active_axons = np.stack(
        [np.count_nonzero(bitmap.active(0, ticks), axis=2) for bitmap in bitmaps], axis=2
    ).astype(np.int32)
    return Trace(
        "golden",
        outputs,
        active_axons,
        np.stack([bitmap.merged() for bitmap in bitmaps], axis=1),
        neurons,
        spikes=spikes if "spikes" in record else None,
        potentials=potentials,
        cycles=tick_cycles(chip, active_axons),
    )


def _joined(parts: list[Trace]) -> Trace:
    """Join the Traces of consecutive chunks of samples."""
    if len(parts) == 1:
        return parts[0]

    def join(what: str) -> list[np.ndarray] | None:
        lists = [getattr(part, what) for part in parts]
        return None if lists[0] is None else [np.concatenate(c) for c in zip(*lists, strict=True)]

    return Trace(
        "golden",
        np.concatenate([part.outputs for part in parts]),
        np.concatenate([part.active_axons for part in parts]),
        np.concatenate([part.merged_spikes for part in parts]),
        parts[0].neurons,
        spikes=join("spikes"),
        potentials=join("potentials"),
        cycles=np.concatenate([part.cycles for part in parts if part.cycles is not None]),
    )
