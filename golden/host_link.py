"""The chip's end of the link to its host. Twin of ``rtl_gen/host_link.py``.

Everything but time: which bytes of what comes are executed, and what is answered.
"""

from collections.abc import Iterator

from spikelet.description.chip.host_link import (
    AGAIN,
    CRC_BYTES,
    OFFSET_BITS,
    OPEN,
    REFUSED,
    RESET,
    VERSION,
    LinkParams,
)
from spikelet.golden.frame_receiver import FrameReceiver
from spikelet.golden.frame_transmitter import frame
from spikelet.golden.host_commands import HostCommands, LinkedChip

__all__ = ["HostLink"]

_WRAP = 1 << OFFSET_BITS


class HostLink:
    """Takes bytes of the line, and answers in bytes.

    What has come is executed at once; in gates it waits in a buffer.

    Parameters
    ----------
    params : LinkParams
    chip : LinkedChip

    Attributes
    ----------
    resets : int
        How often the chip was to be reset.
    heard : int
        How many frames of its connection have come, with those that opened one.
    """

    def __init__(self, params: LinkParams, chip: LinkedChip) -> None:
        self.params = params
        self.chip = chip
        self.resets = self.heard = 0
        self._frames = FrameReceiver()
        self._open(0)
        self._answers = False

    def _open(self, connection: int) -> None:
        self.connection = connection
        self.commands = HostCommands(self.params, self.chip)
        self._end = self._ack = self._following = 0
        self._answers = True

    def abandon(self) -> None:
        """Give the connection up, and reset the chip: the host has been silent for too long.

        The answer says that the connection is another one, and so do those to its frames.
        """
        self.resets += 1
        self._open(self.connection ^ 0xFF)

    def take(self, line: bytes) -> None:
        """Take bytes of the line."""
        for byte in line:
            content = self._frames.take(byte)
            if content is not None:
                self._received(content)

    def _received(self, content: bytes) -> None:
        control, connection = content[:2]
        offset, ack = (int.from_bytes(content[at : at + 2], "little") for at in (2, 4))
        payload = content[6:]
        known = control & 0xF == VERSION
        if known and control & OPEN:
            self.resets += bool(control & RESET)
            self.heard += 1
            self._open(connection)
            return
        if not known or connection != self.connection:
            self._answers = True
            return
        self.heard += 1
        self._ack += (ack - self._ack) % _WRAP
        if control & AGAIN:
            self._following = self._ack
        self._answers |= bool(payload) or bool(control & AGAIN)
        room = self.params.buffer_bytes - CRC_BYTES
        if offset == self._end and len(payload) <= room:
            self._end = (self._end + len(payload)) % _WRAP
            for byte in payload:
                self.commands.take(byte)

    def replies(self) -> Iterator[bytes]:
        """Return the frames that are sent now, until the host says that it has received them."""
        while self._answers or self._unsent():
            payload = self._unsent()
            control = VERSION | (REFUSED if self.commands.refused else 0)
            numbers = (self._following % _WRAP, self._end, self._end)
            header = bytes([control, self.connection])
            header += b"".join(number.to_bytes(2, "little") for number in numbers)
            self._answers = False
            self._following += len(payload)
            yield frame(header + payload)

    def _unsent(self) -> bytes:
        """Return what may be sent: as much as the buffer holds behind what the host has."""
        return bytes(self.commands.sent[self._following : self._ack + self.params.buffer_bytes])
