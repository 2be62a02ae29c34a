"""Input spikes of a network, checked."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["checked_spikes"]


def checked_spikes(
    what: str, spikes: npt.ArrayLike, n_inputs: int, levels: int = 1
) -> npt.NDArray[Any]:
    """Return input spikes as an array (samples, ticks, n_inputs) of 0 and 1, or of counts.

    SpikeletError, opened by ``what``, unless they have that shape and every value is a whole number
    in 0..``levels``.
    """
    try:
        dense = np.asarray(spikes)
    except ValueError as error:  # lists of unequal length
        raise SpikeletError(f"{what}: input spikes must be one array: {error}") from error
    if dense.dtype.kind not in "biuf":
        raise SpikeletError(f"{what}: input spikes must be numbers 0 and 1, not {dense.dtype}")
    if dense.ndim != 3 or dense.shape[2] != n_inputs:
        raise SpikeletError(
            f"{what}: input spikes must have shape (samples, ticks, {n_inputs}), not {dense.shape}"
        )
    if dense.dtype.kind in "bu" and dense.max(initial=0) <= levels:
        return dense  # one pass over the array, where the general check takes three
    wrong = (dense != 0) & (dense != 1)
    if levels > 1:
        wrong &= ~((dense > 0) & (dense <= levels) & (dense == np.rint(dense)))
    if wrong.any():
        sample, tick, line = (int(i) for i in np.argwhere(wrong)[0])
        valid = f"counts in 0..{levels}" if levels > 1 else "0 or 1"
        raise SpikeletError(
            f"{what}: input spikes must be {valid}, found {dense[sample, tick, line]} at sample "
            f"{sample}, tick {tick}, input {line}"
        )
    return dense if levels == 1 else dense.astype(np.uint8)
