"""A board's serial NOR flash, by its pins: what an FPGA reads bitstream and weights from.

The model is ``sim/spi_flash.c``, which :mod:`spikelet.sim.virtual_board` has beside a board's top
module. Alone, as here, it goes with any simulator.
"""

import ctypes
from pathlib import Path

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.toolchain import c_library

__all__ = ["LOG_SIZE", "SOURCE", "SpiFlash", "check_fits"]

SOURCE = Path(__file__).with_name("spi_flash.c")
LOG_SIZE = 24
"""Of the 16 MiB that iCEBreaker and ULX3S have."""


class SpiFlash:
    """A flash of SPI mode 0 and 3 with one data line each way, erased and in power-down.

    It reads (03, and 0b with a byte between address and data), says what it is (9f: 3 bytes), and
    goes into power-down (b9) and out of it (ab), after which it understands nothing for 3 us. The
    address of 3 bytes wraps at the size.

    Parameters
    ----------
    log_size : int
        Logarithm to base 2 of its bytes, 8..24.
    """

    def __init__(self, log_size: int = LOG_SIZE) -> None:
        check_int("flash: log_size", log_size, 8, 24)
        self.log_size = log_size
        self._library = _load()
        self._handle = ctypes.c_void_p(self._library.spikelet_flash_create(log_size))

    def store(self, contents: bytes, offset: int = 0) -> None:
        """Program bytes from an address on; SpikeletError if they do not fit."""
        check_fits(contents, offset, self.log_size)
        self._library.spikelet_flash_store(self._open(), contents, len(contents), offset)

    def pins(self, cs: int, clock: int, mosi: int, seconds: float) -> int:
        """Return the level of the data line out, for levels of the pins at that time.

        ``cs`` is low while the flash is selected. The line out is 1 while it is not driven.
        """
        return int(self._library.spikelet_flash_pins(self._open(), cs, clock, mosi, seconds))

    @property
    def read_bytes(self) -> int:
        """Bytes that commands have read so far, begun ones included."""
        return int(self._library.spikelet_flash_read(self._open()))

    def close(self) -> None:
        """Free it."""
        if self._handle:
            self._library.spikelet_flash_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def _open(self) -> ctypes.c_void_p:
        if not self._handle:
            raise SpikeletError("flash: it was closed", remedy="make another")
        return self._handle


def check_fits(contents: bytes, offset: int, log_size: int = LOG_SIZE) -> None:
    """Raise SpikeletError if bytes do not fit a flash from this address on."""
    size = 1 << log_size
    if not 0 <= offset <= size - len(contents):
        raise SpikeletError(
            f"flash: {len(contents):,} bytes at address {offset:#x} do not fit in {size:,} bytes",
            remedy="store less, or at a lower address",
        )


def _load() -> ctypes.CDLL:
    library = c_library(SOURCE, "#define SPI_FLASH_LIBRARY\n")
    handle, number = ctypes.c_void_p, ctypes.c_int64
    library.spikelet_flash_create.restype = handle
    library.spikelet_flash_create.argtypes = [number]
    library.spikelet_flash_destroy.argtypes = [handle]
    library.spikelet_flash_store.argtypes = [handle, ctypes.c_char_p, number, number]
    library.spikelet_flash_read.restype = number
    library.spikelet_flash_read.argtypes = [handle]
    library.spikelet_flash_pins.restype = number
    library.spikelet_flash_pins.argtypes = [handle, number, number, number, ctypes.c_double]
    return library
