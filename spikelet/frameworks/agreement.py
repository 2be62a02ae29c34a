"""How far a float network's spikes equal those that a module gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import sends_counts
from spikelet.description.summary import summary
from spikelet.network.float_update import FloatUpdate
from spikelet.network.network import INPUT, FloatArray, Network, Population

__all__ = ["LayerAgreement", "agreement_of"]

_ROUNDING = 2e-5
"""What a tick's input may be off by in float32, as a part of the largest potential of its layer: of
some hundred sums with an error of 6e-8 each, in a row."""


@dataclass(frozen=True)
class LayerAgreement:
    """How far one layer agrees, given the spikes that the module's own layers before it gave.

    Parameters
    ----------
    layer : str
    spikes : int
        Of the module.
    neurons : int
        Of all samples.
    different : int
        Neurons, of all samples, that in some tick spiked otherwise than in the module, and first so
        within :attr:`rounding` of their threshold.
    rounding : float
        In the unit of the weights.
    """

    __repr__ = summary

    layer: str
    spikes: int
    neurons: int
    different: int
    rounding: float

    @property
    def differs(self) -> str:
        """What differs, in words; empty if nothing does."""
        if not self.different:
            return ""
        return (
            f"module {self.layer!r}: {self.different:,} of {self.neurons:,} neurons of all samples "
            f"spike otherwise in float64 than in the module; the first time their potentials were "
            f"within {self.rounding:.2g} of the threshold, which is rounding"
        )


def agreement_of(
    network: Network,
    spikes: npt.NDArray[Any],
    fired: Mapping[str, npt.NDArray[Any]],
    values: Mapping[str, FloatArray],
) -> tuple[LayerAgreement, ...]:
    """Return how far each population agrees, each driven by the module's own spikes before it.

    Parameters
    ----------
    network : Network
    spikes : array, shape (samples, ticks, n_inputs)
    fired : mapping of str to array, shape (samples, ticks, size)
        The module's spikes, by population.
    values : mapping of str to array, shape (samples, ticks, size)
        What it returned, by population that never spikes.

    Raises
    ------
    SpikeletError
        If a neuron that is not within rounding of its threshold spikes otherwise, or a value is
        another by more than rounding: then the module is not what its class and parameters say.
    """
    emitted = {INPUT: spikes, **fired}
    return tuple(
        _values(network, p, emitted, values[p.name])
        if p.name in values
        else _layer(network, p, emitted)
        for p in network.populations
    )


def _values(
    network: Network,
    population: Population,
    emitted: Mapping[str, npt.NDArray[Any]],
    theirs: FloatArray,
) -> LayerAgreement:
    """Compare what is read of a population; SpikeletError if it is not equal, but for rounding."""
    update, name = FloatUpdate.of(population), population.name
    rounding = _ROUNDING * max(1.0, float(np.abs(theirs).max(initial=0.0)))
    for tick in range(theirs.shape[1]):
        update.tick(_current(network, population, emitted, tick), _no_draw)
        apart = np.abs(update.states["v"] - theirs[:, tick]) > rounding
        if apart.any():
            sample, number = (int(i) for i in np.argwhere(apart)[0])
            ours = np.broadcast_to(update.states["v"], apart.shape)
            raise SpikeletError(
                f"{name}: value {number} of tick {tick} of sample {sample} is "
                f"{theirs[sample, tick, number]:g} in what the module returned, and "
                f"{ours[sample, number]:g} by the operations that were seen",
                remedy="report this with the module",
            )
    return LayerAgreement(name, 0, theirs[:, 0].size, 0, rounding)


def _layer(
    network: Network, population: Population, emitted: Mapping[str, npt.NDArray[Any]]
) -> LayerAgreement:
    theirs = emitted[population.name]
    update = FloatUpdate.of(population)
    differs = np.zeros((len(theirs), population.size), np.bool_)
    rounding = 0.0
    for tick in range(theirs.shape[1]):
        current, before = _current(network, population, emitted, tick), update.states
        update.tick(current, _no_draw)
        after = update.states
        new = after["fired"] != _fired(population, theirs[:, tick])
        new &= ~differs
        if new.any():
            scale = max(update.highest, -update.lowest, *np.abs(population.values("threshold")))
            rounding = max(rounding, _ROUNDING * float(scale))
            fired = _fired(population, theirs[:, tick])
            _check(population.name, update, before, current, fired, new, tick, rounding)
        differs |= new
        update.states = after
    name, count = population.name, int(np.count_nonzero(theirs))
    return LayerAgreement(name, count, differs.size, int(differs.sum()), rounding)


def _fired(population: Population, theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what a population should have fired: counts, where its model has them."""
    return theirs if sends_counts(population.neuron) else (theirs != 0).astype(np.float64)


def _current(
    network: Network,
    population: Population,
    emitted: Mapping[str, npt.NDArray[Any]],
    tick: int,
) -> FloatArray:
    """Return what arrives in a tick, shape (samples, size)."""
    found = np.zeros((len(emitted[INPUT]), population.size))
    for projection in network.into(population.name):
        late = projection.ticks
        if tick >= late:
            given = emitted[projection.source][:, tick - late].astype(np.float64)
            found = found + given @ projection.weights
    return found


def _check(
    name: str,
    update: FloatUpdate,
    before: dict[str, npt.NDArray[Any]],
    current: FloatArray,
    theirs: npt.NDArray[Any],
    new: npt.NDArray[np.bool_],
    tick: int,
    rounding: float,
) -> None:
    """SpikeletError for a neuron that spikes otherwise, also if its input were off by rounding."""
    equal = np.zeros_like(new)
    for shift in (rounding, -rounding):
        update.states = before
        update.tick(current + shift, _no_draw)
        equal |= update.states["fired"] == theirs
    wrong = new & ~equal
    if wrong.any():
        sample, neuron = (int(i) for i in np.argwhere(wrong)[0])
        count = int(theirs[sample, neuron])
        spiked = ("does not spike", "spikes")[count] if count < 2 else f"spikes {count} times"
        raise SpikeletError(
            f"module {name!r}: neuron {neuron} {spiked} in tick {tick} of sample {sample}, where "
            f"its class and parameters say otherwise ({int(wrong.sum()):,} such neurons in this "
            "tick)",
            remedy="do not change states or parameters while the module runs; if you did not, "
            "report this with the module",
        )


def _no_draw() -> npt.NDArray[Any]:
    return np.zeros(1)
