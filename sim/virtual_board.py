"""A board in simulation: the top module that its bitstream is made of, driven by its pins alone."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import load_library
from spikelet.sim import spi_flash
from spikelet.sim.verilator import Design, build_library

__all__ = ["VirtualBoard"]

_HARNESS = Path(__file__).with_name("virtual_board.cpp")
_ROOM = 1 << 16
_LARGEST_OFFSET = 0.05
_POWER_ON_S = 1e-4


class VirtualBoard:
    """A board and the serial port of its host, in simulated time.

    It is a :class:`spikelet.host.port.Port`: what a driver does with it, it does bit by bit with
    the pins ``rx`` and ``tx``. For a :class:`spikelet.host.spi_port.SpiPort` it is the device, with
    the pins ``cs_n``, ``sck``, ``mosi`` and ``miso``. It has been switched on a while ago.

    Parameters
    ----------
    design : Design
        Verilog of a board's top module ``top``, with ports ``clk``, ``button`` and ``led``, and
        ``rx`` and ``tx``, or those of SPI. If it has ``flash_cs``, ``flash_clk``, ``flash_copi``
        and ``flash_cipo``, there is a :class:`spikelet.sim.spi_flash.SpiFlash`, in power-down as
        after configuration.
    clock_hz : int
        Of the chip: a model of a PLL passes ``clk`` on.
    baud : int
        Of the host; it may change. Of SPI the frequency of ``sck`` in Hz.
    name : str
    button_inverted : bool
        Whether ``button`` is 1 while it is not pressed.
    offset : float
        By how much the host's rate is off: 0.02 is 2 % too fast; within 5 %.
    damage : float
        Share of bytes, in both directions, of which a bit is flipped or that are lost.
    seed : int
        Of the damage.
    flash : dict of int to bytes
        What is in the flash, by address; all else is erased.
    optimise : str
        As for :func:`spikelet.sim.verilator.build_library`.

    Raises
    ------
    SpikeletError
        If a value is out of its range, or a tool is missing or fails.
    """

    def __init__(
        self,
        design: Design,
        *,
        clock_hz: int,
        baud: int,
        name: str = "virtual board",
        button_inverted: bool = False,
        offset: float = 0.0,
        damage: float = 0.0,
        seed: int = 0,
        flash: Mapping[int, bytes] = MappingProxyType({}),
        optimise: str = "run",
    ) -> None:
        if abs(offset) > _LARGEST_OFFSET:
            raise SpikeletError(f"{name}: offset must be in -0.05..0.05, not {offset}")
        for address, contents in flash.items():
            spi_flash.check_fits(contents, address)
        if not 0 <= damage < 1:
            raise SpikeletError(f"{name}: damage must be in 0..1, without 1, not {damage}")
        self.name = name
        self.baud = baud
        self.clock_hz = clock_hz
        self.damage = damage
        self.offset = offset
        self._released = int(button_inverted)
        self._random = np.random.default_rng(seed)
        self._waiting = b""
        before = spi_flash.SOURCE.read_text()
        built = build_library(design, "top", _HARNESS, before=before, optimise=optimise)
        self._library = _load(built)
        create = self._library.spikelet_board_create
        self._handle = ctypes.c_void_p(create(self._released, clock_hz, spi_flash.LOG_SIZE))
        for address, contents in flash.items():
            size = len(contents)
            self._library.spikelet_board_flash(self._open(), contents, size, address)
        self.run(_POWER_ON_S)

    def write(self, line: bytes) -> None:
        """Let the host send bytes as time passes, in :meth:`read` and :meth:`run`."""
        self._waiting += self._damaged(line)

    def read(self, seconds: float) -> bytes:
        """Let time pass until something has come, or so long; return what has come."""
        return self._run(int(seconds * self.clock_hz), one=True)

    def run(self, seconds: float) -> bytes:
        """Let so much time pass; return what has come."""
        return self._run(int(seconds * self.clock_hz), one=False)

    def exchange(self, line: bytes, duplex: bool = True) -> bytes:
        """Let the host's SPI controller send bytes, in one transfer; return what came meanwhile."""
        came = ctypes.create_string_buffer(max(1, len(line)))
        half = self.clock_hz / (self.baud * (1 + self.offset)) / 2
        sent = self._flipped(line)
        self._library.spikelet_board_exchange(self._open(), half, sent, len(line), came)
        return self._flipped(came.raw[: len(line)])

    def press(self, seconds: float = 1e-5) -> None:
        """Press the button for so long."""
        self._library.spikelet_board_button(self._open(), 1 - self._released)
        self.run(seconds)
        self._library.spikelet_board_button(self._open(), self._released)
        self.run(seconds)

    @property
    def leds(self) -> int:
        """The pins of the LEDs, LED 0 in bit 0."""
        return int(self._library.spikelet_board_leds(self._open()))

    @property
    def waiting(self) -> int:
        """Bytes that the host has still to send."""
        queued = int(self._library.spikelet_board_waiting(self._open()))
        return queued + len(self._waiting)

    @property
    def cycles(self) -> int:
        """Clock cycles so far."""
        return int(self._library.spikelet_board_cycles(self._open()))

    def close(self) -> None:
        """Free the simulated board."""
        if self._handle:
            self._library.spikelet_board_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def _run(self, cycles: int, *, one: bool) -> bytes:
        line, self._waiting = self._waiting, b""
        bit = self.clock_hz / (self.baud * (1 + self.offset))
        came = ctypes.create_string_buffer(_ROOM)
        count = self._library.spikelet_board_run(
            self._open(), bit, cycles, line, len(line), came, _ROOM, one
        )
        return self._damaged(came.raw[:count])

    def _damaged(self, line: bytes) -> bytes:
        if not self.damage:
            return line
        values = np.frombuffer(line, np.uint8)
        hit = self._random.random(len(values)) < self.damage
        lost = hit & (self._random.random(len(values)) < 0.5)
        flips = np.left_shift(1, self._random.integers(0, 8, len(values)))
        return np.where(hit, values ^ flips, values)[~lost].astype(np.uint8).tobytes()

    def _flipped(self, line: bytes) -> bytes:
        """Return bytes of which some have another bit; none is lost on wires with a clock."""
        if not self.damage:
            return line
        values = np.frombuffer(line, np.uint8)
        hit = self._random.random(len(values)) < self.damage
        flips = np.left_shift(1, self._random.integers(0, 8, len(values)))
        return np.where(hit, values ^ flips, values).astype(np.uint8).tobytes()

    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise SpikeletError(f"{self.name}: it was closed", remedy="open it again")
        return self._handle


def _load(path: Path) -> ctypes.CDLL:
    library = load_library(path)
    handle, number = ctypes.c_void_p, ctypes.c_int64
    library.spikelet_board_create.restype = handle
    library.spikelet_board_create.argtypes = [number, ctypes.c_double, number]
    library.spikelet_board_flash.argtypes = [handle, ctypes.c_char_p, number, number]
    library.spikelet_board_waiting.restype = number
    library.spikelet_board_waiting.argtypes = [handle]
    library.spikelet_board_destroy.argtypes = [handle]
    library.spikelet_board_cycles.restype = ctypes.c_uint64
    library.spikelet_board_cycles.argtypes = [handle]
    library.spikelet_board_leds.restype = number
    library.spikelet_board_leds.argtypes = [handle]
    library.spikelet_board_button.argtypes = [handle, number]
    library.spikelet_board_run.restype = number
    library.spikelet_board_run.argtypes = [
        *(handle, ctypes.c_double, number, ctypes.c_char_p, number),
        *(ctypes.c_char_p, number, number),
    ]
    library.spikelet_board_exchange.restype = None
    library.spikelet_board_exchange.argtypes = [
        *(handle, ctypes.c_double, ctypes.c_char_p, number, ctypes.c_char_p)
    ]
    return library
