"""Decoders: from what outputs do to votes, of which the highest is a sample's class.

Most take spikes (samples, ticks, outputs) of 0 and more, 0 in the padding of samples, and return
votes (samples, outputs), integers from 0; those of a sample without output spikes are all 0. Some
take potentials, real numbers, NaN in the padding, and return votes that are such, too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = [
    "CLASS_IS",
    "DECODERS",
    "class_is",
    "count",
    "decoder_named",
    "first_spike",
    "last",
    "maximum",
    "population_value",
    "population_vector",
]

Votes = npt.NDArray[np.int64]


def count(spikes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return how often each output spiked, (samples, outputs); of potentials, their sum."""
    if _are_potentials(spikes):
        return np.nansum(spikes, axis=1)  # type: ignore[no-any-return]
    return spikes.sum(1, np.int64)  # type: ignore[no-any-return]


def last(potentials: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the potential of each output after the last tick, (samples, outputs)."""
    _check(potentials, "last", spikes=False)
    if not potentials.shape[1]:
        return count(potentials)
    ticks = (~np.isnan(potentials)).all(axis=2).sum(axis=1)
    found: npt.NDArray[Any] = potentials[np.arange(len(potentials)), ticks - 1]
    return found


def maximum(potentials: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the highest potential of each output, (samples, outputs)."""
    _check(potentials, "maximum", spikes=False)
    if not potentials.shape[1]:
        return count(potentials)
    return np.nanmax(potentials, axis=1)  # type: ignore[no-any-return]


def _are_potentials(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "f"


def _check(values: npt.NDArray[Any], name: str, *, spikes: bool) -> None:
    """SpikeletError unless values are what a decoder takes, spikes or potentials."""
    if spikes == _are_potentials(values):
        takes, found = ("spikes", "potentials")[:: 1 if spikes else -1]
        known = CLASS_IS if spikes is False else _OF_POTENTIALS
        raise SpikeletError(
            f"decoder {name!r} takes {takes}, and outputs of the network are {found}",
            remedy=f"choose one of {', '.join(known)}",
        )


def first_spike(spikes: npt.NDArray[Any]) -> Votes:
    """Return votes (samples, outputs) that are higher the earlier an output first spiked.

    Time to first spike, as in Thorpe, Delorme & Van Rullen 2001, "Spike-based strategies for rapid
    processing": ``ticks`` for a spike in tick 0, down to 1 for one in the last tick, 0 for none.
    No later spike changes the class, so the chip can stop at it (early stop).
    """
    _check(spikes, "first", spikes=True)
    fired = spikes != 0
    ticks = spikes.shape[1]
    return np.where(fired.any(axis=1), ticks - fired.argmax(axis=1), 0).astype(np.int64)


def population_vector(spikes: npt.NDArray[Any]) -> Votes:
    """Return votes, (samples, outputs), that are higher the nearer an output is to the value.

    The value is that of :func:`population_value`; votes are exact, so that equals are equals.
    """
    _check(spikes, "population", spikes=True)
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


DECODERS: dict[str, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    "count": count,
    "first": first_spike,
    "population": population_vector,
    "last": last,
    "maximum": maximum,
}
"""The decoders by name."""

CLASS_IS = {
    "count": "that spiked most",
    "first": "that spiked first",
    "population": "nearest to the mean of all outputs, weighted by their spikes",
}
"""Which output is a sample's class, in words, by the decoder's name."""

_OF_POTENTIALS = {
    "count": "whose potential has the largest sum over the ticks",
    "last": "with the highest potential in the last tick",
    "maximum": "with the highest potential in any tick",
}


def class_is(name: str, potentials: bool) -> str:
    """Return which output is a sample's class, in words."""
    return _OF_POTENTIALS[name] if potentials else CLASS_IS[name]


def decoder_named(name: str) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Return a decoder; SpikeletError if there is none of this name."""
    if name not in DECODERS:
        raise SpikeletError(
            f"there is no decoder {name!r}", remedy=f"there are {', '.join(DECODERS)}"
        )
    return DECODERS[name]
