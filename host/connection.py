"""A host's end of the link, without line and clock: what to send, and what has come.

:class:`Connection` never waits. Whoever has a line gives it what came, sends what it has to send,
and tells it when nothing has come for a while.
"""

import struct

from spikelet.description.chip.host_link import (
    AGAIN,
    CRC_BYTES,
    LEAST_BUFFER,
    OFFSET_BITS,
    OPEN,
    REFUSED,
    REPLY_HEADER,
    RESET,
    VERSION,
)
from spikelet.description.errors import SpikeletError
from spikelet.host.frames import FrameReader, framed

__all__ = ["Connection"]

_WRAP = 1 << OFFSET_BITS
_REQUEST = struct.Struct("<BBHH")
_REPLY = struct.Struct("<BBHHH")


class Connection:
    """Two streams of bytes to and from a chip, of which none is lost.

    Parameters
    ----------
    number : int
        In 0..255, another than that of a connection before; the chip answers with it.
    reset : bool
        Whether the chip is reset.
    payload : int
        Most bytes of a frame.

    Attributes
    ----------
    opened : bool
        The chip has answered.
    buffer_bytes : int
        Of the chip's buffer; to be set once it is known.
    received : bytearray
        What has come of its stream, to be taken away from the front.
    resent : int
        Bytes that were sent again.
    """

    def __init__(self, number: int, *, reset: bool = False, payload: int = 240) -> None:
        self.number = number
        self.opened = False
        self.received = bytearray()
        self.resent = 0
        self.buffer_bytes = LEAST_BUFFER
        self._payload = payload
        self._reset = reset
        self._frames = FrameReader()
        self._waiting = bytearray()  # from the offset that the chip has acknowledged on
        self._acknowledged = self._sent = self._limit = 0  # counted without wrapping
        self._end = 0  # of what has come
        self._told = 0
        self._asks = False
        self._asked = -1  # where a reply was found missing
        self._opens = True

    @property
    def broken(self) -> int:
        """Replies whose CRC was wrong."""
        return self._frames.broken

    @property
    def unacknowledged(self) -> int:
        """Bytes of the stream to the chip that it has not acknowledged."""
        return len(self._waiting)

    def send(self, stream: bytes) -> None:
        """Append to the stream to the chip."""
        self._waiting += stream

    def take(self, line: bytes) -> bool:
        """Take bytes of the line; return whether a reply of this connection was among them.

        SpikeletError if the chip speaks another version, was reset, or did not know an operation.
        """
        heard = False
        for content in self._frames.read(line):
            if len(content) >= len(REPLY_HEADER):
                heard |= self._reply(content)
        return heard

    def _reply(self, content: bytes) -> bool:
        control, connection, offset, ack, executed = _REPLY.unpack_from(content)
        if control & 0xF != VERSION:
            raise SpikeletError(
                f"the chip's link is of version {control & 0xF}, this driver's of {VERSION}",
                remedy="build the bitstream again with this version of Spikelet",
            )
        if connection != self.number:
            if self.opened:
                raise SpikeletError(
                    "the chip has forgotten this connection: it was reset, also by its watchdog, "
                    "or another program has opened it",
                    remedy="end the other program, or let this one speak more often; then load the "
                    "chip again",
                )
            return False
        if control & REFUSED:
            raise SpikeletError(
                "the chip does not know an operation that it was sent",
                remedy="build the bitstream again with this version of Spikelet",
            )
        self.opened = True
        behind = (ack - self._acknowledged) % _WRAP
        if behind <= len(self._waiting):
            del self._waiting[:behind]
            self._acknowledged += behind
            self._sent = max(self._sent, self._acknowledged)
            waiting = (ack - executed) % _WRAP
            self._limit = self._acknowledged - waiting + self.buffer_bytes - CRC_BYTES
        payload = content[len(REPLY_HEADER) :]
        if offset == self._end % _WRAP:
            self.received += payload
            self._end += len(payload)
        elif payload and (offset - self._end) % _WRAP < _WRAP // 2 and self._asked != self._end:
            self._asks = True  # a reply before this one is missing
            self._asked = self._end
        return True

    def timed_out(self) -> None:
        """Nothing has come, though something should: send again, and ask for replies again."""
        self.resent += self._sent - self._acknowledged
        self._sent = self._acknowledged
        self._asks = True

    def outgoing(self) -> bytes:
        """Return the frames to be sent now."""
        if not self.opened:
            control = VERSION | OPEN | (RESET if self._reset else 0)
            opens, self._opens = self._opens or self._asks, False
            self._asks = False
            return framed(_REQUEST.pack(control, self.number, 0, 0)) if opens else b""
        line = b""
        while (free := min(self._limit - self._sent, self._payload)) > 0:
            start = self._sent - self._acknowledged
            payload = bytes(self._waiting[start : start + free])
            if not payload:
                break
            line += self._request(payload)
            self._sent += len(payload)
        if self._asks or self._told != self._end:
            line += self._request(b"")
        return line

    def _request(self, payload: bytes) -> bytes:
        control = VERSION | (AGAIN if self._asks else 0)
        self._asks = False
        self._told = self._end
        header = _REQUEST.pack(control, self.number, self._sent % _WRAP, self._end % _WRAP)
        return framed(header + payload)
