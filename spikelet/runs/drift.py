"""How far integers drift from the float network at each weight width, layer by layer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.place import place
from spikelet.description.errors import SpikeletError
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import Network
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_layers
from spikelet.runs.run import Run, run
from spikelet.samples.lengths import within
from spikelet.samples.samples import Samples, Score

__all__ = ["Drift", "LayerDrift", "drift"]

WIDTHS = range(1, 9)
"""Bits of weights."""

_MOST_SAMPLES = 200
_WHOLE = PlacementLimits(max_axons=4096, max_neurons=4096)
"""Few and large cores: what a network computes does not depend on them."""


@dataclass(frozen=True)
class LayerDrift:
    """A layer's integer spikes beside those of the float network.

    Parameters
    ----------
    name : str
    float_spikes, integer_spikes : int
    common : int
        Spikes of both, of the same sample, tick and neuron.
    first : (int, int, int) or None
        Sample, tick and neuron of the first difference; None where there is none.
    """

    name: str
    float_spikes: int
    integer_spikes: int
    common: int
    first: tuple[int, int, int] | None

    @property
    def verdict(self) -> str:
        """``exact`` where no spike differs, else ``approximate``."""
        return "approximate" if self.first else "exact"

    @property
    def overlap(self) -> float | None:
        """Common spikes as a share of the spikes of either; None where there are none."""
        either = self.float_spikes + self.integer_spikes - self.common
        return self.common / either if either else None


@dataclass(frozen=True)
class Drift:
    """What a weight width does to a network.

    Parameters
    ----------
    weight_bits : int or None
        Of all layers; None: as the network is compiled.
    samples : int
        That were run.
    layers : tuple of LayerDrift
        Empty for a width that is refused.
    score : Score or None
        How the samples were classified; None for a width that is refused.
    refused : str
        Why it is, in words.
    """

    weight_bits: int | None
    samples: int
    layers: tuple[LayerDrift, ...]
    score: Score | None
    refused: str = ""


def drift(
    compiled: CompiledNetwork, samples: Samples, widths: Iterable[int] = WIDTHS
) -> tuple[Drift, ...]:
    """Run a trained network on golden with weights of each width, and as it is compiled.

    Each width is quantised with the potential bits, and the choice of scales, of the compiled
    network; if that was calibrated, by these samples. Of many samples the first 200 are run.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples
        1 or more.
    widths : iterable of int
        1..8.

    Returns
    -------
    tuple of Drift
        As it is compiled first; empty for a network that was not trained, or without samples.
    """
    network, part = compiled.network, samples.first(_MOST_SAMPLES)
    if network.floats is None or not len(part.spikes):
        return ()
    layers = run_layers(network.floats, part.spikes, potentials=False, draw_key=network.draw_key)
    floats = {
        population.name: within(part.lengths, layer.spikes)
        for population, layer in zip(network.floats.populations, layers, strict=True)
    }
    found = [_drift(None, run(compiled, part, learning=False), part, floats)]
    for bits in widths:
        try:
            ran = run(place(_at(network, network.floats, part, bits), _WHOLE), part)
        except SpikeletError as error:
            found.append(Drift(bits, 0, (), None, error.args[0]))
        else:
            found.append(_drift(bits, ran, part, floats))
    return tuple(found)


def _at(network: IntegerNetwork, floats: Network, samples: Samples, bits: int) -> IntegerNetwork:
    calibrated = any(layer.range_source == "calibration" for layer in network.quantisation)
    found = quantise(
        floats,
        bits,
        {p.name: p.potential_bits for p in network.populations},
        samples.spikes if calibrated else None,
        neuron_scales=any(layer.neuron_scales for layer in network.quantisation),
    )
    return replace(found, draw_key=network.draw_key)


def _drift(
    bits: int | None, ran: Run, samples: Samples, floats: dict[str, npt.NDArray[np.bool_]]
) -> Drift:
    layers = []
    for name, theirs in floats.items():
        mine = ran.spikes(name)
        apart = mine != theirs
        first = None
        if apart.any():
            sample, tick, neuron = np.unravel_index(int(apart.argmax()), apart.shape)
            first = int(sample), int(tick), int(neuron)
        layers.append(
            LayerDrift(name, int(theirs.sum()), int(mine.sum()), int((mine & theirs).sum()), first)
        )
    return Drift(bits, len(mine), tuple(layers), samples.score(ran.output_counts()))
