"""Rows of lanes: as words of 32 bits, as the configuration port has them, and in a memory."""

import numpy as np
import numpy.typing as npt

__all__ = ["DEEPEST_BLOCK_RAM", "lane_banks", "pack_lanes", "rows_in_word", "unpack_lanes"]

DEEPEST_BLOCK_RAM = 1 << 14
"""Words of the deepest block RAM that most families have, each of one bit."""


def _ceil_power_of_two(value: int) -> int:
    return 1 << (value - 1).bit_length()


def lane_banks(lanes: int, bits: int) -> int:
    """Return the words, a power of two, of a row of so many lanes in banks of 32 bits."""
    return _ceil_power_of_two(-(-lanes * bits // 32))


def rows_in_word(rows: int) -> int:
    """Return how many rows, a power of two, share a word of the memory that holds so many.

    No word has to be chosen from among several block RAMs then, whose data come late in the cycle:
    a row is chosen from its word, once that is in registers.
    """
    return _ceil_power_of_two(-(-rows // DEEPEST_BLOCK_RAM))


def pack_lanes(
    codes: npt.NDArray[np.integer], bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Return (offsets, words) of rows of lanes, 32 bits a bank, as the regions hold them.

    Parameters
    ----------
    codes : array of int, shape (rows, lanes)
        The lowest ``bits`` of each are taken.
    bits : int
        1..63.
    """
    rows, lanes = codes.shape
    banks = -(-lanes * bits // 32)
    flat = ((codes.astype(np.int64)[..., None] >> np.arange(bits)) & 1).reshape(rows, -1)
    padded = np.zeros((rows, banks * 32), np.uint64)
    padded[:, : flat.shape[1]] = flat
    words = (padded.reshape(rows, banks, 32) << np.arange(32, dtype=np.uint64)).sum(axis=2)
    offsets = np.arange(rows)[:, None] * lane_banks(lanes, bits) + np.arange(banks)
    return offsets.ravel(), words.astype(np.uint32).ravel()


def unpack_lanes(
    words: npt.NDArray[np.uint32], lanes: int, bits: int, *, signed: bool = False
) -> npt.NDArray[np.int64]:
    """Inverse of :func:`pack_lanes` for words in the order of its offsets: (rows, lanes)."""
    banks = -(-lanes * bits // 32)
    flat = (words.reshape(-1, banks, 1).astype(np.int64) >> np.arange(32)) & 1
    fields = flat.reshape(len(flat), banks * 32)[:, : lanes * bits].reshape(-1, lanes, bits)
    codes: npt.NDArray[np.int64] = (fields << np.arange(bits)).sum(axis=2)
    return codes - (fields[..., -1] << bits) if signed else codes
