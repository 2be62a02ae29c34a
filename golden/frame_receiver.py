"""Frames out of a stream of bytes. Twin of ``rtl_gen/frame_receiver.py``."""

import zlib

from spikelet.description.chip.host_link import CRC_BYTES, ESCAPE, ESCAPED, FLAG, REQUEST_HEADER

__all__ = ["FrameReceiver"]


class FrameReceiver:
    """Takes bytes; returns each frame that came whole, without its CRC.

    Parameters
    ----------
    header : int
        Bytes of a header; shorter frames are dropped.

    Attributes
    ----------
    broken : int
        Frames that were dropped.
    """

    def __init__(self, header: int = len(REQUEST_HEADER)) -> None:
        self.header = header
        self.broken = 0
        self._frame = bytearray()
        self._escaped = False

    def take(self, byte: int) -> bytes | None:
        """Take a byte, 0..255; return the frame that it ends, or None."""
        if byte == FLAG:
            frame, escaped = bytes(self._frame), self._escaped
            self._frame.clear()
            self._escaped = False
            content, check = frame[:-CRC_BYTES], frame[-CRC_BYTES:]
            right = zlib.crc32(content) == int.from_bytes(check, "little")
            if len(content) >= self.header and right and not escaped:
                return content
            self.broken += len(frame) > 0
        elif byte == ESCAPE:
            self._escaped = True
        else:
            self._frame.append(byte ^ ESCAPED if self._escaped else byte)
            self._escaped = False
        return None
