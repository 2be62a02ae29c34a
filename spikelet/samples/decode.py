"""Decoders: from output spikes to votes, of which the highest is a sample's class.

All take spikes (samples, ticks, outputs) of 0 and more, 0 in the padding of samples, and return
votes (samples, outputs), integers from 0; those of a sample without output spikes are all 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = [
    "CLASS_IS",
    "DECODERS",
    "count",
    "decoder_named",
    "first_spike",
    "population_value",
    "population_vector",
]

Votes = npt.NDArray[np.int64]


def count(spikes: npt.NDArray[Any]) -> Votes:
    """Return how often each output spiked, (samples, outputs)."""
    counts: Votes = spikes.sum(1, np.int64)
    return counts


def first_spike(spikes: npt.NDArray[Any]) -> Votes:
    """Return votes (samples, outputs) that are higher the earlier an output first spiked.

    Time to first spike, as in Thorpe, Delorme & Van Rullen 2001, "Spike-based strategies for rapid
    processing": ``ticks`` for a spike in tick 0, down to 1 for one in the last tick, 0 for none.
    All ticks are run; the chip does not stop at the first spike.
    """
    fired = spikes != 0
    ticks = spikes.shape[1]
    return np.where(fired.any(axis=1), ticks - fired.argmax(axis=1), 0).astype(np.int64)


def population_vector(spikes: npt.NDArray[Any]) -> Votes:
    """Return votes, (samples, outputs), that are higher the nearer an output is to the value.

    The value is that of :func:`population_value`; votes are exact, so that equals are equals.
    """
    counts = count(spikes)
    outputs = np.arange(counts.shape[1])
    total = counts.sum(axis=1, keepdims=True)
    moment = (counts * outputs).sum(axis=1, keepdims=True)
    votes: Votes = counts.shape[1] * total - np.abs(outputs * total - moment)
    return votes


def population_value(spikes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the value that all outputs stand for together, (samples,), NaN where none spiked.

    Output ``i`` stands for the value ``i``, and each of its spikes counts once: the mean of the
    outputs, weighted by their spikes. The population vector of Georgopoulos, Schwartz & Kettner
    1986, "Neuronal population coding of movement direction", for a quantity on a line.
    """
    counts = count(spikes)
    total = counts.sum(axis=1)
    moment = counts @ np.arange(counts.shape[1])
    values: npt.NDArray[np.float64] = np.full(len(total), np.nan)
    np.divide(moment, total, out=values, where=total > 0)
    return values


DECODERS: dict[str, Callable[[npt.NDArray[Any]], Votes]] = {
    "count": count,
    "first": first_spike,
    "population": population_vector,
}
"""The decoders by name."""

CLASS_IS = {
    "count": "that spiked most",
    "first": "that spiked first",
    "population": "nearest to the mean of all outputs, weighted by their spikes",
}
"""Which output is a sample's class, in words, by the decoder's name."""


def decoder_named(name: str) -> Callable[[npt.NDArray[Any]], Votes]:
    """Return a decoder; SpikeletError if there is none of this name."""
    if name not in DECODERS:
        raise SpikeletError(
            f"there is no decoder {name!r}", remedy=f"there are {', '.join(DECODERS)}"
        )
    return DECODERS[name]
