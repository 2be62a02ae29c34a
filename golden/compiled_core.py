"""A core for the compiled path: its contents and state, where C finds them. No twin in rtl_gen."""

import ctypes
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.chip.state import CoreState
from spikelet.golden.aligned import LINE, Shape, aligned, padded
from spikelet.golden.compiled_learning import CompiledLearning

__all__ = [
    "CompiledCore",
    "CoreMemory",
    "CoreStructure",
    "StateStructure",
    "bitmap_words",
    "cleared_shapes",
    "weights_shape",
]

_ROUNDINGS = ("floor", "toward_zero", "nearest")
_NO_LEAK = 3
_CLEAR, _CLEAR_DELAYED, _SUBTRACT, _SUBTRACT_DELAYED, _SUBTRACT_RESIDUAL = range(5)


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
        *((name, ctypes.c_int32) for name in ("rounding", "reset_mode", "v_min", "v_max")),
        *((name, ctypes.c_int32) for name in ("weight_exponent", "inhibition", "increment")),
        *((name, ctypes.c_int32) for name in ("decay_shift", "fraction_bits", "largest")),
        ("crossbar", _Crossbar),
        *((name, ctypes.c_void_p) for name in ("threshold", "decay", "bias", "reset")),
        *((name, ctypes.c_void_p) for name in ("learning", "before", "after")),
    ]


class StateStructure(ctypes.Structure):
    """``struct state`` of ``kernel.c``."""

    _fields_ = [
        (name, ctypes.c_void_p) for name in ("v", "spikes", "threshold", "bias", "adaptation")
    ]


def cleared_shapes(core: CoreParams) -> dict[str, Shape]:
    """Return what ``clear`` clears in a core, besides arrivals; rows of neurons are padded."""
    row = padded(core.n_neurons)
    shapes: dict[str, Shape] = {"v": ((row,), np.int32), "spikes": ((row,), np.uint8)}
    if rule := core.learning:
        shapes |= dict.fromkeys(rule.pre_traces, ((core.n_axons,), np.int32))
        shapes |= dict.fromkeys(rule.post_traces, ((row,), np.int32))
    return shapes


