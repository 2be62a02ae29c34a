"""The compiled path of the golden model: ``kernel.c`` behind :class:`golden.chip.GoldenChip`.

No twin in rtl_gen. Compiled on first use with the system's C compiler; where there is none, the
numpy modules do the work.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.dense_spikes import DenseSpikes
from spikelet.description.events import Events
from spikelet.description.image import NO_DESTINATION, ChipImage, CoreImage
from spikelet.description.params import ChipParams, CoreParams
from spikelet.errors import SpikeletError
from spikelet.toolchain import c_library

__all__ = ["CompiledCores", "Records", "available", "why_not"]

_KERNEL = Path(__file__).with_name("kernel.c")
_LINE = 64
"""Bytes of a cache line and columns of a piece of the kernel; rows are padded to whole ones."""

_ROUNDINGS = ("floor", "toward_zero", "nearest")
_NO_LEAK = 3
_CLEAR, _CLEAR_DELAYED, _SUBTRACT, _SUBTRACT_DELAYED, _SUBTRACT_RESIDUAL = range(5)


class _Core(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_axons", "n_neurons", "row_bytes", "slots")),
        *((name, ctypes.c_int32) for name in ("first_tick", "rounding", "reset_mode")),
        *((name, ctypes.c_int32) for name in ("v_min", "v_max")),
        *((name, ctypes.c_int32) for name in ("weight_exponent", "weight_min", "rows_in_byte")),
        *((name, ctypes.c_void_p) for name in ("weights", "threshold", "decay", "bias", "reset")),
        *((name, ctypes.c_void_p) for name in ("first_destination", "destinations")),
        *((name, ctypes.c_void_p) for name in ("spikes", "potentials")),
    ]


class _Run(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("first_sample", "last_sample", "ticks")),
        *((name, ctypes.c_int64) for name in ("input_ticks", "n_inputs", "n_cores", "n_outputs")),
        *((name, ctypes.c_void_p) for name in ("input", "routes")),
        ("n_routes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("offsets", "event_core", "event_axon")),
        ("event_delay", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in ("outputs", "active", "merged")),
    ]


@cache
def _loaded() -> tuple[Any, str]:
    """Return the kernel's function, or None and why there is none."""
    try:
        function = c_library(_KERNEL).spikelet_golden_run
    except SpikeletError as error:
        return None, str(error)
    function.argtypes = [ctypes.POINTER(_Core), ctypes.POINTER(_Run)]
    function.restype = ctypes.c_int32
    return function, ""


def available() -> bool:
    """Return whether the compiled path can be used; the first call may compile it."""
    return _loaded()[0] is not None


def why_not() -> str:
    """Return why the compiled path cannot be used, or an empty text."""
    return _loaded()[1]


@dataclass
class Records:
    """Where a run is recorded; see :class:`Trace` for what is what.

    Parameters
    ----------
    outputs : array of uint16, shape (samples, ticks, n_outputs)
        Zero at first.
    active_axons : array of int32, shape (samples, ticks, cores)
    merged_spikes : array of int32, shape (samples, cores)
    spikes : list of arrays of bool, shape (samples, ticks, n_neurons), or None
    potentials : list of arrays of int32, same shapes, or None
    """

    outputs: npt.NDArray[np.uint16]
    active_axons: npt.NDArray[np.int32]
    merged_spikes: npt.NDArray[np.int32]
    spikes: list[npt.NDArray[np.bool_]] | None
    potentials: list[npt.NDArray[np.int32]] | None


