"""A core for the compiled path: its contents and state, where C finds them. No twin in rtl_gen."""

import ctypes
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.aligned import LINE, aligned, padded
from golden.compiled_learning import CompiledLearning
from spikelet.description.image import NO_DESTINATION, CoreImage
from spikelet.description.params import CoreParams
from spikelet.description.state import CoreState

__all__ = ["CompiledCore", "CoreStructure", "StateStructure"]

_ROUNDINGS = ("floor", "toward_zero", "nearest")
_NO_LEAK = 3
_CLEAR, _CLEAR_DELAYED, _SUBTRACT, _SUBTRACT_DELAYED, _SUBTRACT_RESIDUAL = range(5)


class CoreStructure(ctypes.Structure):
    """``struct core`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_axons", "n_neurons", "row_bytes", "slots")),
        *((name, ctypes.c_int32) for name in ("first_tick", "rounding", "reset_mode")),
        *((name, ctypes.c_int32) for name in ("v_min", "v_max")),
        *((name, ctypes.c_int32) for name in ("weight_exponent", "weight_min", "rows_in_byte")),
        *((name, ctypes.c_int32) for name in ("inhibition", "increment", "decay_shift")),
        *((name, ctypes.c_int32) for name in ("fraction_bits", "largest")),
        *((name, ctypes.c_void_p) for name in ("weights", "threshold", "decay", "bias", "reset")),
        *((name, ctypes.c_void_p) for name in ("first_destination", "destinations")),
        *((name, ctypes.c_void_p) for name in ("learning", "before", "after")),
    ]


class StateStructure(ctypes.Structure):
    """``struct state`` of ``kernel.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_axons", "slots")),
        *((name, ctypes.c_void_p) for name in ("v", "fired", "sums", "threshold", "bias")),
        *((name, ctypes.c_void_p) for name in ("adaptation", "spikes", "due", "active", "cleared")),
        ("cleared_bytes", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("n_active", "merged")),
    ]


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

    Attributes
    ----------
    structure : CoreStructure
    state_structure : StateStructure
    arrays : dict of array
        What changes from tick to tick: ``v``, ``fired``, ``spikes``, ``due``, and as far as there
        are ``x1``, ``x2``, ``y1``, ``y2``, ``adaptation``, ``weights``, ``tags`` and ``random``.
        Values of neurons are followed by padding.

    Raises
    ------
    SpikeletError
        If the core's rule cannot be compiled.
    """

    def __init__(self, core: CoreParams, image: CoreImage, state: CoreState, ticks: int) -> None:
        self.core = core
        self.image = image
        self._row = padded(core.n_neurons)
        self._held: list[npt.NDArray[Any]] = []
        self.arrays, cleared = self._cleared_arrays()
        self._load(state, ticks)
        self.learning: CompiledLearning | None = None
        if core.learning:
            self.learning = CompiledLearning(core, core.learning, image, self.arrays)
            self.arrays |= self.learning.arrays
        self.structure = self._structure()
        self.state_structure = self._state_structure(cleared)

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
            self._neurons("fired") != 0,
            np.roll(self.arrays["due"], -(ticks % self.core.delay_slots), axis=0) != 0,
            self.arrays.get("x1", none).copy(),
            self.arrays.get("x2", none).copy(),
            y1,
            y2,
        )

    def _neurons(self, name: str) -> npt.NDArray[np.int32]:
        return self.arrays[name][: self.core.n_neurons].copy()

    def _cleared_arrays(self) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.uint8]]:
        """Return what ``clear`` clears, by name, and the memory in which all of it lies."""
        core, row = self.core, self._row
        shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
            "v": ((row,), np.int32),
            "fired": ((row,), np.int32),
            "spikes": ((row,), np.uint8),
            "due": ((core.delay_slots, core.n_axons), np.uint8),
        }
        if rule := core.learning:
            shapes |= dict.fromkeys(rule.pre_traces, ((core.n_axons,), np.int32))
            shapes |= dict.fromkeys(rule.post_traces, ((row,), np.int32))
        sizes = [int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in shapes.values()]
        starts = np.cumsum([0, *(-(-size // LINE) * LINE for size in sizes)]).tolist()
        memory: npt.NDArray[np.uint8] = aligned((starts[-1],), np.uint8)
        arrays = {
            name: memory[start : start + size].view(dtype).reshape(shape)
            for (name, (shape, dtype)), start, size in zip(
                shapes.items(), starts[:-1], sizes, strict=True
            )
        }
        return arrays, memory

    def _load(self, state: CoreState, ticks: int) -> None:
        n_neurons, slots = self.core.n_neurons, self.core.delay_slots
        self.arrays["v"][:n_neurons] = state.potentials
        self.arrays["fired"][:n_neurons] = -state.fired.astype(np.int32)
        self.arrays["due"][:] = np.roll(state.arrivals, ticks % slots, axis=0)
        for name in self.arrays.keys() & {"x1", "x2", "y1", "y2"}:
            values = getattr(state, name)
            self.arrays[name][: values.size] = values

    def _structure(self) -> CoreStructure:
        core, image = self.core, self.image
        found = CoreStructure(core.n_axons, core.n_neurons, self._row, core.delay_slots)
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
        else:
            found.weight_min = core.weight_min
            found.rows_in_byte = 255 // (core.weight_max - core.weight_min)
            found.weights = self._address(_interleaved(image.weights - core.weight_min))
        found.threshold = self._parameter(image.threshold, core.v_max)  # padding never fires
        found.decay = self._parameter(image.decay)
        found.bias = self._parameter(image.bias)
        found.reset = self._parameter(image.reset_potential)
        used = image.destinations[..., 0] != NO_DESTINATION
        first = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int32)
        found.first_destination = self._address(first)
        found.destinations = self._address(np.ascontiguousarray(image.destinations[used], np.int32))
        return found

    def _state_structure(self, cleared: npt.NDArray[np.uint8]) -> StateStructure:
        core, image = self.core, self.image
        found = StateStructure(core.n_axons, core.delay_slots)
        for name in ("v", "fired", "spikes", "due"):
            setattr(found, name, self.arrays[name].ctypes.data)
        found.cleared, found.cleared_bytes = self._address(cleared), cleared.size
        found.sums = self._address(aligned((self._row,), np.int32))
        found.active = self._address(aligned((core.n_axons + 8,), np.uint16))
        found.threshold, found.bias = self.structure.threshold, self.structure.bias
        if core.inhibition != "none":
            found.bias = self._parameter(image.bias)
        if core.adaptation:
            raised = image.threshold + (image.adaptation >> core.adaptation.fraction_bits)
            found.threshold = self._parameter(np.minimum(raised, core.v_max), core.v_max)
            self.arrays["adaptation"] = aligned((self._row,), np.int32)
            self.arrays["adaptation"][: core.n_neurons] = image.adaptation
            if self.learning and self.learning.on:
                found.adaptation = self.arrays["adaptation"].ctypes.data
        return found

    def _parameter(self, values: npt.NDArray[np.int32], padding: int = 0) -> int:
        """Return the address of a parameter of each neuron."""
        row = aligned((self._row,), np.int32)
        row[:] = padding
        row[: self.core.n_neurons] = values
        return self._address(row)

    def _address(self, array: npt.NDArray[Any]) -> int:
        """Return where ``array`` is, and keep it as long as this object."""
        self._held.append(array)
        return int(array.ctypes.data)


def _rounding(core: CoreParams) -> int:
    return _NO_LEAK if core.decay == "none" else _ROUNDINGS.index(core.profile.rounding)


def _reset_mode(core: CoreParams) -> int:
    profile = core.profile
    if profile.reset != "subtract":
        return _CLEAR_DELAYED if profile.reset_delay else _CLEAR
    if profile.reset_delay:
        return _SUBTRACT_DELAYED
    return _SUBTRACT_RESIDUAL if profile.residual_reset else _SUBTRACT


def _interleaved(weights: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """Return weights of 0..255 as rows of whole pieces, in each columns 0 and 32, 1 and 33, ..."""
    n_axons, n_neurons = weights.shape
    pieces = padded(n_neurons) // LINE
    rows = aligned((n_axons, pieces, LINE // 2, 2), np.uint8)
    whole = np.zeros((n_axons, pieces * LINE), np.uint8)
    whole[:, :n_neurons] = weights
    rows[:] = whole.reshape(n_axons, pieces, 2, LINE // 2).swapaxes(2, 3)
    return rows
