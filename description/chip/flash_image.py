"""A chip's program in a board's serial flash: what a chip loads by itself after power-on.

Words of 32 bits, the lowest byte first: :data:`MAGIC`, the first 32 bits of ``ChipParams.digest``,
the number of words that follow without the last, the program as :func:`program_words` makes it, and
the CRC-32 of IEEE 802.3 (zlib's ``crc32``) of all bytes before.
"""

import struct
import zlib
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = ["HEADER_WORDS", "LENGTH_BITS", "MAGIC", "flash_image", "program_words", "word_runs"]

MAGIC = int.from_bytes(b"SPF\x01", "little")
"""The first word: "SPF", and the version."""

HEADER_WORDS = 3

LENGTH_BITS = 22
"""Of a number of words: addresses of a flash's bytes have 24."""


def flash_image(chip: ChipParams, program: npt.NDArray[np.uint32]) -> bytes:
    """Return what stands in the flash.

    Parameters
    ----------
    chip : ChipParams
    program : array of uint32, shape (writes, 2)
        Configuration writes (address, data), as ``ChipImage.program`` returns them.
    """
    words = program_words(program)
    if len(words) >= 1 << LENGTH_BITS:
        raise SpikeletError(
            f"flash image: a program of {len(words):,} words has more than {LENGTH_BITS} bits",
            remedy="a flash holds 16 MiB: compile fewer weights, or narrower ones",
        )
    header = (MAGIC, int(chip.digest[:8], 16), len(words))
    content = struct.pack(f"<{HEADER_WORDS + len(words)}I", *header, *words)
    return content + struct.pack("<I", zlib.crc32(content))


def word_runs(addresses: npt.NDArray[np.uint32]) -> list[tuple[int, int, int]]:
    """Return (first place, end, address) of each run of consecutive addresses."""
    wide = addresses.astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(wide) != 1) + 1).tolist(), len(wide)]
    return [(first, end, int(wide[first])) for first, end in pairwise(starts) if end > first]


def program_words(program: npt.NDArray[np.uint32]) -> list[int]:
    """Return configuration writes as they are stored: runs of (address, count, data...)."""
    words: list[int] = []
    for first, end, address in word_runs(program[:, 0]):
        words += [address, end - first, *program[first:end, 1].tolist()]
    return words
