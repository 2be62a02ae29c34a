"""``kernel.c``, compiled on first use, and the structures that it takes. No twin in rtl_gen."""

import ctypes
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spikelet.description.c_layout import layout_checks
from spikelet.description.chip.destinations import HOST
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.toolchain import c_library
from spikelet.golden.aligned import LINE, SPARE
from spikelet.golden.native_core import CoreStructure, HeldStructure, StateStructure
from spikelet.golden.native_destinations import DESTINATION, LIST
from spikelet.golden.native_learning import common_code
from spikelet.golden.native_short_term import ShortTermStructure

__all__ = [
    "ROUTE",
    "ProbeStructure",
    "RunStructure",
    "WorkerStructure",
    "available",
    "loaded",
    "warn_of_numpy",
    "why_not",
]

_FOLDER = Path(__file__).parent
_KERNEL = _FOLDER / "kernel.c"
_PARTS = ("sums", "short_term", "structures", "core", "barrier")
_BEFORE = [_FOLDER / f"kernel_{part}.c" for part in _PARTS]
"""What is put before it, behind the code that all C files share."""

ROUTE = np.dtype([(name, np.int32) for name in ("input", "core", "axon", "delay", "length")])
"""``struct route`` of ``kernel.c``: a row of ``DenseSpikes.runs``."""


class RunStructure(ctypes.Structure):
    """``struct run`` of ``kernel_structures.c``."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("first_sample", "last_sample", "ticks")),
        *((name, ctypes.c_int64) for name in ("input_ticks", "n_inputs", "n_cores", "n_outputs")),
        *((name, ctypes.c_int64) for name in ("clear", "first_tick")),
        ("cleared", ctypes.c_void_p),
        ("cleared_bytes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("due", "counts", "most")),
        *((name, ctypes.c_int64) for name in ("slots", "words")),
        ("recorded_due", ctypes.c_void_p),
        ("destinations", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("list_room", "fetched_rows")),
        *((name, ctypes.c_void_p) for name in ("input", "routes")),
        ("n_routes", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("offsets", "event_core", "event_axon")),
        *((name, ctypes.c_void_p) for name in ("event_delay", "event_count")),
        ("counted", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("outputs", "active", "merged", "rested")),
        *((name, ctypes.c_void_p) for name in ("rewards", "workers")),
        ("n_workers", ctypes.c_int64),
    ]


class WorkerStructure(ctypes.Structure):
    """``struct worker`` of ``kernel_structures.c``."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("first_core", "last_core")),
        *((name, ctypes.c_void_p) for name in ("due", "counts", "fired", "fired_counts")),
        *((name, ctypes.c_void_p) for name in ("lists", "sums", "merged", "probes")),
        ("n_probes", ctypes.c_int64),
    ]


class ProbeStructure(ctypes.Structure):
    """``struct probe`` of ``kernel_structures.c``."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("from", "to")),
        *((name, ctypes.c_int64) for name in ("rows", "stride", "bytes")),
    ]


@cache
def loaded() -> tuple[Any, str, str]:
    """Return the kernel's function, or None, why there is none, and a remedy."""
    checks = layout_checks(
        {
            "struct core": CoreStructure,
            "struct held": HeldStructure,
            "struct short_term": ShortTermStructure,
            "struct state": StateStructure,
            "struct run": RunStructure,
            "struct worker": WorkerStructure,
            "struct probe": ProbeStructure,
            "struct destination": DESTINATION,
            "struct route": ROUTE,
        },
        {"HOST": HOST, "LIST": LIST, "SPARE": SPARE, "BLOCK": LINE},
    )
    try:
        before = common_code() + "".join(path.read_text() for path in _BEFORE)
        library = c_library(_KERNEL, before, checks)
        function = library.spikelet_golden_run
    except SpikeletError as error:
        return None, error.args[0], error.remedy
    structures = (CoreStructure, StateStructure, RunStructure)
    function.argtypes = [ctypes.POINTER(structure) for structure in structures]
    function.restype = ctypes.c_int32
    return function, "", ""


def available() -> bool:
    """Return whether the native path can be used; the first call may compile it."""
    return loaded()[0] is not None


def why_not() -> str:
    """Return why the native path cannot be used, or an empty text."""
    _, reason, remedy = loaded()
    return f"{reason}\n  remedy: {remedy}" if remedy else reason


@cache
def warn_of_numpy(reason: str, remedy: str) -> None:
    """Say, once for each reason, that the slower numpy modules do the work."""
    text = f"golden runs on numpy, with the same results but slower: {reason}"
    warnings.warn(f"{text}\n  remedy: {remedy}" if remedy else text, SpikeletWarning, stacklevel=4)
