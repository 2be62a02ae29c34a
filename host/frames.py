"""Frames of the host link, as a host makes and reads them. See ``docs/host-link.md``."""

import zlib
from collections.abc import Iterator

from spikelet.description.chip.host_link import CRC_BYTES, ESCAPE, ESCAPED, FLAG

__all__ = ["FrameReader", "framed"]

_FLAG, _ESCAPE = bytes([FLAG]), bytes([ESCAPE])
_ESCAPES = {byte: bytes([ESCAPE, byte ^ ESCAPED]) for byte in (ESCAPE, FLAG)}  # the escape first


def framed(content: bytes) -> bytes:
    """Return a header and a payload as a frame: flags, CRC, escapes."""
    body = content + zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    for byte, escaped in _ESCAPES.items():
        body = body.replace(bytes([byte]), escaped)
    return _FLAG + body + _FLAG


class FrameReader:
    """Finds the frames in what a line brings, in pieces of any size.

    Attributes
    ----------
    broken : int
        Frames whose CRC was wrong.
    """

    def __init__(self) -> None:
        self.broken = 0
        self._rest = b""

    def read(self, line: bytes) -> Iterator[bytes]:
        """Return the content of each whole frame that ends in these bytes, without its CRC."""
        *ended, self._rest = (self._rest + line).split(_FLAG)
        for body in ended:
            content = self._content(body)
            if content is not None:
                yield content
            elif body:
                self.broken += 1

    def _content(self, body: bytes) -> bytes | None:
        if body.endswith(_ESCAPE):
            return None
        first, *others = body.split(_ESCAPE)
        plain = first
        for part in others:
            if not part:
                return None
            plain += bytes([part[0] ^ ESCAPED]) + part[1:]
        content, check = plain[:-CRC_BYTES], plain[-CRC_BYTES:]
        right = len(check) == CRC_BYTES and zlib.crc32(content) == int.from_bytes(check, "little")
        return content if right and content else None
