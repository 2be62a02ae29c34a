"""A serial port of this computer, by pyserial."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require

__all__ = ["BAUD", "BRIDGES", "FoundPort", "SerialPort", "serial_ports"]

BAUD = 1_000_000
"""Of a chip's serial port, unless it is told."""

BRIDGES = {
    (0x0403, 0x6010): "FT2232H",
    (0x0403, 0x6011): "FT4232H",
    (0x0403, 0x6014): "FT232H",
    (0x0403, 0x6015): "FT231X",
    (0x10C4, 0xEA60): "CP210x",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x55D2): "CH55x or CH342",
    (0x1209, 0x5BF0): "CH55x",
}
"""Vendor and product of the USB bridges that boards have, and what they are called."""


class SerialPort:
    """A :class:`spikelet.host.port.Port` of 8 data bits, no parity, one stop bit.

    Parameters
    ----------
    name : str
        Of the device, such as ``/dev/ttyUSB1`` or ``COM3``.
    baud : int

    Raises
    ------
    SpikeletError
        If there is no such device, it may not be opened, another program has it, or pyserial is
        missing.
    """

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        self.baud = baud
        serial = _pyserial()
        try:
            self._serial: Any = serial.Serial(name, baud, timeout=0, exclusive=True)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise _not_opened(name, error) from error

    def write(self, line: bytes) -> None:
        """Send bytes."""
        try:
            self._serial.write(line)
        except OSError as error:
            raise self._lost(error) from error

    def read(self, seconds: float) -> bytes:
        """Return what has come within so long."""
        try:
            self._serial.timeout = seconds
            first: bytes = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else first
        except (OSError, TypeError) as error:  # pyserial's own, where a device disappears
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the port."""
        self._serial.close()

    def _lost(self, error: Exception) -> SpikeletError:
        return SpikeletError(
            f"{self.name}: the connection is lost: {error}",
            remedy="plug the board in again, then start again",
        )


@dataclass(frozen=True, order=True)
class FoundPort:
    """A serial port that this computer has.

    Parameters
    ----------
    name : str
        Of the device.
    description : str
    bridge : str
        What the adapter is called, of :data:`BRIDGES`; empty if it is none of them.
    adapter : str
        The same of all ports of one adapter.
    """

    name: str
    description: str = ""
    bridge: str = ""
    adapter: str = ""

    def __str__(self) -> str:
        said = ", ".join(filter(None, (self.bridge, self.description)))
        return f"{self.name} ({said})" if said else self.name


def serial_ports() -> list[FoundPort]:
    """Return the serial ports that this computer has, by name."""
    _pyserial()
    from serial.tools import list_ports  # noqa: PLC0415 - an extra

    return sorted(
        FoundPort(
            port.device,
            "" if port.description in (None, "n/a") else port.description,
            BRIDGES.get((port.vid, port.pid), ""),
            f"{port.serial_number}:{port.location and port.location.split(':')[0]}",
        )
        for port in list_ports.comports()
    )


def _pyserial() -> Any:
    require("serial", "a board's serial port")
    import serial  # noqa: PLC0415 - an extra

    return serial


def _not_opened(name: str, error: Exception) -> SpikeletError:
    path = Path(name)
    if os.name == "posix" and path.is_absolute() and not path.exists():
        found = ", ".join(map(str, serial_ports())) or "none"
        return SpikeletError(
            f"{name}: there is no such port; those found: {found}",
            remedy="plug the board in, or name its port",
        )
    if os.name == "posix" and path.is_char_device() and not os.access(path, os.R_OK | os.W_OK):
        return SpikeletError(
            f"{name}: you may not use this port",
            remedy=f"add yourself to the group that owns it: ls -l {name}",
        )
    return SpikeletError(
        f"{name}: the port cannot be opened: {error}",
        remedy="end other programs that use it",
    )
