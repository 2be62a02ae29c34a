"""The host link: what travels as bytes between a host and a chip. See ``docs/host-link.md``.

Framing is that of HDLC over asynchronous lines (IETF RFC 1662): a flag at each end of a frame, and
an escape before bytes that would be one. The check is the CRC-32 of IEEE 802.3, lowest byte first.
"""

import struct
from dataclasses import dataclass
from typing import Self

from spikelet.description.checks import check_int
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = [
    "AGAIN",
    "CRC_BYTES",
    "ESCAPE",
    "ESCAPED",
    "FLAG",
    "IDENTITY",
    "LEAST_BUFFER",
    "OFFSET_BITS",
    "OPEN",
    "OPERATIONS",
    "REFUSED",
    "REPLY_HEADER",
    "REQUEST_HEADER",
    "RESET",
    "VERSION",
    "WATCHDOG_CYCLES",
    "LinkParams",
]

VERSION = 1
"""Of all that is in this file; bits 3..0 of a frame's first byte."""

FLAG, ESCAPE, ESCAPED = 0x7E, 0x7D, 0x20
"""Between frames; before a byte that is one of both; what such a byte is combined with, by XOR."""

OPEN, RESET, AGAIN, REFUSED = 0x80, 0x40, 0x20, 0x10
"""Bits of a frame's first byte.

In requests: ``OPEN`` begins a connection, ``RESET`` resets the chip, too, ``AGAIN`` asks for all
from its ``ack`` on once more. In replies: ``REFUSED``, an operation was not known, and nothing is
executed until the next connection.
"""

REQUEST_HEADER = ("control", "connection", "offset", "offset", "ack", "ack")
"""Bytes before the payload of a frame to the chip; of two of a name, the first is the lower."""

REPLY_HEADER = (*REQUEST_HEADER, "executed", "executed")
"""Bytes before the payload of a frame from the chip."""

LEAST_BUFFER = 32
"""Bytes of a buffer that every chip has at least."""

CRC_BYTES = 4

OFFSET_BITS = 16
"""Of offsets of bytes in a stream, which wrap."""

OPERATIONS = ("write", "read", "events", "run", "clear", "identify", "watchdog")
"""What a request's stream holds, by number."""

WATCHDOG_CYCLES = 1 << 16
"""Clock cycles of the chip: the unit of the time that ``watchdog`` sets."""


IDENTITY = struct.Struct("<3sBIIBBBB")
"""What ``identify`` returns: "SPK", :data:`VERSION`, and of :class:`LinkParams` ``structure``,
``clock_hz``, the logarithm of ``buffer_bytes`` to base 2, ``flit_bytes``, ``spike_bytes`` and
``spike_bits``."""


@dataclass(frozen=True)
class LinkParams:
    """Sizes of a link.

    Parameters
    ----------
    flit_bits : int
        Of a flit, 1 to 32: what ``events`` sends.
    spike_bits : int
        Of a spike that leaves the chip: its lowest bits, which hold the output line.
    count_bits : int
        Its highest bits, which hold a count in a chip with graded spikes, else 0. Both together 1
        to 31.
    address_bits : int
        Of a word address, 1 to 32.
    structure : int
        First 32 bits of ``ChipParams.digest``.
    clock_hz : int
        Of the chip's clock, in Hz, below 2**32.
    buffer_bytes : int
        Of the buffer in each direction, a power of two in 32..16384.

    Raises
    ------
    SpikeletError
        If a size is out of its range.
    """

    flit_bits: int
    spike_bits: int
    count_bits: int
    address_bits: int
    structure: int
    clock_hz: int
    buffer_bytes: int = 512

    def __post_init__(self) -> None:
        largest = (1 << 32) - 1
        check_int("host link: flit_bits", self.flit_bits, 1, 32)
        check_int("host link: spike_bits", self.spike_bits, 1, 31)
        check_int("host link: count_bits", self.count_bits, 0, 31 - self.spike_bits)
        check_int("host link: address_bits", self.address_bits, 1, 32)
        check_int("host link: structure", self.structure, 0, largest)
        check_int("host link: clock_hz", self.clock_hz, 1, largest)
        check_int("host link: buffer_bytes", self.buffer_bytes, LEAST_BUFFER, 16384)
        if self.buffer_bytes.bit_count() != 1:
            raise SpikeletError(
                f"host link: buffer_bytes must be a power of two, not {self.buffer_bytes}"
            )

    @classmethod
    def of(cls, chip: ChipParams, clock_hz: int, *, buffer_bytes: int = 512) -> Self:
        """Return the sizes of the link of a chip with a clock of so many Hz."""
        flit = flit_packet(chip)
        return cls(
            flit.width,
            flit.fields[0].width,
            chip.count_bits if chip.count_bits > 1 else 0,
            ChipMap(chip).address_bits,
            int(chip.digest[:8], 16),
            clock_hz,
            buffer_bytes,
        )

    @property
    def flit_bytes(self) -> int:
        """Bytes of a flit in ``events``, the lowest first."""
        return (self.flit_bits + 7) // 8

    @property
    def spike_bytes(self) -> int:
        """Bytes of a spike in what ``run`` returns; the highest bit marks the end of a tick."""
        return (self.spike_bits + self.count_bits + 8) // 8

    @property
    def identity(self) -> bytes:
        """What ``identify`` returns; :data:`IDENTITY` has its layout."""
        return IDENTITY.pack(
            b"SPK",
            VERSION,
            self.structure,
            self.clock_hz,
            self.buffer_bytes.bit_length() - 1,
            self.flit_bytes,
            self.spike_bytes,
            self.spike_bits,
        )
