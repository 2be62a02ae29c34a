"""The float reference: the neuron models' texts without rounding and clamping, in float64."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.neurons.update import sends_counts
from spikelet.description.summary import summary
from spikelet.golden.draws import Draws
from spikelet.network.float_update import FloatUpdate
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection

__all__ = ["FloatLayer", "FloatRun", "run_float", "run_layers"]

_BLOCK_VALUES = 4_000_000
"""Input values worked on at a time; bounds the memory of the currents."""


class FloatRun(NamedTuple):
    """What a population did.

    Attributes
    ----------
    spikes : array of bool, or uint8 of counts, shape (samples, ticks, size)
    potentials : array of float64, shape (samples, ticks, size)
        After each tick.
    """

    spikes: npt.NDArray[Any]
    potentials: FloatArray


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """What a population did, with the extremes that its potential register had to hold.

    ``lowest`` and ``highest`` are of all membrane values that are kept or clamped, such as the
    potential before an immediate reset; ``potentials`` is None where it was not recorded.
    """

    __repr__ = summary

    spikes: npt.NDArray[Any]
    potentials: FloatArray | None
    lowest: float
    highest: float


def run_float(network: Network, spikes: npt.ArrayLike, *, draw_key: int = 1) -> list[FloatRun]:
    """Return what each population does with input spikes, in the order of the populations.

    All populations run in the same tick, in order: a spike reaches the next population in the tick
    it is emitted, its own in the tick after, or as much later as a projection says. Every sample
    starts from potential 0, with no spike before it.

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
    layers: list[FloatLayer] = []
    for group in _groups(network):
        inside = {population.name for population in group}
        currents = {
            population.name: _current(
                [p for p in network.into(population.name) if p.source not in inside],
                emitted,
                (samples, ticks, population.size),
            )
            for population in group
        }
        found = _run_group(network, group, currents, potentials, draw_key)
        for population, layer in zip(group, found, strict=True):
            flat = layer.spikes.reshape(samples * ticks, population.size)
            emitted[population.name] = flat.astype(np.float64)
        layers += found
    return layers


def _groups(network: Network) -> list[list[Population]]:
    """Return the populations in order, those together that loops join, which run tick by tick."""
    number = {population.name: i for i, population in enumerate(network.populations)}
    last = list(range(len(number)))  # of the populations that must run with each
    for p in network.projections:
        if p.source != INPUT and number[p.source] >= number[p.target]:
            first = number[p.target]
            last[first] = max(last[first], number[p.source])
    groups: list[list[Population]] = []
    end = -1
    for i, population in enumerate(network.populations):
        if i > end:
            groups.append([])
        end = max(end, last[i])
        groups[-1].append(population)
    return groups


def _current(
    projections: list[Projection], emitted: dict[str, FloatArray], shape: tuple[int, int, int]
) -> FloatArray:
    """Return what arrives over projections from populations that have run, shape ``shape``."""
    current = np.zeros(shape)
    for projection in projections:
        sent = (emitted[projection.source] @ projection.weights).reshape(shape)
        late = min(projection.ticks, shape[1])
        current[:, late:] += sent[:, : shape[1] - late]
    return current


def _run_group(
    network: Network,
    group: list[Population],
    currents: dict[str, FloatArray],
    record: bool,
    draw_key: int,
) -> list[FloatLayer]:
    """Run populations together; ``currents`` are their inputs from others (samples, ticks, size).

    Neurons draw what they draw on a chip, where a population runs some ticks later.
    """
    runs = {p.name: _PopulationRun(network, p, currents[p.name], record, draw_key) for p in group}
    inner = {name: [p for p in network.into(name) if p.source in runs] for name in runs}
    for tick in range(next(iter(currents.values())).shape[1]):
        for name, run in runs.items():
            arriving = currents[name][:, tick]
            for p in inner[name]:
                if p.ticks <= tick:
                    arriving = arriving + runs[p.source].spikes[:, tick - p.ticks] @ p.weights
            run.tick(tick, arriving)
    return [run.layer() for run in runs.values()]


class _PopulationRun:
    """One population, tick by tick."""

    def __init__(
        self,
        network: Network,
        population: Population,
        current: FloatArray,
        record: bool,
        draw_key: int,
    ) -> None:
        self.update = FloatUpdate.of(population)
        self.unit = population.unit(population.neuron.state("v"))
        first = network.first_neuron(population.name)
        self.draws = Draws(draw_key, np.arange(first, first + population.size))
        self.late = network.depth(population.name)
        counts = sends_counts(population.neuron)
        self.spikes: npt.NDArray[Any] = np.zeros(current.shape, np.uint8 if counts else np.bool_)
        record = record or population.name in network.readouts
        self.potentials = np.zeros(current.shape) if record else None

    def tick(self, tick: int, arriving: FloatArray) -> None:
        """Go on by a tick."""
        self.update.tick(arriving * self.unit, partial(self._drawn, tick + self.late))
        self.spikes[:, tick] = self.update.states["fired"]
        if self.potentials is not None:
            self.potentials[:, tick] = self.update.states["v"] / self.unit

    def _drawn(self, tick: int) -> npt.NDArray[np.int64]:
        return self.draws.of(tick) >> 16

    def layer(self) -> FloatLayer:
        """Return what it did."""
        lowest, highest = self.update.lowest / self.unit, self.update.highest / self.unit
        return FloatLayer(self.spikes, self.potentials, lowest, highest)
