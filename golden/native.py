"""The native path of the golden model: ``kernel.c`` behind ``GoldenChip``.

No twin in rtl_gen. Compiled on first use with the system's C compiler; where there is none, the
numpy modules do the work.
"""

import ctypes
import math
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.c_layout import layout_checks
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.run.events import Events
from spikelet.description.toolchain import c_library
from spikelet.golden.aligned import LINE, SPARE, aligned, padded, placed
from spikelet.golden.dense_spikes import DenseSpikes
from spikelet.golden.emission import single_targets
from spikelet.golden.native_core import (
    CoreMemory,
    CoreStructure,
    NativeCore,
    StateStructure,
    bitmap_words,
    cleared_shapes,
    weights_shape,
)
from spikelet.golden.native_learning import common_code
from spikelet.golden.native_short_term import ShortTermStructure
from spikelet.golden.records import Records

__all__ = ["NativeCores", "available", "warn_of_numpy", "why_not"]

_KERNEL = Path(__file__).with_name("kernel.c")
_PARTS = [Path(__file__).with_name(f"kernel_{part}.c") for part in ("sums", "short_term")]

_LIST = -2
"""Stands for the core in the entry of a neuron that has a list, or nothing, and ends each list."""

_DESTINATION = np.dtype([("core", np.int16), ("delay", np.int16), ("place", np.int32)])
"""``struct destination`` of ``kernel.c``."""

_ROUTE = np.dtype([(name, np.int32) for name in ("input", "core", "axon", "delay", "length")])
"""``struct route`` of ``kernel.c``: a row of ``DenseSpikes.runs``."""

_MOST_CORES = (1 << 15) - 1
"""That its ``core`` can tell apart."""

_CHUNK_UPDATES = 1 << 26
"""Neuron updates in one call of the kernel, which nothing can interrupt: a fraction of a second."""

_NEAR_BYTES = 1 << 19
"""Weights of a chip that the nearer caches may hold; of more, active rows are fetched ahead."""

_FETCHED_ROWS = 16
"""Rows of a core that are fetched ahead; more would push out what is needed first."""

_VISITED = 64
"""Synapses that may be visited in the time of a neuron update."""


