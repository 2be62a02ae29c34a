"""What calibration samples show of a float network: potentials' extremes, and who spikes when."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.network.matrices import same_places, stacked, stored
from spikelet.network.network import INPUT, FloatArray, Network
from spikelet.network.reference import FloatLayer, run_layers
from spikelet.network.scale import codes

__all__ = ["Shown"]

_TICKS = 512
"""Ticks on which errors of currents are measured, spread over all in which a source spikes."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A float network's run on calibration samples.

    Parameters
    ----------
    network : Network
    inputs : array of 0 and 1, shape (samples, ticks, n_inputs)
    layers : dict of str to FloatLayer
        By population.
    """

    __repr__ = summary

    network: Network
    inputs: npt.NDArray[np.number]
    layers: dict[str, FloatLayer]

    @classmethod
    def of(cls, network: Network, calibration: npt.ArrayLike) -> "Shown":
        """Run the network; SpikeletError unless the samples fit it."""
        inputs = network.check_spikes(calibration)
        names = [population.name for population in network.populations]
        layers = run_layers(network, inputs, potentials=False)
        return cls(network, inputs, dict(zip(names, layers, strict=True)))

    def arriving(self, population: str) -> FloatArray:
        """Return what arrives at a population in some ticks: (ticks, axons), of 0 and 1."""
        parts = []
        for projection in self.network.into(population):
            source = projection.source
            spikes = self.inputs if source == INPUT else self.layers[source].spikes
            if projection.ticks:
                spikes = np.roll(spikes, projection.ticks, axis=1)
                spikes[:, : projection.ticks] = 0
            parts.append(spikes.reshape(-1, spikes.shape[2]))
        busy = np.flatnonzero(np.any([part.any(axis=1) for part in parts], axis=0))
        chosen = busy[:: max(1, -(-len(busy) // _TICKS))]
        return np.concatenate([part[chosen] for part in parts], axis=1).astype(np.float64)

    def current_error(self, population: str, bits: int) -> Callable[[float], float] | None:
        """Return a function of a scale: the squared error of the currents in those ticks.

        None if no source ever spikes.
        """
        arriving = self.arriving(population)
        if not len(arriving):
            return None
        weights = stacked([p.weights for p in self.network.into(population)])
        values = stored(weights)

        def error(scale: float) -> float:
            lost = same_places(weights, values - scale * codes(values, scale, bits))
            return float(np.sum((arriving @ lost) ** 2))

        return error