class CompiledCores:
    """The cores of a chip as the kernel takes them; the image is copied.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
        Already checked against ``chip``.

    Raises
    ------
    SpikeletError
        If the compiled path cannot be used.
    """

    def __init__(self, chip: ChipParams, image: ChipImage) -> None:
        self._kernel, reason = _loaded()
        if self._kernel is None:
            raise SpikeletError(f"the compiled golden model cannot be used: {reason}")
        self.chip = chip
        self._keep: list[npt.NDArray[Any]] = []
        self._cores = (_Core * len(chip.cores))()
        for record, core, contents in zip(self._cores, chip.cores, image.cores, strict=True):
            self._fill(record, core, contents)

    def run(self, inputs: Events | DenseSpikes, first: int, last: int, records: Records) -> None:
        """Run samples ``first`` up to, not including, ``last``, each from a cleared state.

        Parameters
        ----------
        inputs : Events or DenseSpikes
            Of all samples; already checked against the chip.
        records : Records
            For all samples.

        Raises
        ------
        SpikeletError
            If the offsets of the events fall, or there is not enough memory.
        """
        run = _Run(
            first_sample=first,
            last_sample=last,
            ticks=inputs.ticks,
            n_cores=len(self._cores),
            n_outputs=self.chip.n_outputs,
            outputs=records.outputs.ctypes.data,
            active=records.active_axons.ctypes.data,
            merged=records.merged_spikes.ctypes.data,
        )
        keep = _set_dense(run, inputs) if isinstance(inputs, DenseSpikes) else _set(run, inputs)
        for index, core in enumerate(self._cores):
            core.spikes = records.spikes[index].ctypes.data if records.spikes else None
            core.potentials = records.potentials[index].ctypes.data if records.potentials else None
        if self._kernel(self._cores, run):
            raise SpikeletError("golden: not enough memory for the state of the chip")
        del keep

    def _fill(self, record: _Core, core: CoreParams, image: CoreImage) -> None:
        row_bytes = -(-core.n_neurons // _LINE) * _LINE
        record.n_axons, record.n_neurons, record.row_bytes = core.n_axons, core.n_neurons, row_bytes
        record.slots, record.first_tick = core.delay_slots, core.first_tick
        record.v_min, record.v_max = core.v_min, core.v_max
        record.weight_exponent = core.weight_exponent
        record.rounding = _rounding(core)
        record.reset_mode = _reset_mode(core)
        record.weight_min = core.weight_min
        record.rows_in_byte = 255 // (core.weight_max - core.weight_min)
        record.weights = self._held(_interleaved(image.weights - core.weight_min)).ctypes.data
        for name, values, padding in (
            ("threshold", image.threshold, core.v_max),  # so that padding never fires
            ("decay", image.decay, 0),
            ("bias", image.bias, 0),
            ("reset", image.reset_potential, 0),
        ):
            padded = self._held(_aligned((row_bytes,), np.int32))
            padded[:] = padding
            padded[: core.n_neurons] = values
            setattr(record, name, padded.ctypes.data)
        used = image.destinations[..., 0] != NO_DESTINATION
        first = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int32)
        record.first_destination = self._held(first).ctypes.data
        destinations = np.ascontiguousarray(image.destinations[used], np.int32)
        record.destinations = self._held(destinations).ctypes.data

    def _held(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Keep ``array`` as long as this object, since the kernel is told its address."""
        self._keep.append(array)
        return array


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
    pieces = -(-n_neurons // _LINE)
    rows = _aligned((n_axons, pieces, _LINE // 2, 2), np.uint8)
    padded = np.zeros((n_axons, pieces * _LINE), np.uint8)
    padded[:, :n_neurons] = weights
    rows[:] = padded.reshape(n_axons, pieces, 2, _LINE // 2).swapaxes(2, 3)
    return rows


def _aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros that start with a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def _set_dense(run: _Run, inputs: DenseSpikes) -> tuple[npt.NDArray[Any], ...]:
    """Enter dense inputs; return the arrays that must outlive the run."""
    spikes = inputs.as_bytes()
    routes = inputs.runs
    run.input_ticks, run.n_inputs = spikes.shape[1:]
    run.input, run.routes, run.n_routes = spikes.ctypes.data, routes.ctypes.data, len(routes)
    return spikes, routes


def _set(run: _Run, events: Events) -> tuple[npt.NDArray[Any], ...]:
    """Enter events; return the arrays that must outlive the run."""
    offsets = np.ascontiguousarray(events.offsets, np.int64)
    if offsets[0] or np.any(offsets[1:] < offsets[:-1]):
        raise SpikeletError("events: offsets must start at 0 and never fall")
    fields = [
        np.ascontiguousarray(values, np.int32)
        for values in (events.core, events.axon, events.delay)
    ]
    run.offsets = offsets.ctypes.data
    run.event_core, run.event_axon, run.event_delay = (values.ctypes.data for values in fields)
    return offsets, *fields
