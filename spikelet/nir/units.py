"""Units that were mixed up in a NIR file: asked about, with the numbers that make them suspicious.

NIR says nothing of units; simulators write seconds and potentials from 0. A time constant in
milliseconds, or a rest of -65, gives neurons that can hardly fire. Handlers say which of their
fields are in doubt; here it is seen whether the neurons are mute.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spikelet.description.summary import summary
from spikelet.network.network import FloatArray, Population

__all__ = ["Doubt", "far_from_threshold", "many_ticks", "question"]

_MANY_TICKS = 1000
"""A time constant of so many ticks is suspicious (beta = 0.999)."""

_FAR = 10
"""A rest or reset potential so many thresholds away from 0 is suspicious."""

_SLOW = 50
"""Ticks with every excitatory input spiking, after which an ordinary neuron has fired."""


@dataclass(frozen=True, eq=False)
class Doubt:
    """A field that may be in another unit than it should.

    Parameters
    ----------
    reason : str
        Its value, and what makes it suspicious.
    start : array of float64, shape (1,) or (size,)
        Potential from which the neurons would have to rise.
    remedy : str
    """

    __repr__ = summary

    reason: str
    start: FloatArray
    remedy: str


def many_ticks(field: str, tau: FloatArray, dt: float | None) -> list[Doubt]:
    """Return the doubt about a time constant that is a great many ticks, if it is."""
    tau = tau[np.isfinite(tau)]  # one without end says that there is no leak
    if dt is None or not tau.size or np.median(tau) < _MANY_TICKS * dt:
        return []
    reason = f"{field} is {np.median(tau):g} s, {np.median(tau) / dt:,.0f} ticks of {dt:g} s"
    remedy = f"if {field} is in milliseconds, give dt in milliseconds too (--dt {dt * 1000:g})"
    return [Doubt(reason, np.zeros(1), remedy)]


def far_from_threshold(
    field: str, values: FloatArray, threshold: FloatArray, *, start: FloatArray
) -> list[Doubt]:
    """Return the doubt about potentials that are many thresholds away from 0, if they are."""
    if np.median(np.abs(values)) < _FAR * np.median(threshold):
        return []
    return [
        Doubt(
            f"{field} is {np.median(values):g} where v_threshold is {np.median(threshold):g}",
            start,
            "if potentials are in millivolts, with a rest that is not 0, subtract the rest "
            "from v_leak, v_reset and v_threshold, and scale r and the weights alike",
        )
    ]


def question(doubts: Iterable[Doubt], neurons: Population, drive: FloatArray) -> str | None:
    """Return what to ask if all neurons are mute or slow for a reason that is in doubt, else None.

    Parameters
    ----------
    doubts : iterable of Doubt
    neurons : Population
    drive : array, shape (size,)
        What all excitatory inputs together add in a tick.
    """
    for doubt in doubts:
        ticks = _ticks_to_threshold(neurons, drive, doubt.start)
        if ticks < _SLOW:
            continue
        within = "at all" if np.isinf(ticks) else f"within {ticks:,.0f} ticks"
        return (
            f"{doubt.reason}: no neuron fires {within}, "
            f"even if all excitatory inputs spike in every tick\n  remedy: {doubt.remedy}"
        )
    return None


def _ticks_to_threshold(neurons: Population, drive: FloatArray, start: FloatArray) -> float:
    """Return the ticks to the first spike of the fastest neuron from ``start``, inf if none."""
    threshold, added = neurons.values("threshold"), neurons.values("bias") + drive
    decay = neurons.parameters.get("decay")
    with np.errstate(divide="ignore", invalid="ignore"):
        if decay is None:
            ticks = np.where(added > 0, (threshold - start) / added, np.inf)
        else:
            end = added / (1 - decay)
            ticks = np.log((end - threshold) / (end - start)) / np.log(decay)
            ticks = np.where(end > threshold, ticks, np.inf)
    return float(np.nanmin(np.where(np.isnan(ticks), 0, ticks)))
