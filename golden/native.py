"""The native path of the golden model: ``kernel.c`` behind ``GoldenChip``.

No twin in rtl_gen. Compiled on first use with the system's C compiler; where there is none, the
numpy modules do the work. Samples that do not depend on each other are run side by side, each
thread with a state of its own; of other samples the cores.
"""

import ctypes
import math
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.description.side_by_side import share_out
from spikelet.golden.aligned import placed
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.kernel import (
    ProbeStructure,
    RunStructure,
    available,
    loaded,
    warn_of_numpy,
    why_not,
)
from spikelet.golden.native_core import (
    CoreMemory,
    CoreStructure,
    NativeCore,
    StateStructure,
    bitmap_words,
    cleared_shapes,
    weights_shape,
)
from spikelet.golden.native_destinations import destination_table
from spikelet.golden.native_workers import Workers, update_work
from spikelet.golden.records import Records

__all__ = ["NativeCores", "available", "warn_of_numpy", "why_not"]

_CHUNK_UPDATES = 1 << 26
"""Neuron updates of a thread in one call of the kernel, which nothing can interrupt.

They take a fraction of a second.
"""

_SLICE_UPDATES = 1 << 17
"""Neuron updates for which a thread is worth its start."""

_PARTS = 2
"""In which samples are given to each thread: whoever is late takes fewer of them."""

_TICK_UPDATES = 1 << 11
"""Neuron updates of a thread for which it is worth meeting the others in every tick."""

_ALONE = 16
"""Calls of the kernel with one thread, after one in which the processors had other work."""

_NEAR_BYTES = 1 << 19
"""Weights of a chip that the nearer caches may hold; of more, active rows are fetched ahead."""

_FETCHED_ROWS = 16
"""Rows of a core that are fetched ahead; more would push out what is needed first."""


