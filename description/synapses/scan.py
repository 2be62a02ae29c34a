"""Clock cycles of the scan that lists a core's active axons, word by word."""

import numpy as np
import numpy.typing as npt

__all__ = ["scan_cycles", "word_counts"]


def word_counts(active: npt.NDArray[np.bool_], scan_bits: int) -> npt.NDArray[np.int64]:
    """Return how many axons of each word of the axon bitmap are active.

    Parameters
    ----------
    active : array of bool, shape (ticks, n_axons)
    scan_bits : int
        Axons in a word.

    Returns
    -------
    array of int64, shape (ticks, scan_words)
    """
    ticks, n_axons = active.shape
    words = np.pad(active, ((0, 0), (0, -n_axons % scan_bits)))
    counts: npt.NDArray[np.int64] = words.reshape(ticks, -1, scan_bits).sum(axis=2, dtype=np.int64)
    return counts


def scan_cycles(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the cycles that words of so many active axons take, and those in which it drains.

    A cycle for each active axon and each empty word; two more if the last word has one, one more
    if only the last but one has: then axons are under way when the last word has been taken.
    """
    taken: npt.NDArray[np.int64] = np.maximum(counts, 1).sum(axis=1)
    before = counts[:, -2] > 0 if counts.shape[1] > 1 else np.zeros(len(counts), np.bool_)
    return taken + np.where(counts[:, -1] > 0, 2, before)
