"""Encoders: from intensities to input spikes."""

import numpy as np
import numpy.typing as npt

from spikelet.errors import SpikeletError

__all__ = ["rate"]


def rate(levels: npt.ArrayLike, full_scale: int, ticks: int) -> npt.NDArray[np.uint8]:
    """Encode integer intensities as evenly spaced spikes, without randomness.

    An input at level ``l`` has fired ``floor(l * t / full_scale + 1/2)`` times after ``t`` ticks
    (error diffusion in time); at full scale it fires in every tick.

    Parameters
    ----------
    levels : array of int, shape (samples, inputs)
        Intensities in 0..``full_scale``.
    full_scale : int
    ticks : int

    Returns
    -------
    array of uint8, shape (samples, ticks, inputs)
        1 where an input spikes.

    Raises
    ------
    SpikeletError
        If a level is outside 0..``full_scale``.
    """
    levels = np.asarray(levels, np.int64)
    if levels.size and not (levels.min() >= 0 and levels.max() <= full_scale):
        raise SpikeletError(
            f"input levels must be in 0..{full_scale}, found {levels.min()}..{levels.max()}"
        )
    elapsed = np.arange(ticks + 1).reshape(1, -1, 1)
    fired = (2 * levels[:, None, :] * elapsed + full_scale) // (2 * full_scale)
    return np.diff(fired, axis=1).astype(np.uint8)
