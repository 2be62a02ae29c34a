"""An SPI controller of this computer as a line to a chip, by pyftdi."""

import time
from typing import Any

from spikelet.description.chip.host_link import FLAG
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require

__all__ = ["SPI_PREFIX", "SpiPort"]

SPI_PREFIX = "ftdi://"
"""Of pyftdi's names."""

_BLOCK = 64
"""Bytes of a transfer that only looks whether something comes."""


class SpiPort:
    """A :class:`spikelet.host.port.Port` over SPI in mode 0: bytes go both ways at once.

    Where one side has nothing to say it sends flags, which mean nothing between frames.

    Parameters
    ----------
    name : str
        Of an FTDI cable, as pyftdi names it, such as ``ftdi://ftdi:232h/1``.
    hz : int
        Of the clock: an eighth of the chip's, or slower. The cable may have a slower one.
    device : object or None
        What has ``exchange(bytes, duplex=True)``, as pyftdi's ``SpiPort`` has; None: that of the
        cable.

    Raises
    ------
    SpikeletError
        If there is no such cable, it may not be used, or pyftdi is missing.
    """

    def __init__(self, name: str, hz: int, device: Any = None) -> None:
        self.name = name
        self.baud = hz * 10 // 8  # of a serial port of as many bytes a second
        self._controller: Any = None
        self._came = b""
        self._within = False  # what was returned last is the beginning of a frame
        self._device = device or self._opened(hz)

    def write(self, line: bytes) -> None:
        """Send bytes; what comes meanwhile is kept."""
        if line:
            self._came += self._exchange(line)

    def read(self, seconds: float) -> bytes:
        """Return what has come within so long, in blocks; nothing if that was only flags."""
        until = time.monotonic() + seconds
        while True:
            came = self._came or self._exchange(bytes([FLAG]) * _BLOCK)
            self._came = b""
            if came.strip(bytes([FLAG])) or self._within:
                self._within = came[-1] != FLAG
                return came
            if time.monotonic() > until:
                return b""

    def close(self) -> None:
        """Give the cable back."""
        if self._controller is not None:
            self._controller.terminate()

    def _exchange(self, line: bytes) -> bytes:
        try:
            return bytes(self._device.exchange(line, duplex=True))
        except OSError as error:  # as are those of pyftdi and of USB
            raise SpikeletError(
                f"{self.name}: the connection is lost: {error}",
                remedy="plug the cable in again, then start again",
            ) from error

    def _opened(self, hz: int) -> Any:
        require("pyftdi", "an SPI cable")
        from pyftdi.spi import SpiController  # noqa: PLC0415 - an extra

        self._controller = SpiController()
        try:
            self._controller.configure(self.name)
            return self._controller.get_port(cs=0, freq=hz, mode=0)
        except (OSError, ValueError) as error:
            raise SpikeletError(
                f"{self.name}: the cable cannot be opened: {error}",
                remedy="plug it in, allow yourself to use it, end other programs that do",
            ) from error
