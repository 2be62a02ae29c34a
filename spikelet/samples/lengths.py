"""How many ticks each sample has; what follows in its array is padding: no input, and no time.

A chip runs all samples of a batch for as many ticks. What it does in the padding is left out
wherever a run is read (``Run``, and :func:`within` for float networks), so that a sample gives what
it would give alone, in an array of its own length.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = [
    "TIME_FIRST",
    "Lengths",
    "check_lengths",
    "check_padding",
    "counted",
    "ended",
    "within",
]

Lengths = npt.NDArray[np.int64] | None
"""Ticks of each sample, shape (samples,); None where all have all."""

TIME_FIRST = (
    "is the first axis of spikes the ticks? store spikes.swapaxes(0, 1); or load_samples(path, "
    "time_first=True); or spikelet data FILE --time-first -o NEW.npz"
)
"""What to do about arrays (ticks, samples, inputs)."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


def counted(lengths: Lengths, samples: int, ticks: int) -> npt.NDArray[np.bool_]:
    """Return which ticks are of a sample, and not padding: (samples, ticks)."""
    if lengths is None:
        return np.ones((samples, ticks), np.bool_)
    counts: npt.NDArray[np.bool_] = np.arange(ticks) < lengths[:samples, None]
    return counts


def within(lengths: Lengths, values: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Return values (samples, ticks, ...) with 0 in the padding; as they are without lengths."""
    if lengths is None:
        return values
    counts = counted(lengths, *values.shape[:2])
    kept: npt.NDArray[_Scalar] = values.copy()
    kept[~counts] = 0
    return kept


def ended(lengths: Lengths, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values (samples, ticks, ...) with NaN in the padding, where 0 would be a value."""
    if lengths is None:
        return values
    return np.where(counted(lengths, *values.shape[:2])[..., None], values, np.nan)


def check_lengths(lengths: npt.NDArray[Any], samples: int, ticks: int) -> None:
    """Check lengths; SpikeletError unless they are whole numbers (samples,) in 1..ticks."""
    if lengths.shape != (samples,) or lengths.dtype.kind not in "iu":
        raise SpikeletError(
            f"lengths must be whole numbers of shape ({samples},), not {lengths.dtype} of shape "
            f"{lengths.shape}",
            remedy=TIME_FIRST if lengths.shape == (ticks,) else "give the ticks of each sample",
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > ticks))
    if wrong.size:
        raise SpikeletError(
            f"lengths must be in 1..{ticks}, the ticks of the array; that of sample {wrong[0]} is "
            f"{lengths[wrong[0]]} ({wrong.size} of {samples} are not valid)",
            remedy="pad spikes with ticks of 0, up to the longest sample"
            if lengths.max() > ticks
            else "leave samples without ticks out",
        )


def check_padding(lengths: Lengths, spikes: npt.NDArray[Any]) -> None:
    """Check spikes (samples, ticks, inputs); SpikeletError if one is in the padding."""
    if lengths is None:
        return
    beyond = np.argwhere(spikes.any(axis=2) & ~counted(lengths, *spikes.shape[:2]))
    if len(beyond):
        sample, tick = beyond[0].tolist()
        raise SpikeletError(
            f"spikes has a spike at sample {sample}, tick {tick}, behind its length of "
            f"{lengths[sample]} ticks ({len(np.unique(beyond[:, 0]))} of {len(spikes)} samples "
            "have spikes in their padding)",
            remedy="set them to 0, or correct lengths",
        )
