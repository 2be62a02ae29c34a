"""How far integers drift from the float network at each weight width, layer by layer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.place import place
from spikelet.description.errors import SpikeletError
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.network.network import Network
from spikelet.network.quantise import quantise
from spikelet.network.reference import FloatLayer, run_layers
from spikelet.runs.agreement import LayerAgreement, layer_agreements
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples, Score, as_samples

__all__ = ["Drift", "drift"]

WIDTHS = range(1, 9)
"""Bits of weights."""

_MOST_SAMPLES = 200
_WHOLE = PlacementLimits(max_axons=4096, max_neurons=4096)
"""Few and large cores: what a network computes does not depend on them."""


@dataclass(frozen=True)
class Drift:
    """What a weight width does to a network.

    Parameters
    ----------
    weight_bits : int or None
        Of all layers; None: as the network is compiled.
    samples : int
        That were run.
    layers : tuple of LayerAgreement
        Empty for a width that is refused.
    score : Score or None
        How the samples were classified; None for a width that is refused.
    refused : str
        Why it is, in words.
    """

    weight_bits: int | None
    samples: int
    layers: tuple[LayerAgreement, ...]
    score: Score | None
    refused: str = ""


def drift(
    compiled: CompiledNetwork, samples: Samples | npt.ArrayLike, widths: Iterable[int] = WIDTHS
) -> tuple[Drift, ...]:
    """Run a trained network on golden with weights of each width, and as it is compiled.

    Each width is quantised with the potential bits, and the choice of scales, of the compiled
    network; if that was calibrated, by these samples. Of many samples the first 200 are run.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples, or array of 0 and 1, shape (samples, ticks, n_inputs)
        1 or more.
    widths : iterable of int
        1..8.

    Returns
    -------
    tuple of Drift
        As it is compiled first; empty for a network that was not trained, or without samples.
    """
    network = compiled.network
    part = as_samples(samples, network.check_spikes).first(_MOST_SAMPLES)
    if network.floats is None or not len(part.spikes):
        return ()
    layers = run_layers(network.floats, part.spikes, potentials=False, draw_key=network.draw_key)
    names = [population.name for population in network.floats.populations]
    floats = dict(zip(names, layers, strict=True))
    record = ("spikes", "states") if network.readouts else ("spikes",)
    found = [_drift(None, run(compiled, part, learning=False, record=record), part, floats)]
    for bits in widths:
        try:
            placed = place(_at(network, network.floats, part, bits), _WHOLE)
            ran = run(placed, part, record=record)
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
        decay_bits={q.name: q.decay_bits for q in network.quantisation if q.decay_bits},
        spike_bits=network.spike_bits,
    )
    return replace(found, draw_key=network.draw_key)


def _drift(bits: int | None, ran: Run, samples: Samples, floats: Mapping[str, FloatLayer]) -> Drift:
    score = samples.score(ran.votes())
    return Drift(bits, len(samples.spikes), layer_agreements(ran, floats), score)
