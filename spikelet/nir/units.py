"""Units that were mixed up in a NIR file: asked about, with the numbers that make them suspicious.

NIR says nothing of units; simulators write seconds and potentials from 0. A time constant in
milliseconds, or a rest of -65, gives neurons that can hardly fire.
"""

import warnings

import numpy as np

from spikelet.description.errors import SpikeletWarning
from spikelet.network.network import FloatArray, Population
from spikelet.nir.graph import NirGraph, NirNode

__all__ = ["question_units"]

_MANY_TICKS = 1000
"""A time constant of so many ticks is suspicious (beta = 0.999)."""

_FAR = 10
"""A rest or reset potential so many thresholds away from 0 is suspicious."""

_SLOW = 50
"""Ticks with every excitatory input spiking, after which an ordinary neuron has fired."""


def question_units(
    graph: NirGraph, node: NirNode, neurons: Population, drive: FloatArray, dt: float | None
) -> None:
    """Give a SpikeletWarning if all neurons of a node are mute or slow for a suspicious reason.

    Parameters
    ----------
    graph : NirGraph
    node : NirNode
    neurons : Population
        What became of the node.
    drive : array, shape (size,)
        What all excitatory inputs together add in a tick.
    dt : float or None
        Seconds per tick.
    """
    reasons = []
    tau, v_leak = (node.fields.get(name, np.zeros(1)).astype(float) for name in ("tau", "v_leak"))
    threshold = neurons.threshold
    if dt is not None and np.median(tau) >= _MANY_TICKS * dt:
        reasons.append(
            (
                f"tau is {np.median(tau):g} s, {np.median(tau) / dt:,.0f} ticks of {dt:g} s",
                np.zeros(1),
                f"if tau is in milliseconds, give dt in milliseconds too (--dt {dt * 1000:g})",
            )
        )
    for field, values in (("v_leak", v_leak), ("v_reset", neurons.reset_potential)):
        if np.median(np.abs(values)) >= _FAR * np.median(threshold):
            start = values if field == "v_reset" else np.zeros(1)
            reasons.append(
                (
                    f"{field} is {np.median(values):g} where v_threshold is "
                    f"{np.median(threshold):g}",
                    start,
                    "if potentials are in millivolts, with a rest that is not 0, subtract the rest "
                    "from v_leak, v_reset and v_threshold, and scale r and the weights alike",
                )
            )
    for reason, start, remedy in reasons:
        ticks = _ticks_to_threshold(neurons, drive, start)
        if ticks < _SLOW:
            continue
        within = "at all" if np.isinf(ticks) else f"within {ticks:,.0f} ticks"
        warnings.warn(
            f"{graph.path}: {graph.place(node.name)}: {reason}: no neuron fires {within}, "
            f"even if all excitatory inputs spike in every tick\n  remedy: {remedy}",
            SpikeletWarning,
            stacklevel=2,
        )
        return


def _ticks_to_threshold(neurons: Population, drive: FloatArray, start: FloatArray) -> float:
    """Return the ticks to the first spike of the fastest neuron from ``start``, inf if none."""
    added = neurons.bias + drive
    with np.errstate(divide="ignore", invalid="ignore"):
        if neurons.decay is None:
            ticks = np.where(added > 0, (neurons.threshold - start) / added, np.inf)
        else:
            end = added / (1 - neurons.decay)
            ticks = np.log((end - neurons.threshold) / (end - start)) / np.log(neurons.decay)
            ticks = np.where(end > neurons.threshold, ticks, np.inf)
    return float(np.nanmin(np.where(np.isnan(ticks), 0, ticks)))