class NativeCores:
    """The cores of a chip, with their state, as the kernel takes them.

    Parameters
    ----------
    chip : ChipParams
    state : ChipState
        Already checked against ``chip``; copied.
    like : NativeCores or None
        Cores of the same contents, whose weights and destinations are shared.

    Raises
    ------
    SpikeletError
        If the native path cannot be used.
    """

    def __init__(
        self, chip: ChipParams, state: ChipState, like: "NativeCores | None" = None
    ) -> None:
        self._kernel, reason, remedy = loaded()
        if self._kernel is None:
            raise SpikeletError(f"the native golden model cannot be used: {reason}", remedy=remedy)
        drawing = [i for i, core in enumerate(chip.cores) if core.synapse_draws]
        if drawing:
            raise SpikeletError(
                f"the native golden model has no stochastic synapses, as core {drawing[0]} has",
                remedy='use backend="numpy"',
            )
        self.chip = chip
        self._work = sum(update_work(chip))
        self._alone = 0
        self._restore(state, like)

    def restore(self, state: ChipState) -> None:
        """Go on from ``state``, already checked."""
        self._restore(state, None)

    def _restore(self, state: ChipState, like: "NativeCores | None") -> None:
        self._ticks, self._begun = state.ticks, state
        self._twins: list[NativeCores] = []
        self._workers: dict[int, Workers] = {}
        pairs = list(zip(self.chip.cores, state.image.cores, strict=True))
        self._carries = any(
            (core.learning and contents.learning) or core.update.kept for core, contents in pairs
        )
        memory = self._memory(state.image, like)
        self._cores = [
            NativeCore(core, contents, here, state.ticks, *part)
            for (core, contents), here, part in zip(pairs, state.cores, memory, strict=True)
        ]
        n_cores = len(self._cores)
        self._structures = (CoreStructure * n_cores)(*(core.structure for core in self._cores))
        self._states = (StateStructure * n_cores)(*(core.state_structure for core in self._cores))
        self._run = RunStructure(
            n_cores=n_cores,
            n_outputs=self.chip.n_outputs,
            cleared=self._cleared.ctypes.data,
            cleared_bytes=self._cleared.size,
            due=self._due.ctypes.data,
            slots=self._due.shape[0],
            words=self._due.shape[1],
            destinations=self._destinations.ctypes.data,
            fetched_rows=_FETCHED_ROWS if self._weights.size > _NEAR_BYTES else 0,
        )
        if self.chip.count_bits > 1:
            self._most = np.array([core.most_spikes for core in self.chip.cores], np.int32)
            self._run.counts, self._run.most = self._counts.ctypes.data, self._most.ctypes.data

    def _memory(
        self, image: ChipImage, like: "NativeCores | None"
    ) -> list[tuple[CoreMemory, CoreStructure | None]]:
        """Return memory for each core, and what it shares with that of ``like``.

        What is alike of all cores lies together.
        """
        cores = self.chip.cores
        words = [bitmap_words(core) for core in cores]
        first_words = np.cumsum([0, *words])
        slots = max(core.delay_slots for core in cores)
        shapes = [cleared_shapes(core) for core in cores]
        keys = sorted((name, i) for i, found in enumerate(shapes) for name in found)
        n_words, graded = int(first_words[-1]), self.chip.count_bits > 1
        self._cleared, (self._due, self._counts, *arrays) = placed(
            [
                ((slots, n_words), np.uint64),
                ((slots, 64 * n_words * graded), np.uint8),
                *(shapes[i][name] for name, i in keys),
            ]
        )
        cleared: list[dict[str, npt.NDArray[Any]]] = [{} for _ in cores]
        for (name, i), array in zip(keys, arrays, strict=True):
            cleared[i][name] = array
        first_neurons = np.cumsum([0, *(core.n_neurons for core in cores)])
        rows: dict[int, npt.NDArray[Any]] = {}
        if like is None:
            plain = [i for i, core in enumerate(cores) if not core.learning]
            self._weights, weights = placed(weights_shape(cores[i]) for i in plain)
            rows = dict(zip(plain, weights, strict=True))
            self._destinations = destination_table(self.chip, image, first_neurons, first_words)
        else:
            self._weights, self._destinations = like._weights, like._destinations
        return [
            (
                CoreMemory(
                    cleared[i],
                    rows.get(i),
                    self._due[:, first : first + n],
                    self._counts[:, 64 * first : 64 * (first + n)],
                    first,
                    neuron,
                ),
                like._cores[i].structure if like else None,
            )
            for i, (first, n, neuron) in enumerate(
                zip(first_words.tolist(), words, first_neurons.tolist(), strict=False)
            )
        ]

    def snapshot(self) -> ChipState:
        """Return a copy of contents and state after the last tick that was run."""
        return ChipState(
            self.chip.digest,
            self._ticks,
            ChipImage(tuple(core.contents() for core in self._cores)),
            tuple(core.state(self._ticks) for core in self._cores),
        )

    def samples_at_once(self, ticks: int, records: Records, clear: bool, threads: int) -> int:
        """Return how many samples one call of :meth:`run` should take."""
        return max(1, threads * _CHUNK_UPDATES // (self._work * max(1, ticks)))

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

        Parameters
        ----------
        inputs : Events or DenseSpikes
            Of all samples; already checked against the chip.
        here : slice
        rewards : array of int32, shape (samples, ticks)
            Of all samples.
        records : Records
            For all samples.
        clear : bool
            Whether each sample starts from a cleared state.
        threads : int
            How many may be taken; none is whose start would cost more than it spares.

        Raises
        ------
        SpikeletError
            If the offsets of the events fall.
        """
        if isinstance(inputs, DenseSpikes):
            spikes = inputs.as_bytes()
            if not np.may_share_memory(spikes, inputs.spikes):  # converted once for all threads
                inputs = replace(inputs, spikes=spikes)
        samples = here.stop - here.start
        work = self._work * inputs.ticks * samples
        threads = min(threads, max(1, work // _SLICE_UPDATES))
        side_by_side = 1 if self._carries or not clear else min(threads, samples)
        if side_by_side == 1:
            most = max(1, self._work // _TICK_UPDATES)
            threads = min(threads, most)
            if self._alone:
                threads, self._alone = 1, self._alone - 1
            self._run_slice(inputs, here, rewards, records, clear, threads)
            return
        while len(self._twins) < side_by_side - 1:
            self._twins.append(NativeCores(self.chip, self._begun, self))
        n_parts = min(samples, side_by_side * _PARTS, max(side_by_side, work // _SLICE_UPDATES))
        cuts = [here.start + samples * i // n_parts for i in range(n_parts + 1)]
        *parts, last = (slice(*ends) for ends in pairwise(cuts))

        def run_part(cores: NativeCores, part: slice) -> None:
            cores._run_slice(inputs, part, rewards, records, clear)

        # The state after the last sample is to be that of these cores.
        workers = [partial(run_part, cores) for cores in (self, *self._twins)]
        share_out(parts, workers, partial(run_part, self, last))

    def _run_slice(
        self,
        inputs: Events | DenseSpikes,
        here: slice,
        rewards: npt.NDArray[np.int32],
        records: Records,
        clear: bool,
        threads: int = 1,
    ) -> None:
        """Run samples one after the other, with the cores shared out among threads."""
        if threads not in self._workers:
            self._workers[threads] = Workers(self.chip, threads, self._due, self._counts)
        workers = self._workers[threads]
        probes = workers.probe(self._probes(records))
        run = self._run
        run.workers, run.n_workers = ctypes.addressof(workers.structures), len(workers.structures)
        run.list_room = workers.list_room
        run.first_sample, run.last_sample, run.ticks = here.start, here.stop, inputs.ticks
        run.clear, run.first_tick = clear, self._ticks
        run.outputs = records.outputs.ctypes.data
        run.active = records.active_axons.ctypes.data
        run.merged = records.merged_spikes.ctypes.data
        run.rested = records.rested.ctypes.data
        run.rewards = rewards.ctypes.data
        due = None
        if records.axons:  # of these samples only, where the kernel counts from the first of all
            shape = (here.stop - here.start, inputs.ticks, self._due.shape[1])
            due = np.empty(shape, np.uint64)
            before = here.start * inputs.ticks * self._due.shape[1] * due.itemsize
            run.recorded_due = due.ctypes.data - before
        else:
            run.recorded_due = None
        keep = _set_dense(run, inputs) if isinstance(inputs, DenseSpikes) else _set(run, inputs)
        if not self._kernel(self._structures, self._states, run):
            self._alone = _ALONE
        del keep, probes
        if due is not None:
            self._unpack(due, records, here)
        ticks = inputs.ticks
        self._ticks = ticks if clear else self._ticks + ticks * (here.stop - here.start)

    def _unpack(self, due: npt.NDArray[np.uint64], records: Records, here: slice) -> None:
        """Record the active axons of each core, from the axon bitmaps of all."""
        first = 0
        for core, axons in zip(self.chip.cores, records.axons or [], strict=True):
            words = np.ascontiguousarray(due[..., first : first + bitmap_words(core)])
            bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=-1, bitorder="little")
            axons[here] = bits[..., : core.n_axons]
            first += bitmap_words(core)

    def _probes(self, records: Records) -> list[list[ProbeStructure]]:
        """Return what the kernel is to record of each core after each tick."""
        found: list[list[ProbeStructure]] = []
        for index, core in enumerate(self._cores):
            pairs = []
            if records.spikes:
                pairs.append((core.arrays["fired"], records.spikes[index]))
            for named in (records.states, records.learned):
                if named:
                    pairs += [(core.arrays[name], to) for name, to in named[index].items()]
            found.append([_probe(*pair) for pair in pairs])
        return found


def _probe(source: npt.NDArray[Any], to: npt.NDArray[Any]) -> ProbeStructure:
    """Return a probe that copies ``source`` without its padding; ``to`` has samples and ticks."""
    rows = math.prod(to.shape[2:-1])
    bytes_ = to.shape[-1] * to.itemsize
    return ProbeStructure(source.ctypes.data, to.ctypes.data, rows, source.strides[0], bytes_)


def _set_dense(run: RunStructure, inputs: DenseSpikes) -> tuple[npt.NDArray[Any], ...]:
    """Enter dense inputs; return the arrays that must outlive the run."""
    spikes = inputs.as_bytes()
    routes = inputs.runs
    run.input_ticks, run.n_inputs = spikes.shape[1:]
    run.input, run.routes, run.n_routes = spikes.ctypes.data, routes.ctypes.data, len(routes)
    run.counted = inputs.counts
    return spikes, routes


def _set(run: RunStructure, events: Events) -> tuple[npt.NDArray[Any], ...]:
    """Enter events; return the arrays that must outlive the run."""
    offsets = np.ascontiguousarray(events.offsets, np.int64)
    run.input = None
    if offsets[0] or np.any(offsets[1:] < offsets[:-1]):
        raise SpikeletError("events: offsets must start at 0 and never fall")
    fields = [
        np.ascontiguousarray(values, np.int32)
        for values in (events.core, events.axon, events.delay)
    ]
    run.offsets = offsets.ctypes.data
    run.event_core, run.event_axon, run.event_delay = (values.ctypes.data for values in fields)
    run.event_count = None
    if events.count is not None:
        fields.append(np.ascontiguousarray(events.count, np.int32))
        run.event_count = fields[-1].ctypes.data
    return offsets, *fields
