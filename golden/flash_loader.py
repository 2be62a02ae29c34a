"""A chip's program out of the bytes of a flash. Twin of ``rtl_gen/flash_loader.py``."""

import zlib

from spikelet.description.chip.flash_image import HEADER_WORDS, LENGTH_BITS, MAGIC

__all__ = ["load"]


def load(contents: bytes, structure: int) -> list[tuple[int, int]] | None:
    """Return the writes (address, data) of an image; None if it is of no use.

    Parameters
    ----------
    contents : bytes
        The flash, from the image's first byte on.
    structure : int
        First 32 bits of the digest of the chip that is loaded.
    """

    def word(number: int) -> int:
        return int.from_bytes(contents[4 * number : 4 * number + 4], "little")

    length = word(2)
    end = HEADER_WORDS + length
    if word(0) != MAGIC or word(1) != structure or length >> LENGTH_BITS:
        return None
    if len(contents) < 4 * (end + 1) or zlib.crc32(contents[: 4 * end]) != word(end):
        return None
    writes, place = [], HEADER_WORDS
    while place < end:
        address, count = word(place), word(place + 1)
        data = [word(at) for at in range(place + 2, min(place + 2 + count, end))]
        writes += [(address + number, value) for number, value in enumerate(data)]
        place += 2 + count
    return writes
