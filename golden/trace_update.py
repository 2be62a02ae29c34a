"""Golden model of how a trace rises and decays. Twin of ``rtl_gen/trace_update.py``."""

import numpy as np
import numpy.typing as npt

from spikelet.description.learning.rule import DECAY_BITS, TraceParams

__all__ = ["decayed", "raised"]


def raised(
    trace: TraceParams, values: npt.NDArray[np.int64], spiked: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return the values after the spikes of a tick.

    Parameters
    ----------
    trace : TraceParams
    values : array of int64, any shape
        0..``trace.largest``.
    spiked : array of bool, same shape
    """
    if trace.mode == "set":
        return np.where(spiked, trace.increment, values)
    return np.minimum(values + trace.increment * spiked, trace.largest)


def decayed(trace: TraceParams, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the values one tick later: rounded down, so that every trace reaches 0.

    Parameters
    ----------
    trace : TraceParams
    values : array of int64, any shape
        0..``trace.largest``.
    """
    if trace.decay_shift:
        return values - -(-values >> trace.decay_shift)
    return values * trace.decay >> DECAY_BITS
