"""A host link in gates, with a chip that notes what it is told: for millions of bytes."""

import ctypes
from pathlib import Path

import numpy as np

from spikelet.description.chip.host_link import LinkParams
from spikelet.description.toolchain import load_library
from spikelet.sim.verilator import Design, build_library

__all__ = ["NotedLink"]

_HARNESS = Path(__file__).with_name("noted_link.cpp")
_ROOM = 1 << 16
_OPERATIONS = ("write", "read", "event", "tick", "clear")


class NotedLink:
    """A Verilated host link, whose chip is a :class:`spikelet.sim.noted_chip.NotedChip`.

    Parameters
    ----------
    design : Design
        Verilog of ``rtl_gen/host_link.py`` as module ``top``.
    params : LinkParams
        Of it.
    seed : int
        Of the times that the chip takes, 0..2**32-1.
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`.
    """

    def __init__(
        self, design: Design, params: LinkParams, *, seed: int = 0, optimise: str = "run"
    ) -> None:
        self._library = _load(build_library(design, "top", _HARNESS, optimise=optimise))
        address_bits = params.address_bits + 1  # one for all that is beyond the chip's
        self._handle = ctypes.c_void_p(self._library.spikelet_link_create(address_bits, seed))
        self._noted = 0

    def run(self, line: bytes, cycles: int) -> bytes:
        """Send bytes, then let clock cycles pass; return what has come."""
        came = ctypes.create_string_buffer(_ROOM)
        count = self._library.spikelet_link_run(self._handle, line, len(line), cycles, came, _ROOM)
        assert count >= 0, "the link does not take a byte in time"
        return came.raw[:count]

    def told(self) -> list[tuple[str, int, int]]:
        """Return what the chip was told since the last call, as ``NotedChip.told``."""
        rows = np.zeros((_ROOM, 3), np.uint32)
        found: list[tuple[str, int, int]] = []
        while count := self._library.spikelet_link_told(
            self._handle, self._noted, rows.ctypes.data, _ROOM
        ):
            self._noted += count
            for operation, place, data in rows[:count].tolist():
                found.append((_OPERATIONS[operation], place, data))
        return found

    @property
    def resets(self) -> int:
        """How often the chip was to be reset."""
        return int(self._library.spikelet_link_resets(self._handle))

    def close(self) -> None:
        """Free it."""
        if self._handle:
            self._library.spikelet_link_destroy(self._handle)
            self._handle = ctypes.c_void_p()


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    handle, number = ctypes.c_void_p, ctypes.c_int64
    library.spikelet_link_create.restype = handle
    library.spikelet_link_create.argtypes = [number, number]
    library.spikelet_link_destroy.argtypes = [handle]
    library.spikelet_link_run.restype = number
    library.spikelet_link_run.argtypes = [
        *(handle, ctypes.c_char_p, number, number, ctypes.c_char_p, number),
    ]
    library.spikelet_link_told.restype = number
    library.spikelet_link_told.argtypes = [handle, number, ctypes.c_void_p, number]
    library.spikelet_link_resets.restype = number
    library.spikelet_link_resets.argtypes = [handle]
    return library
