"""The float reference: the neuron models' texts without rounding and clamping, in float64."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.neurons.draws import key_after
from spikelet.description.summary import summary
from spikelet.golden.draws import draws, next_key
from spikelet.network.float_update import FloatUpdate
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

    ``lowest`` and ``highest`` are of all membrane values that are kept or clamped, such as the
    potential before an immediate reset; ``potentials`` is None where it was not recorded.
    """

    __repr__ = summary

    spikes: npt.NDArray[np.bool_]
    potentials: FloatArray | None
    lowest: float
    highest: float


def run_float(network: Network, spikes: npt.ArrayLike, *, draw_key: int = 1) -> list[FloatRun]:
    """Return what each population does with input spikes, in the order of the populations.

    All populations run in the same tick, in topological order: a spike reaches the next population
    in the tick it is emitted, and its own population in the tick after. Every sample starts from
    potential 0, with no spike before it.

    Parameters
    ----------
    network : Network
    spikes : array of 0 and 1, shape (samples, ticks, n_inputs)
    draw_key : int
        What the draws of neurons start from in each sample, 1..2**32 - 1.
    """
    layers = run_layers(network, spikes, draw_key=draw_key)
    return [FloatRun(x.spikes, x.potentials) for x in layers if x.potentials is not None]


def run_layers(
    network: Network, spikes: npt.ArrayLike, *, potentials: bool = True, draw_key: int = 1
) -> list[FloatLayer]:
    """Return what each population does, as :func:`run_float`, and its extremes.

    Without ``potentials``, only those of populations that cannot spike are recorded.
    """
    dense = network.check_spikes(spikes)
    samples, ticks, _ = dense.shape
    widest = max(network.sizes.values())
    block = max(1, _BLOCK_VALUES // max(1, ticks * widest))
    starts = range(0, max(samples, 1), block)
    blocks = [_run_block(network, dense[i : i + block], potentials, draw_key) for i in starts]
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
    network: Network, dense: npt.NDArray[np.number], potentials: bool, draw_key: int
) -> list[FloatLayer]:
    samples, ticks, n_inputs = dense.shape
    emitted = {INPUT: dense.reshape(samples * ticks, n_inputs).astype(np.float64)}
    layers = []
    for population in network.populations:
        current = sum(
            emitted[projection.source] @ projection.weights
            for projection in network.into(population.name)
            if projection.source != population.name
        )
        layer = _run_population(
            network,
            population,
            np.reshape(current, (samples, ticks, population.size)),
            potentials or population.name in network.readouts,
            draw_key,
        )
        flat = layer.spikes.reshape(samples * ticks, population.size)
        emitted[population.name] = flat.astype(np.float64)
        layers.append(layer)
    return layers


def _run_population(
    network: Network, population: Population, current: FloatArray, record: bool, draw_key: int
) -> FloatLayer:
    """Run one population; ``current`` is the summed input (samples, ticks, size).

    What the population feeds back to itself is not in ``current``. Neurons draw what they draw on a
    chip, where a population runs a tick later for each that is before it.
    """
    recurrent = network.recurrent(population.name)
    update, unit = FloatUpdate.of(population), population.unit(population.neuron.state("v"))
    first = network.first_neuron(population.name)
    indices = np.arange(first, first + population.size)
    key = key_after(draw_key, network.depth(population.name))
    spikes = np.zeros(current.shape, np.bool_)
    potentials = np.zeros(current.shape) if record else None
    for tick in range(current.shape[1]):
        arriving = current[:, tick]
        if recurrent is not None and tick:
            arriving = arriving + spikes[:, tick - 1] @ recurrent.weights
        update.tick(arriving * unit, partial(_drawn, key, indices))
        key = next_key(key)
        spikes[:, tick] = update.states["fired"] != 0
        if potentials is not None:
            potentials[:, tick] = update.states["v"] / unit
    return FloatLayer(spikes, potentials, update.lowest / unit, update.highest / unit)


def _drawn(key: int, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return (draws(key, indices) >> np.uint32(16)).astype(np.int64)