class _Run(ctypes.Structure):
    """``struct run`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("first_sample", "last_sample", "ticks")),
        *((name, ctypes.c_int64) for name in ("input_ticks", "n_inputs", "n_cores", "n_outputs")),
        *((name, ctypes.c_int64) for name in ("clear", "first_tick")),
        ("cleared", ctypes.c_void_p),
        ("cleared_bytes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("due", "counts", "most")),
        *((name, ctypes.c_int64) for name in ("slots", "words")),
        ("recorded_due", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("destinations", "fired", "fired_counts", "lists")),
        *((name, ctypes.c_int64) for name in ("list_room", "fetched_rows")),
        *((name, ctypes.c_void_p) for name in ("sums", "input", "routes")),
        ("n_routes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("offsets", "event_core", "event_axon")),
        *((name, ctypes.c_void_p) for name in ("event_delay", "event_count")),
        ("counted", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("outputs", "active", "merged", "rewards", "probes")),
        ("n_probes", ctypes.c_int64),
    ]


class _Probe(ctypes.Structure):
    """``struct probe`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("from", "to")),
        *((name, ctypes.c_int64) for name in ("rows", "stride", "bytes")),
    ]


@cache
def _loaded() -> tuple[Any, str, str]:
    """Return the kernel's function, or None, why there is none, and a remedy."""
    checks = layout_checks(
        {
            "struct core": CoreStructure,
            "struct short_term": ShortTermStructure,
            "struct state": StateStructure,
            "struct run": _Run,
            "struct probe": _Probe,
            "struct destination": _DESTINATION,
            "struct route": _ROUTE,
        },
        {"HOST": HOST, "LIST": _LIST, "SPARE": SPARE, "BLOCK": LINE},
    )
    code = common_code() + "".join(part.read_text() for part in _PARTS)
    try:
        library = c_library(_KERNEL, code, checks)
        function = library.spikelet_golden_run
    except SpikeletError as error:
        return None, error.args[0], error.remedy
    structures = (CoreStructure, StateStructure, _Run)
    function.argtypes = [ctypes.POINTER(structure) for structure in structures]
    function.restype = None
    return function, "", ""


def available() -> bool:
    """Return whether the native path can be used; the first call may compile it."""
    return _loaded()[0] is not None


def why_not() -> str:
    """Return why the native path cannot be used, or an empty text."""
    _, reason, remedy = _loaded()
    return f"{reason}\n  remedy: {remedy}" if remedy else reason


@cache
def warn_of_numpy(reason: str, remedy: str) -> None:
    """Say, once for each reason, that the slower numpy modules do the work."""
    text = f"golden runs on numpy, with the same results but slower: {reason}"
    warnings.warn(f"{text}\n  remedy: {remedy}" if remedy else text, SpikeletWarning, stacklevel=4)


class NativeCores:
    """The cores of a chip, with their state, as the kernel takes them.

    Parameters
    ----------
    chip : ChipParams
    state : ChipState
        Already checked against ``chip``; copied.

    Raises
    ------
    SpikeletError
        If the native path cannot be used.
    """

    def __init__(self, chip: ChipParams, state: ChipState) -> None:
        self._kernel, reason, remedy = _loaded()
        if self._kernel is None:
            raise SpikeletError(f"the native golden model cannot be used: {reason}", remedy=remedy)
        self.chip = chip
        self.restore(state)

    def restore(self, state: ChipState) -> None:
        """Go on from ``state``, already checked."""
        self._ticks = state.ticks
        parts = zip(self.chip.cores, state.image.cores, state.cores, strict=True)
        self._cores = [
            NativeCore(*part, state.ticks, memory)
            for part, memory in zip(parts, self._memory(state.image), strict=True)
        ]
        n_cores = len(self._cores)
        self._structures = (CoreStructure * n_cores)(*(core.structure for core in self._cores))
        self._states = (StateStructure * n_cores)(*(core.state_structure for core in self._cores))
        self._run = _Run(
            n_cores=n_cores,
            n_outputs=self.chip.n_outputs,
            cleared=self._cleared.ctypes.data,
            cleared_bytes=self._cleared.size,
            due=self._due.ctypes.data,
            slots=self._due.shape[0],
            words=self._due.shape[1],
            destinations=self._destinations.ctypes.data,
            fired=self._fired.ctypes.data,
            **{name: array.ctypes.data for name, array in self._graded.items()},
            lists=self._lists.ctypes.data,
            list_room=self._lists.shape[1],
            fetched_rows=self._fetched_rows,
            sums=self._sums.ctypes.data,
        )

    def _memory(self, image: ChipImage) -> list[CoreMemory]:
        """Return memory for each core; what is alike of all cores lies together."""
        cores = self.chip.cores
        words = [bitmap_words(core) for core in cores]
        first_words = np.cumsum([0, *words])
        slots = max(core.delay_slots for core in cores)
        shapes = [cleared_shapes(core) for core in cores]
        keys = sorted((name, i) for i, found in enumerate(shapes) for name in found)
        n_words, graded = int(first_words[-1]), self.chip.count_bits > 1
        self._cleared, (self._due, counts, *arrays) = placed(
            [
                ((slots, n_words), np.uint64),
                ((slots, 64 * n_words * graded), np.uint8),
                *(shapes[i][name] for name, i in keys),
            ]
        )
        cleared: list[dict[str, npt.NDArray[Any]]] = [{} for _ in cores]
        for (name, i), array in zip(keys, arrays, strict=True):
            cleared[i][name] = array
        plain = [i for i, core in enumerate(cores) if not core.learning]
        memory, weights = placed(weights_shape(cores[i]) for i in plain)
        self._fetched_rows = _FETCHED_ROWS if memory.size > _NEAR_BYTES else 0
        rows = dict(zip(plain, weights, strict=True))
        room = max(max(core.n_axons, core.n_neurons) for core in cores)
        listed = max(room, *(core.n_axons * core.most_spikes for core in cores))
        self._lists = aligned((3, padded(listed + SPARE)), np.uint16)
        self._sums = aligned((2 * padded(room),), np.int32)  # and those of teachers
        first_neurons = np.cumsum([0, *(core.n_neurons for core in cores)])
        self._destinations = _destinations(self.chip, image, first_neurons, first_words)
        self._fired = aligned((int(first_neurons[-1]) + SPARE,), np.int32)
        self._graded: dict[str, npt.NDArray[Any]] = {}
        if graded:
            self._graded = {
                "counts": counts,
                "fired_counts": np.zeros(self._fired.size, np.uint8),
                "most": np.array([core.most_spikes for core in cores], np.int32),
            }
        return [
            CoreMemory(
                cleared[i],
                rows.get(i),
                self._due[:, first : first + n],
                counts[:, 64 * first : 64 * (first + n)],
                first,
                neuron,
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

    def samples_at_once(self, ticks: int, records: Records, clear: bool) -> int:
        """Return how many samples one call of :meth:`run` should take."""
        work = sum(_work(core) for core in self.chip.cores)
        return max(1, _CHUNK_UPDATES // (work * max(1, ticks)))

    def run(
        self,
        inputs: Events | DenseSpikes,
        here: slice,
        rewards: npt.NDArray[np.int32],
        records: Records,
        clear: bool,
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

        Raises
        ------
        SpikeletError
            If the offsets of the events fall.
        """
        probes = self._probes(records)
        run = self._run
        run.first_sample, run.last_sample, run.ticks = here.start, here.stop, inputs.ticks
        run.clear, run.first_tick = clear, self._ticks
        run.outputs = records.outputs.ctypes.data
        run.active = records.active_axons.ctypes.data
        run.merged = records.merged_spikes.ctypes.data
        run.rewards = rewards.ctypes.data
        run.probes, run.n_probes = ctypes.addressof(probes), len(probes)
        shape = (inputs.samples, inputs.ticks, self._due.shape[1])
        due = np.empty(shape, np.uint64) if records.axons else None
        run.recorded_due = None if due is None else due.ctypes.data
        keep = _set_dense(run, inputs) if isinstance(inputs, DenseSpikes) else _set(run, inputs)
        self._kernel(self._structures, self._states, run)
        del keep
        if due is not None:
            self._unpack(due[here], records, here)
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

    def _probes(self, records: Records) -> Any:
        """Return what the kernel is to record after each tick."""
        pairs: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = []
        for index, core in enumerate(self._cores):
            if records.spikes:
                pairs.append((core.arrays["fired"], records.spikes[index]))
            for named in (records.states, records.learned):
                if named:
                    pairs += [(core.arrays[name], to) for name, to in named[index].items()]
        return (_Probe * len(pairs))(*(_probe(*pair) for pair in pairs))


def _destinations(
    chip: ChipParams,
    image: ChipImage,
    first_neurons: npt.NDArray[np.int64],
    first_words: npt.NDArray[np.int64],
) -> npt.NDArray[np.void]:
    """Return an entry for each neuron, and behind them the lists, each with its end.

    Rectangles of cores have become lists. A neuron without destinations has an empty list.

    SpikeletError if there are more cores than an entry can tell apart.
    """
    if len(chip.cores) > _MOST_CORES:
        raise SpikeletError(
            f"the native golden model holds {_MOST_CORES:,} cores, not {len(chip.cores):,}",
            remedy='use backend="numpy"',
        )
    found = [single_targets(chip, core.destinations) for core in image.cores]
    neuron = np.concatenate([t[:, 0] + n for t, n in zip(found, first_neurons, strict=False)])
    core, place, delay = np.concatenate(found)[:, 1:].T
    n_neurons = int(first_neurons[-1])
    entries = np.empty(len(neuron), _DESTINATION)
    entries["core"], entries["delay"] = core, delay
    entries["place"] = np.where(core == HOST, place, first_words[core] * 64 + place)
    count = np.bincount(neuron, minlength=n_neurons)
    single = count[neuron] == 1
    has_list = np.flatnonzero(count != 1)
    starts = n_neurons + np.cumsum([0, *(count[has_list] + 1)])
    table: npt.NDArray[np.void] = aligned((int(starts[-1]),), _DESTINATION)
    table["core"] = _LIST
    table["place"][has_list] = starts[:-1]
    table[neuron[single]] = entries[single]
    in_list = ~single
    # Entries come in the order of their neurons, and each list before has an end.
    ends_before = np.searchsorted(has_list, neuron[in_list])
    table[n_neurons + np.arange(len(ends_before)) + ends_before] = entries[in_list]
    return table


def _work(core: CoreParams) -> int:
    """Return what a tick of a core costs at most, in neuron updates."""
    visited = core.n_axons // _VISITED if core.learning else 0
    return core.n_neurons * (1 + visited)


def _probe(source: npt.NDArray[Any], to: npt.NDArray[Any]) -> _Probe:
    """Return a probe that copies ``source`` without its padding; ``to`` has samples and ticks."""
    rows = math.prod(to.shape[2:-1])
    bytes_ = to.shape[-1] * to.itemsize
    return _Probe(source.ctypes.data, to.ctypes.data, rows, source.strides[0], bytes_)


def _set_dense(run: _Run, inputs: DenseSpikes) -> tuple[npt.NDArray[Any], ...]:
    """Enter dense inputs; return the arrays that must outlive the run."""
    spikes = inputs.as_bytes()
    routes = inputs.runs
    run.input_ticks, run.n_inputs = spikes.shape[1:]
    run.input, run.routes, run.n_routes = spikes.ctypes.data, routes.ctypes.data, len(routes)
    run.counted = inputs.counts
    return spikes, routes


def _set(run: _Run, events: Events) -> tuple[npt.NDArray[Any], ...]:
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
