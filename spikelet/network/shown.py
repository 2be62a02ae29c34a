"""What calibration samples show of a float network: potentials' extremes, and who spikes when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary
from spikelet.network.network import INPUT, FloatArray, Network, Projection
from spikelet.network.reference import FloatLayer, run_layers

__all__ = ["Shown"]


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

    def arriving(self, projection: Projection, ticks: npt.NDArray[np.int64]) -> FloatArray:
        """Return what a projection carries in some ticks: (ticks, sources), of 0 and 1.

        Ticks are counted through all samples, as of :meth:`busy`.
        """
        return self._carried(projection)[ticks].astype(np.float64)

    def busy(self, projections: Sequence[Projection], most: int) -> npt.NDArray[np.int64]:
        """Return ticks in which any of some projections carries a spike, at most ``most``.

        Spread evenly over all of them.
        """
        any_of = [self._carried(projection).any(axis=1) for projection in projections]
        found = np.flatnonzero(np.any(any_of, axis=0))
        return found[:: max(1, -(-len(found) // most))]

    def _carried(self, projection: Projection) -> npt.NDArray[np.generic]:
        """Return what a projection carries: (samples x ticks, sources)."""
        source = projection.source
        spikes = self.inputs if source == INPUT else self.layers[source].spikes
        if projection.ticks:
            spikes = np.roll(spikes, projection.ticks, axis=1)
            spikes[:, : projection.ticks] = 0
        return spikes.reshape(-1, spikes.shape[2])
