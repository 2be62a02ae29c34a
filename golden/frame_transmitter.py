"""Bytes as a frame. Twin of ``rtl_gen/frame_transmitter.py``."""

import zlib

from spikelet.description.chip.host_link import CRC_BYTES, ESCAPE, ESCAPED, FLAG

__all__ = ["frame"]


def frame(content: bytes) -> bytes:
    """Return a header and a payload between flags, with their CRC and with escapes."""
    check = zlib.crc32(content).to_bytes(CRC_BYTES, "little")
    line = bytearray([FLAG])
    for byte in content + check:
        line += bytes([ESCAPE, byte ^ ESCAPED]) if byte in (FLAG, ESCAPE) else bytes([byte])
    return bytes(line) + bytes([FLAG])
