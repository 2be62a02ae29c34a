"""A serial port of this computer, by pyserial."""

import os
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require

__all__ = ["SerialPort", "serial_ports"]


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


def serial_ports() -> list[tuple[str, str]]:
    """Return (device, description) of the serial ports that this computer has."""
    _pyserial()
    from serial.tools import list_ports  # noqa: PLC0415 - an extra

    return sorted((port.device, port.description) for port in list_ports.comports())


def _pyserial() -> Any:
    require("serial", "a board's serial port")
    import serial  # noqa: PLC0415 - an extra

    return serial


def _not_opened(name: str, error: Exception) -> SpikeletError:
    path = Path(name)
    if os.name == "posix" and path.is_absolute() and not path.exists():
        found = ", ".join(device for device, _ in serial_ports()) or "none"
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
