"""A serial port that is none: one end of a pseudo-terminal, of which a program opens the other."""

import contextlib
import os
import select
import struct
import sys

from spikelet.description.errors import SpikeletError

__all__ = ["PseudoTerminal"]

_LINUX_RATES = (0x802C542A, 44)  # request TCGETS2, size of struct termios2
_RATE = struct.Struct("I")  # its last field, the rate of what the program sends


class PseudoTerminal:
    """A terminal that passes bytes on as they are, to and from whoever has opened ``path``.

    It outlives the programs that open it, one after the other. What nobody reads is lost once the
    system's buffer is full, as on a serial line.

    Attributes
    ----------
    path : str
        Of the device that programs open as a serial port.

    Raises
    ------
    SpikeletError
        If the system has no pseudo-terminals, or none is left.
    """

    def __init__(self) -> None:
        try:
            import tty  # noqa: PLC0415 - POSIX only
        except ImportError:
            raise SpikeletError(
                f"this system ({sys.platform}) has no pseudo-terminals",
                remedy="use Linux or macOS, or Windows's subsystem for Linux",
            ) from None
        try:
            self._mine, self._theirs = os.openpty()
        except OSError as error:
            raise SpikeletError(
                f"no pseudo-terminal can be opened: {error}",
                remedy="end programs that hold terminals",
            ) from error
        tty.setraw(self._theirs)
        os.set_blocking(self._mine, False)
        self.path = os.ttyname(self._theirs)  # open here, too, so that it lasts

    def read(self, most: int, seconds: float = 0.0) -> bytes:
        """Return what a program has sent, at most so many bytes; wait so long for the first."""
        if not most or not select.select([self._mine], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._mine, most)
        except BlockingIOError:
            return b""

    def write(self, line: bytes) -> int:
        """Send bytes to the program; return how many were lost, since it does not read."""
        with contextlib.suppress(BlockingIOError):
            return len(line) - os.write(self._mine, line)
        return len(line)

    @property
    def baud(self) -> int | None:
        """The rate that the program has chosen, where the system tells (Linux), else None."""
        if not sys.platform.startswith("linux"):
            return None
        import fcntl  # noqa: PLC0415 - POSIX only

        request, size = _LINUX_RATES
        settings = bytearray(size)
        try:
            fcntl.ioctl(self._theirs, request, settings)
        except OSError:
            return None
        return int(_RATE.unpack_from(settings, size - _RATE.size)[0]) or None

    def close(self) -> None:
        """Hang up: whoever has the terminal open finds the line broken."""
        os.close(self._theirs)
        os.close(self._mine)
