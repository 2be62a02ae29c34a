"""A link to a Verilated chip in a shared library: ``harness.cpp`` runs whole samples."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.c_layout import layout_checks
from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import load_library
from spikelet.host.link import Batch, Ran, Words
from spikelet.sim.verilator import Design, build_library

__all__ = ["VerilatedLink"]

_HARNESS = Path(__file__).with_name("harness.cpp")

_LARGEST_SEED = (1 << 31) - 1

_SHARED_NUMBERS = ("samples", "ticks", "clear", "limit", "n_settings", "n_probes", "n_outputs")


class _RunStruct(ctypes.Structure):
    """``Run`` of the harness."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _SHARED_NUMBERS),
        *((name, ctypes.c_int64) for name in ("output_mask", "count_shift", "stop")),
        *((name, ctypes.c_void_p) for name in ("offsets", "flits", "settings", "values")),
        *((name, ctypes.c_void_p) for name in ("probes", "words", "outputs", "ticks_run")),
    )


class VerilatedLink:
    """A chip of its own, reset; a :class:`spikelet.host.link.Link`.

    Parameters
    ----------
    design : Design
        Verilog of a chip, top module ``chip``.
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`.
    power_on_seed : int or None
        1..2**31 - 1: what has no initial value begins with random ones. None: with 0.

    Attributes
    ----------
    library : Path
        The file, in the cache.

    Raises
    ------
    SpikeletError
        If a tool is missing or fails, or the seed is out of its range.
    """

    def __init__(
        self, design: Design, *, optimise: str = "run", power_on_seed: int | None = None
    ) -> None:
        if power_on_seed is not None and not 1 <= power_on_seed <= _LARGEST_SEED:
            raise SpikeletError(f"power_on_seed must be in 1..{_LARGEST_SEED}, not {power_on_seed}")
        # To evaluate a falling edge that nothing looks at takes time; cells may be anything.
        rising = not design.models and "negedge" not in design.text
        self.library = build_library(
            *(design, "chip", _HARNESS),
            before=f"#define RISING_EDGES_ONLY {int(rising)}\n",
            checks=layout_checks({"Run": _RunStruct}),
            optimise=optimise,
            random_power_on=power_on_seed is not None,
        )
        self._library = _load(self.library)
        self._handle = ctypes.c_void_p(self._library.spikelet_create(power_on_seed or 0))

    def close(self) -> None:
        """Free the simulated chip."""
        if self._handle:
            self._library.spikelet_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return int(self._library.spikelet_cycles(self._open()))

    def write(self, words: Words) -> None:
        """Write rows of (address, data)."""
        rows = np.ascontiguousarray(words, np.uint32)
        self._library.spikelet_write(self._open(), len(rows), _at(rows))

    def read(self, addresses: Words) -> Words:
        """Return the words at these addresses."""
        asked = np.ascontiguousarray(addresses, np.uint32)
        data = np.zeros(len(asked), np.uint32)
        found = self._library.spikelet_read(self._open(), len(asked), _at(asked), _at(data))
        if found < len(asked):
            raise SpikeletError(
                f"the simulated chip does not answer the read of {int(asked[found]):#x}",
                remedy="its Verilog does not do what the chip does: compare it (spikelet verify)",
            )
        return data

    def run(self, batch: Batch) -> Ran:
        """Run samples."""
        shape = (batch.samples, batch.ticks)
        words = np.zeros((*shape, len(batch.probes)), np.uint32)
        outputs = np.zeros((*shape, batch.n_outputs), np.uint16)
        ticks_run = np.zeros(batch.samples, np.int64)
        arrays: dict[str, npt.NDArray[Any]] = {
            "offsets": np.ascontiguousarray(batch.offsets, np.int64),
            **{
                name: np.ascontiguousarray(getattr(batch, name), np.uint32)
                for name in ("flits", "settings", "values", "probes")
            },
            "words": words,
            "outputs": outputs,
            "ticks_run": ticks_run,
        }
        run = _RunStruct(
            samples=batch.samples,
            ticks=batch.ticks,
            clear=batch.clear,
            limit=batch.cycle_limit,
            n_settings=len(batch.settings),
            n_probes=len(batch.probes),
            n_outputs=batch.n_outputs,
            output_mask=batch.output_mask,
            count_shift=batch.count_shift,
            stop=-1 if batch.stop is None else batch.stop,
            **{name: _at(array) for name, array in arrays.items()},
        )
        place = self._library.spikelet_run(self._open(), ctypes.byref(run))
        unfinished = None if place < 0 else int(place)
        return Ran(outputs, words, unfinished, None if batch.stop is None else ticks_run)

    def _open(self) -> ctypes.c_void_p:
        """Return the handle; SpikeletError if it was given back."""
        if not self._handle:
            raise SpikeletError("the simulated chip was closed", remedy="open it again")
        return self._handle


def _at(array: npt.NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    handle, pointer, count = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64
    library.spikelet_create.argtypes = [ctypes.c_int32]
    library.spikelet_create.restype = handle
    library.spikelet_destroy.argtypes = [handle]
    library.spikelet_cycles.argtypes = [handle]
    library.spikelet_cycles.restype = ctypes.c_uint64
    library.spikelet_write.argtypes = [handle, count, pointer]
    library.spikelet_read.argtypes = [handle, count, pointer, pointer]
    library.spikelet_read.restype = count
    library.spikelet_run.argtypes = [handle, pointer]
    library.spikelet_run.restype = ctypes.c_int64
    return library
