"""A core for the native path: its contents and state, where C finds them. No twin in rtl_gen."""

import ctypes
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.description.chip.transmission import transmission_words
from spikelet.description.learning.short_term import SHORT_TERM_STATES
from spikelet.description.neurons.draws import key_after
from spikelet.golden.aligned import LINE, Shape, padded
from spikelet.golden.native_learning import NativeLearning
from spikelet.golden.native_neurons import NativeNeurons, state_type
from spikelet.golden.native_short_term import NativeShortTerm

__all__ = [
    "CoreMemory",
    "CoreStructure",
    "HeldStructure",
    "NativeCore",
    "StateStructure",
    "bitmap_words",
    "cleared_shapes",
    "weights_shape",
]


class _Crossbar(ctypes.Structure):
    _fields_ = [
        ("weights", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("columns", "row_bytes", "stored_bits")),
        *((name, ctypes.c_int32) for name in ("weight_min", "step", "rows_in_byte")),
    ]


class CoreStructure(ctypes.Structure):
    """``struct core`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_neurons", "first_word", "n_words")),
        *((name, ctypes.c_int32) for name in ("first_neuron", "sends", "first_tick")),
        *((name, ctypes.c_int32) for name in ("weight_exponent", "learns", "inhibition_axon")),
        ("transmission_key", ctypes.c_uint32),
        *((name, ctypes.c_void_p) for name in ("failures", "short_term")),
        *((name, _Crossbar) for name in ("crossbar", "odd")),
        ("odd_sums", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("update", "constants", "rows")),
        *((name, ctypes.c_void_p) for name in ("learning", "before", "after", "held")),
        ("n_held", ctypes.c_int64),
    ]


class HeldStructure(ctypes.Structure):
    """``struct held`` of ``kernel_structures.c``."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("values", "before")),
        ("bytes", ctypes.c_int64),
    ]