def weights_shape(core: CoreParams) -> Shape:
    """Return the shape of the stored weights of a core that does not learn."""
    row = padded(padded(core.n_neurons) * _stored_bits(core) // 8)
    return (core.n_axons, row), np.uint8


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
        Of the shape of :func:`weights_shape`; None in a core that learns.
    due : array of uint64, shape (slots, words)
        The core's columns of the chip's axon bitmaps: bit ``a % 64`` of word ``a // 64`` is axon
        ``a``. What is due at tick ``t`` is in slot ``t % slots``.
    first_word : int
        Of these columns.
    first_neuron : int
        Of the core in the chip's table of destinations.
    """

    cleared: dict[str, npt.NDArray[Any]]
    weights: npt.NDArray[np.uint8] | None
    due: npt.NDArray[np.uint64]
    first_word: int
    first_neuron: int


class CompiledCore:
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

    Attributes
    ----------
    structure : CoreStructure
    state_structure : StateStructure
    arrays : dict of array
        What changes from tick to tick: ``v``, ``spikes``, and as far as there are ``x1``, ``x2``,
        ``y1``, ``y2``, ``adaptation``, ``weights``, ``tags`` and ``random``. Values of neurons are
        followed by padding.

    Raises
    ------
    SpikeletError
        If the core's rule cannot be compiled.
    """

    def __init__(
        self,
        core: CoreParams,
        image: CoreImage,
        state: CoreState,
        ticks: int,
        memory: CoreMemory,
    ) -> None:
        self.core = core
        self.image = image
        self._memory = memory
        self._held: list[npt.NDArray[Any]] = []
        self.arrays = dict(memory.cleared)
        self._load(state, ticks)
        self.learning: CompiledLearning | None = None
        if core.learning:
            self.learning = CompiledLearning(core, core.learning, image, self.arrays)
            self.arrays |= self.learning.arrays
        self.structure = self._structure()
        self.state_structure = self._state_structure()

    def contents(self) -> CoreImage:
        """Return the image with what was learned."""
        image = self.learning.contents(self.image) if self.learning else self.image
        if "adaptation" in self.arrays:
            image = replace(image, adaptation=self._neurons("adaptation"))
        return image

    def state(self, ticks: int) -> CoreState:
        """Return a copy of the state, so many ticks after ``clear``."""
        none = np.zeros(0, np.int32)
        y1, y2 = (self._neurons(name) if name in self.arrays else none for name in ("y1", "y2"))
        return CoreState(
            self._neurons("v"),
            self._neurons("spikes") != 0,
            self._arrivals(ticks),
            self.arrays.get("x1", none).copy(),
            self.arrays.get("x2", none).copy(),
            y1,
            y2,
        )

    def _neurons(self, name: str) -> npt.NDArray[Any]:
        return self.arrays[name][: self.core.n_neurons].copy()

    def _slots(self, ticks: int) -> npt.NDArray[np.integer]:
        """Return the slots of the coming ticks, as many as the core has."""
        return (ticks + np.arange(self.core.delay_slots)) % len(self._memory.due)

    def _arrivals(self, ticks: int) -> npt.NDArray[np.bool_]:
        due = self._memory.due[self._slots(ticks)].astype("<u8").view(np.uint8)
        bits = np.unpackbits(due, axis=1, count=self.core.n_axons, bitorder="little")
        return bits.view(np.bool_)

    def _load(self, state: CoreState, ticks: int) -> None:
        n_neurons, n_words = self.core.n_neurons, bitmap_words(self.core)
        self.arrays["v"][:n_neurons] = state.potentials
        self.arrays["spikes"][:n_neurons] = state.fired
        due = np.zeros((self.core.delay_slots, n_words * 8), np.uint8)
        arrivals = np.packbits(state.arrivals, axis=1, bitorder="little")
        due[:, : arrivals.shape[1]] = arrivals
        self._memory.due[self._slots(ticks)] = due.view("<u8")
        for name in self.arrays.keys() & {"x1", "x2", "y1", "y2"}:
            values = getattr(state, name)
            self.arrays[name][: values.size] = values

    def _structure(self) -> CoreStructure:
        core, image = self.core, self.image
        memory = self._memory
        found = CoreStructure(core.n_neurons)
        found.first_word, found.n_words = memory.first_word, memory.due.shape[1]
        found.first_neuron, found.sends = memory.first_neuron, bool(image.destinations.size)
        found.first_tick = core.first_tick
        found.rounding = _rounding(core)
        found.reset_mode = _reset_mode(core)
        found.v_min, found.v_max = core.v_min, core.v_max
        found.weight_exponent = core.weight_exponent
        found.inhibition = int(image.inhibition[0])
        if core.adaptation:
            for name in ("increment", "decay_shift", "fraction_bits", "largest"):
                setattr(found, name, getattr(core.adaptation, name))
        if self.learning:
            found.learning = self.learning.address
            found.before, found.after = self.learning.before, self.learning.after
        elif memory.weights is not None:
            found.crossbar = self._crossbar(
                core.synapse_format.matrix(core, image.weights), memory.weights
            )
        found.threshold = self._parameter(image.threshold, core.v_max)  # padding never fires
        found.decay = self._parameter(image.decay)
        found.bias = self._parameter(image.bias)
        found.reset = self._parameter(image.reset_potential)
        return found

    def _crossbar(self, weights: npt.NDArray[np.int16], rows: npt.NDArray[np.uint8]) -> _Crossbar:
        core = self.core
        bits, span = _stored_bits(core), core.weight_max - core.weight_min
        step = span if bits == 1 else 1
        _store((weights - core.weight_min) // step, bits, rows)
        return _Crossbar(
            weights=self._address(rows),
            columns=padded(core.n_neurons),
            row_bytes=rows.shape[1],
            stored_bits=bits,
            weight_min=core.weight_min,
            step=step,
            rows_in_byte=255 * step // span,
        )

    def _state_structure(self) -> StateStructure:
        core, image = self.core, self.image
        found = StateStructure()
        for name in ("v", "spikes"):
            setattr(found, name, self.arrays[name].ctypes.data)
        found.threshold, found.bias = self.structure.threshold, self.structure.bias
        if core.inhibition != "none":
            found.bias = self._address(_row(image.bias, core.n_neurons))
        if core.adaptation:
            raised = image.threshold + (image.adaptation >> core.adaptation.fraction_bits)
            threshold = _row(np.minimum(raised, core.v_max), core.n_neurons, core.v_max)
            found.threshold = self._address(threshold)
            self.arrays["adaptation"] = aligned((padded(core.n_neurons),), np.int32)
            self.arrays["adaptation"][: core.n_neurons] = image.adaptation
            if self.learning and self.learning.on:
                found.adaptation = self.arrays["adaptation"].ctypes.data
        return found

    def _parameter(self, values: npt.NDArray[np.int32], padding: int = 0) -> int:
        """Return the address of a parameter of each neuron; not to be written to."""
        n_neurons = self.core.n_neurons
        if values.size == 1:
            return self._address(_shared_row(int(values[0]), n_neurons, padding))
        return self._address(_row(values, n_neurons, padding))

    def _address(self, array: npt.NDArray[Any]) -> int:
        """Return where ``array`` is, and keep it as long as this object."""
        self._held.append(array)
        return int(array.ctypes.data)


def _row(values: npt.NDArray[np.int32], n_neurons: int, padding: int = 0) -> npt.NDArray[np.int32]:
    """Return a parameter of each neuron, of which there can be one for all, in a padded row."""
    row: npt.NDArray[np.int32] = aligned((padded(n_neurons),), np.int32)
    row[:n_neurons] = values
    row[n_neurons:] = padding
    return row


@lru_cache(maxsize=256)
def _shared_row(value: int, n_neurons: int, padding: int) -> npt.NDArray[np.int32]:
    """Return a parameter that all neurons share: one row for all cores stays in the cache."""
    return _row(np.array([value], np.int32), n_neurons, padding)


def _rounding(core: CoreParams) -> int:
    return _NO_LEAK if core.decay == "none" else _ROUNDINGS.index(core.profile.rounding)


def _reset_mode(core: CoreParams) -> int:
    profile = core.profile
    if profile.reset != "subtract":
        return _CLEAR_DELAYED if profile.reset_delay else _CLEAR
    if profile.reset_delay:
        return _SUBTRACT_DELAYED
    return _SUBTRACT_RESIDUAL if profile.residual_reset else _SUBTRACT


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
