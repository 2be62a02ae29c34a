"""A plastic core for the native path: ``learning_rule.c``, compiled for the core's rule.

No twin in rtl_gen.
"""

import ctypes
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.c_layout import layout_checks
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.text import POST_TRACES, PRE_TRACES
from spikelet.description.toolchain import c_library
from spikelet.golden.aligned import SPARE, aligned, padded
from spikelet.golden.rule_code import rule_code

__all__ = ["NativeLearning", "common_code"]

_FOLDER = Path(__file__).parent


class _Trace(ctypes.Structure):
    """``struct trace`` of ``learning_rule.c``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("increment", "decay", "decay_shift", "largest")),
        ("set", ctypes.c_int32),
        ("values", ctypes.c_void_p),
    ]


class _Learning(ctypes.Structure):
    """``struct learning`` of ``learning_rule.c``: ``x[0]`` is trace ``x1``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_axons", "n_neurons", "row", "lanes", "on")),
        ("first_teacher", ctypes.c_int32),
        ("x", _Trace * len(PRE_TRACES)),
        ("y", _Trace * len(POST_TRACES)),
        *((name, ctypes.c_void_p) for name in ("plastic", "bits", "weights", "tags", "random")),
        *((name, ctypes.c_void_p) for name in ("e", "spiked", "marks", "due", "rows", "fired")),
        *((name, ctypes.c_void_p) for name in ("draws", "columns")),
        *((name, ctypes.c_void_p) for name in ("devices", "selected", "pulsed", "device_draws")),
    ]


def common_code() -> str:
    """Return the C text that comes before each of the C files."""
    return (_FOLDER / "kernel_common.c").read_text()


@cache
def _functions(rule: LearningRule) -> tuple[int, int]:
    """Return the addresses of the rule's functions before and after the neuron update."""
    code = common_code() + rule_code(rule)
    checks = layout_checks({"struct learning": _Learning}, {"SPARE": SPARE})
    library = c_library(_FOLDER / "learning_rule.c", code, checks)
    found = (library.spikelet_before_update, library.spikelet_after_update)
    before, after = (ctypes.cast(function, ctypes.c_void_p).value or 0 for function in found)
    return before, after


class NativeLearning:
    """What a plastic core learns, where C finds it.

    Parameters
    ----------
    core : CoreParams
    rule : LearningRule
        The core's.
    image : CoreImage
        Copied.
    traces : dict of array of int32
        ``x1``, ``x2``, ``y1`` to ``y3`` and the error ``e`` as far as there are; those of neurons
        in whole rows. They change as the core runs.

    Attributes
    ----------
    address : int
        Of the structure.
    before, after : int
        Addresses of the functions that take it, before and after the neuron update.
    arrays : dict of array
        ``weights`` and, where there are, ``tags``, ``random``, ``devices``, the rows of one behind
        those of another, and ``selected``: rows are padded.

    Raises
    ------
    SpikeletError
        If the rule cannot be compiled.
    """

    def __init__(
        self,
        core: CoreParams,
        rule: LearningRule,
        image: CoreImage,
        traces: dict[str, npt.NDArray[np.int32]],
    ) -> None:
        self.before, self.after = _functions(rule)
        self.on = image.learning
        self._n_neurons = core.n_neurons
        self._traces = traces
        row = padded(core.n_neurons)
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self.arrays["weights"] = self._rows(image.weights, row)
        if rule.tag_bits:
            self.arrays["tags"] = self._rows(image.tags, row)
        if rule.stochastic:
            self.arrays["random"] = image.random.copy()
        if rule.devices:
            self.arrays["devices"] = self._rows(image.devices.reshape(-1, core.n_neurons), row)
            self.arrays["selected"] = image.selected.copy()
        self._scratch: dict[str, npt.NDArray[Any]] = {
            "plastic": image.plastic.astype(np.uint8),
            "bits": image.rule_bits.astype(np.uint8),
            "spiked": np.zeros(core.n_axons, np.uint8),
            "marks": np.zeros(core.n_axons, np.uint8),
            "due": np.zeros(row, np.uint8),
            "rows": np.zeros(core.n_axons + SPARE, np.uint16),
            "fired": np.zeros(core.n_neurons + SPARE, np.uint16),
            "columns": aligned((4, core.n_axons), np.int32),
        }
        if rule.stochastic:
            self._scratch["draws"] = aligned((core.n_axons, row), np.uint16)
        if rule.devices:
            self._scratch["pulsed"] = np.zeros(1, np.int32)
        if rule.visit_draws > 1:
            self._scratch["device_draws"] = aligned((core.n_axons, row), np.uint16)
        self._structure = _Learning(core.n_axons, core.n_neurons, row, core.lanes, self.on)
        self._structure.first_teacher = core.n_axons - core.teacher_axons
        if rule.reads_error:
            self._structure.e = traces["e"].ctypes.data
        for name, array in {**self.arrays, **self._scratch}.items():
            setattr(self._structure, name, array.ctypes.data)
        for name, trace in {**rule.pre_traces, **rule.post_traces}.items():
            getattr(self._structure, name[0])[int(name[1]) - 1] = _trace(trace, traces[name])
        self.address = ctypes.addressof(self._structure)

    def contents(self, image: CoreImage) -> CoreImage:
        """Return ``image`` with what was learned."""
        used = slice(0, self._n_neurons)
        return replace(
            image,
            weights=self.arrays["weights"][:, used].copy(),
            tags=self.arrays.get("tags", image.tags)[:, used].copy(),
            random=self.arrays.get("random", image.random).copy(),
            devices=self._devices(image, used),
            selected=self.arrays.get("selected", image.selected).copy(),
        )

    def _devices(self, image: CoreImage, used: slice) -> npt.NDArray[np.int32]:
        if "devices" not in self.arrays:
            return image.devices
        return self.arrays["devices"][:, used].reshape(image.devices.shape).copy()

    @staticmethod
    def _rows(values: npt.NDArray[np.integer], row: int) -> npt.NDArray[np.integer]:
        rows: npt.NDArray[np.integer] = aligned((len(values), row), values.dtype)
        rows[:, : values.shape[1]] = values
        return rows


def _trace(params: TraceParams, values: npt.NDArray[np.int32]) -> _Trace:
    return _Trace(
        params.increment,
        params.decay,
        params.decay_shift,
        params.largest,
        params.mode == "set",
        values.ctypes.data,
    )