class StateStructure(ctypes.Structure):
    """``struct state`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("v", "spikes")),
        ("transmission_key", ctypes.c_uint32),
        ("awake", ctypes.c_int32),
    ]


def cleared_shapes(core: CoreParams) -> dict[str, Shape]:
    """Return what ``clear`` clears in a core, besides arrivals; rows of neurons are padded."""
    row = padded(core.n_neurons)
    shapes: dict[str, Shape] = {
        name: ((row,), state_type(core, name)) for name in core.update.states
    }
    if core.update.draws:
        shapes["draws"] = (row,), np.int32
    if rule := core.learning:
        shapes |= dict.fromkeys(rule.pre_traces, ((core.n_axons,), np.int32))
        shapes |= dict.fromkeys(rule.post_traces, ((row,), np.int32))
    if core.short_term:
        shapes |= dict.fromkeys(SHORT_TERM_STATES, ((core.n_axons,), np.int32))
    return shapes


def weights_shape(core: CoreParams) -> Shape:
    """Return the shape of the stored weights of a core that does not learn."""
    columns = padded(core.n_neurons)
    row = padded(columns * _stored_bits(core) // 8)
    if _is_wide(core):
        row += padded(columns // 8)
    return (core.n_axons, row), np.uint8


def _is_wide(core: CoreParams) -> bool:
    """Return whether the lowest bit of a weight is stored behind a row of the others."""
    return core.weight_bits > 8


def _stored_bits(core: CoreParams) -> int:
    """Return in how many bits a weight is stored: 1, 4 or 8."""
    return 1 if core.weight_bits == 1 else 4 if core.weight_bits <= 4 else 8


def bitmap_words(core: CoreParams) -> int:
    """Return the words of 64 axons that a core takes in the axon bitmaps."""
    return -(-core.n_axons // 64)


@dataclass
class CoreMemory:
    """A core's part of the chip's memory; zeros at first.

    Parameters
    ----------
    cleared : dict of array
        By the names of :func:`cleared_shapes`.
    weights : array of uint8 or None
        Of the shape of :func:`weights_shape`; None in a core that learns, or shares another's.
    due : array of uint64, shape (slots, words)
        The core's columns of the chip's axon bitmaps: bit ``a % 64`` of word ``a // 64`` is axon
        ``a``. What is due at tick ``t`` is in slot ``t % slots``.
    counts : array of uint8, shape (slots, 64 * words), or (slots, 0)
        How many spikes each bit stands for, in a chip with graded spikes.
    first_word : int
        Of these columns.
    first_neuron : int
        Of the core in the chip's table of destinations.
    """

    cleared: dict[str, npt.NDArray[Any]]
    weights: npt.NDArray[np.uint8] | None
    due: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint8]
    first_word: int
    first_neuron: int


class NativeCore:
    """A core in a state.

    Parameters
    ----------
    core : CoreParams
    image : CoreImage
        Copied, as ``state`` is.
    state : CoreState
    ticks : int
        Ticks since ``clear``.
    memory : CoreMemory
    like : CoreStructure or None
        Of a core of the same contents, whose stored weights are used.

    Attributes
    ----------
    structure : CoreStructure
    state_structure : StateStructure
    arrays : dict of array
        What changes from tick to tick: states of the neurons, and as far as there are ``x1``,
        ``x2``, ``y1`` to ``y3``, ``weights``, ``tags`` and ``random``. Values of neurons are
        followed by padding.

    Raises
    ------
    SpikeletError
        If the core's neuron model or rule cannot be compiled.
    """

    def __init__(
        self,
        core: CoreParams,
        image: CoreImage,
        state: CoreState,
        ticks: int,
        memory: CoreMemory,
        like: CoreStructure | None = None,
    ) -> None:
        self.core = core
        self.image = image
        self._memory = memory
        self._held: list[npt.NDArray[Any]] = []
        self.arrays = dict(memory.cleared)
        self.neurons = NativeNeurons(core, image, self.arrays)
        self.arrays = self.neurons.states | self.arrays
        self._load(state, ticks)
        self.learning: NativeLearning | None = None
        if core.learning:
            self.learning = NativeLearning(core, core.learning, image, self.arrays)
            self.arrays |= self.learning.arrays
        self.short_term: NativeShortTerm | None = None
        if core.short_term:
            self.short_term = NativeShortTerm(core, core.short_term, image, self.arrays)
        self.structure = self._structure(like)
        self.state_structure = StateStructure(
            v=self.arrays["v"].ctypes.data,
            spikes=self.arrays["fired"].ctypes.data,
            transmission_key=key_after(image.transmission_key, ticks)
            if image.transmission_key
            else 0,
            awake=1,
        )

    def contents(self) -> CoreImage:
        """Return the image with what was learned."""
        kept = {name: self._neurons(name) for name in self.core.update.kept}
        image = replace(self.image, states=kept)
        return self.learning.contents(image) if self.learning else image

    def state(self, ticks: int) -> CoreState:
        """Return a copy of the state, so many ticks after ``clear``."""
        cleared = CoreState.cleared(self.core)
        return CoreState(
            {name: self._neurons(name).view(zeros.dtype) for name, zeros in cleared.states.items()},
            self._arrivals(ticks),
            {
                name: self.arrays[name][: zeros.size].copy()
                for name, zeros in cleared.traces.items()
            },
        )

    def _neurons(self, name: str) -> npt.NDArray[Any]:
        return self.arrays[name][: self.core.n_neurons].copy()

    def _slots(self, ticks: int) -> npt.NDArray[np.integer]:
        """Return the slots of the coming ticks, as many as the core has."""
        return (ticks + np.arange(self.core.delay_slots)) % len(self._memory.due)

    def _arrivals(self, ticks: int) -> npt.NDArray[Any]:
        if self.core.spike_bits > 1:
            return self._memory.counts[self._slots(ticks), : self.core.n_axons]
        due = self._memory.due[self._slots(ticks)].astype("<u8").view(np.uint8)
        bits = np.unpackbits(due, axis=1, count=self.core.n_axons, bitorder="little")
        return bits.view(np.bool_)

    def _load(self, state: CoreState, ticks: int) -> None:
        n_words = bitmap_words(self.core)
        for name, values in {**state.states, **state.traces}.items():
            self.arrays[name][: values.size] = values
        if self.core.update.draws:
            self.neurons.go_to(ticks)
        due = np.zeros((self.core.delay_slots, n_words * 8), np.uint8)
        arrivals = np.packbits(state.arrivals, axis=1, bitorder="little")
        due[:, : arrivals.shape[1]] = arrivals
        self._memory.due[self._slots(ticks)] = due.view("<u8")
        if self._memory.counts.size:
            self._memory.counts[self._slots(ticks), : self.core.n_axons] = state.arrivals

    def _structure(self, like: CoreStructure | None) -> CoreStructure:
        core, image = self.core, self.image
        memory = self._memory
        found = CoreStructure(core.n_neurons)
        found.first_word, found.n_words = memory.first_word, memory.due.shape[1]
        found.first_neuron, found.sends = memory.first_neuron, bool(image.destinations.size)
        found.first_tick = core.first_tick
        found.inhibition_axon = core.n_axons - 1 if core.inhibition_axon else -1
        found.weight_exponent = core.weight_exponent
        found.transmission_key = image.transmission_key
        if core.transmission:
            failures = transmission_words(image.transmission).astype(np.uint8)
            found.failures = self._address(failures)
        if self.short_term:
            found.short_term = self.short_term.address
        found.update = self.neurons.update
        found.constants, found.rows = self.neurons.constants, self.neurons.rows
        found.held, found.n_held = self._rest()
        if self.learning:
            found.learns = self.learning.on
            found.learning = self.learning.address
            found.before, found.after = self.learning.before, self.learning.after
        elif like is not None:
            found.crossbar, found.odd = like.crossbar, like.odd
        elif memory.weights is not None:
            self._crossbars(found, core.synapse_format.matrix(core, image.weights), memory.weights)
        if found.odd.weights:
            found.odd_sums = self._address(np.zeros(found.odd.columns, np.int32))
        return found

    def _rest(self) -> tuple[int, int]:
        """Return where the states of a core that rests are named, and how many there are."""
        if not self.core.rests:
            return 0, 0
        states = [self.arrays[name][: self.core.n_neurons] for name in self.core.state_ranges]
        held = (HeldStructure * len(states))(
            *(
                HeldStructure(values.ctypes.data, self._address(values.copy()), values.nbytes)
                for values in states
            )
        )
        return self._address(np.frombuffer(memoryview(held), np.uint8)), len(states)

    def _crossbars(
        self,
        found: CoreStructure,
        weights: npt.NDArray[np.int16],
        rows: npt.NDArray[np.uint8],
    ) -> None:
        """Store weights; of 9 bits, halves that are rounded down, and the bits that they miss."""
        ends, bits = (self.core.weight_min, self.core.weight_max), _stored_bits(self.core)
        if not _is_wide(self.core):
            found.crossbar = self._crossbar(weights, ends, bits, rows)
            return
        at = padded(self.core.n_neurons)
        ends = (ends[0] >> 1, ends[1] >> 1)
        found.crossbar = self._crossbar(weights >> 1, ends, bits, rows[:, :at])
        found.odd = self._crossbar(weights & 1, (0, 1), 1, rows[:, at:])

    def _crossbar(
        self,
        weights: npt.NDArray[np.int16],
        ends: tuple[int, int],
        bits: int,
        rows: npt.NDArray[np.uint8],
    ) -> _Crossbar:
        span = ends[1] - ends[0]
        step = span if bits == 1 else 1
        _store((weights - ends[0]) // step, bits, rows)
        return _Crossbar(
            weights=self._address(rows),
            columns=padded(self.core.n_neurons),
            row_bytes=rows.strides[0],
            stored_bits=bits,
            weight_min=ends[0],
            step=step,
            rows_in_byte=255 * step // span,
        )

    def _address(self, array: npt.NDArray[Any]) -> int:
        """Return where ``array`` is, and keep it as long as this object."""
        self._held.append(array)
        return int(array.ctypes.data)


def _store(weights: npt.NDArray[np.int16], bits: int, rows: npt.NDArray[np.uint8]) -> None:
    """Write weights, as many bits each, as ``add_bytes`` of ``kernel_sums.c`` reads them.

    Columns 0 and 32, 1 and 33, ... of a piece of 64 are pairs of bytes. Pieces of fewer bits lie
    over each other, 8 or 2 in the same bytes, the first in the lowest bits.
    """
    n_axons, n_neurons = weights.shape
    sharing = 8 // bits
    whole = np.zeros((n_axons, rows.shape[1] // LINE, sharing, 2, LINE // 2), np.uint8)
    whole.reshape(n_axons, -1)[:, :n_neurons] = weights
    pairs = whole.swapaxes(3, 4).reshape(n_axons, -1, sharing, LINE)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    rows[:] = np.bitwise_or.reduce(pairs << shifts[:, None], axis=2).reshape(rows.shape)
