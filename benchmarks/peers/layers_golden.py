"""Golden on :mod:`benchmarks.peers.layers`: a core for each layer, in a row."""

import time
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.peers.layers import DECAY, Layers
from benchmarks.peers.tasks import Built, Run
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

__all__ = ["ENGINES", "chip_of", "input_of"]


def chip_of(layers: Layers, backend: str) -> GoldenChip:
    """Return the network as a chip: one core for each layer, in a row."""
    n_layers = len(layers.weights)
    cores = tuple(
        CoreParams(
            n_axons=weights.shape[0],
            n_neurons=weights.shape[1],
            neuron=neuron_model("snntorch-subtract"),
            parameters={"decay": "shared"},
            lanes=2,
        )
        for weights in layers.weights
    )
    images = [
        CoreImage(
            weights,
            _destinations(layers, layer),
            {
                "threshold": np.array([threshold], np.int32),
                "decay": np.array([DECAY], np.int32),
            },
        )
        for layer, (weights, threshold) in enumerate(
            zip(layers.weights, layers.thresholds, strict=True)
        )
    ]
    chip = ChipParams(cores, n_layers, 1, 1 if n_layers == 1 else layers.sizes[-1])
    return GoldenChip(chip, ChipImage(tuple(images)), backend=backend)


def input_of(layers: Layers) -> DenseSpikes:
    """Return the input, each line to the axon of its number, and ticks for the last spikes."""
    routes = np.zeros((layers.sizes[0], 4), np.int64)
    routes[:, 0] = routes[:, 2] = np.arange(layers.sizes[0])
    return DenseSpikes(layers.spikes, routes, extra_ticks=len(layers.weights) - 1)


def _destinations(layers: Layers, layer: int) -> npt.NDArray[np.int32]:
    if len(layers.weights) == 1:
        return joined()
    neurons = np.arange(layers.sizes[layer + 1])
    last = layer == len(layers.weights) - 1
    return destinations(neurons, HOST if last else layer + 1, neurons)


def _golden(backend: str, layers: Layers) -> Run:
    chip = chip_of(layers, backend)
    record = ("spikes",) if len(layers.weights) == 1 else ()

    def run() -> tuple[float, npt.NDArray[np.int64]]:
        start = time.perf_counter()
        trace = chip.run(input_of(layers), record=record)
        seconds = time.perf_counter() - start
        found = trace.spikes[-1] if trace.spikes else trace.outputs
        return seconds, np.array([found.sum()], np.int64)

    run()
    return run


ENGINES: dict[str, Built] = {
    "golden compiled": partial(_golden, "native"),
    "golden numpy": partial(_golden, "numpy"),
}
