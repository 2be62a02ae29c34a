"""The float reference: a profile's tick without rounding and clamping, in float64."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.network.network import INPUT, FloatArray, Network, Population

__all__ = ["FloatLayer", "FloatRun", "run_float", "run_layers"]

_BLOCK_VALUES = 4_000_000
"""Input values worked on at a time; bounds the memory of the currents."""


class FloatRun(NamedTuple):
    """What a population did.

    Attributes
    ----------
    spikes : array of bool, shape (samples, ticks, size)
    potentials : array of float64, shape (samples, ticks, size)
        After each tick.
    """

    spikes: npt.NDArray[np.bool_]
    potentials: FloatArray


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """What a population did, with the extremes that its potential register had to hold.

    ``lowest`` and ``highest`` include the potential before an immediate reset; ``potentials`` is
    None where it was not recorded.
    """

    __repr__ = summary

    spikes: npt.NDArray[np.bool_]
    potentials: FloatArray | None
    lowest: float
    highest: float


def run_float(network: Network, spikes: npt.ArrayLike) -> list[FloatRun]:
    """Return what each population does with input spikes, in the order of the populations.

    All populations run in the same tick, in topological order: a spike reaches the next population
    in the tick it is emitted, and its own population in the tick after. Every sample starts from
    potential 0, with no spike before it.

    Parameters
    ----------
    network : Network
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    """
    layers = run_layers(network, spikes)
    return [FloatRun(x.spikes, x.potentials) for x in layers if x.potentials is not None]


def run_layers(
    network: Network, spikes: npt.ArrayLike, *, potentials: bool = True
) -> list[FloatLayer]:
    """Return what each population does, as :func:`run_float`, and its extremes."""
    dense = network.check_spikes(spikes)
    samples, ticks, _ = dense.shape
    widest = max(network.sizes.values())
    block = max(1, _BLOCK_VALUES // max(1, ticks * widest))
    starts = range(0, max(samples, 1), block)
    blocks = [_run_block(network, dense[i : i + block], potentials) for i in starts]
    return [_joined([block[layer] for block in blocks]) for layer in range(len(blocks[0]))]


def _joined(parts: list[FloatLayer]) -> FloatLayer:
    recorded = [part.potentials for part in parts if part.potentials is not None]
    return FloatLayer(
        np.concatenate([part.spikes for part in parts]),
        np.concatenate(recorded) if recorded else None,
        min(part.lowest for part in parts),
        max(part.highest for part in parts),
    )


def _run_block(
    network: Network, dense: npt.NDArray[np.number], potentials: bool
) -> list[FloatLayer]:
    samples, ticks, n_inputs = dense.shape
    emitted = {INPUT: dense.reshape(samples * ticks, n_inputs).astype(np.float64)}
    layers = []
    for population in network.populations:
        current = population.bias + sum(
            emitted[projection.source] @ projection.weights
            for projection in network.into(population.name)
            if projection.source != population.name
        )
        layer = _run_population(
            network, population, current.reshape(samples, ticks, population.size), potentials
        )
        flat = layer.spikes.reshape(samples * ticks, population.size)
        emitted[population.name] = flat.astype(np.float64)
        layers.append(layer)
    return layers


def _run_population(
    network: Network, population: Population, current: FloatArray, record: bool
) -> FloatLayer:
    """Run one population; ``current`` is the summed input and bias (samples, ticks, size).

    What the population feeds back to itself is not in ``current``.
    """
    profile, recurrent = network.profile, network.recurrent(population.name)
    threshold, subtract = population.threshold, profile.reset == "subtract"
    decay = np.ones(1) if population.decay is None else population.decay
    reset_to = population.reset_potential if profile.reset == "value" else np.zeros(1)
    v = np.zeros((current.shape[0], current.shape[2]))
    fired = np.zeros(v.shape, np.bool_)
    spikes = np.zeros(current.shape, np.bool_)
    potentials = np.zeros(current.shape) if record else None
    lowest = highest = 0.0
    for tick in range(current.shape[1]):
        pending = fired & profile.reset_delay | (v > threshold) & profile.residual_reset
        base = v if subtract else np.where(pending, reset_to, v)
        summed = base * decay + current[:, tick]
        if recurrent is not None:
            summed = summed + fired @ recurrent.weights
        if subtract:
            summed = summed - pending * threshold
        fired = summed > threshold
        if profile.reset_delay:
            v = summed
        elif subtract:
            v = summed + pending * threshold - fired * threshold
        else:
            v = np.where(fired, reset_to, summed)
        spikes[:, tick] = fired
        if potentials is not None:
            potentials[:, tick] = v
        for values in (summed, v):
            lowest = min(lowest, values.min(initial=0.0))
            highest = max(highest, values.max(initial=0.0))
    return FloatLayer(spikes, potentials, float(lowest), float(highest))
