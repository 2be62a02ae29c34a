"""Networks and inputs of :mod:`benchmarks.golden_speed`: fully connected LIF layers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

__all__ = ["WORKLOADS", "Workload"]

DECAY = 3686
"""Of 4096: a membrane time constant of 9.5 ticks."""

INPUT_RATE = 0.1
"""Share of inputs that spike in a tick."""


@dataclass(frozen=True)
class Workload:
    """A network and its input, in integers; peers compute the same in floating point.

    Parameters
    ----------
    name : str
    sizes : tuple of int
        Inputs, then the neurons of each layer.
    samples, ticks : int
    peers : tuple of str
        Which peers compete, each used as its documentation shows.
    goal : float
        Times the fastest of them that the native path is to reach.
    """

    name: str
    sizes: tuple[int, ...]
    samples: int
    ticks: int
    peers: tuple[str, ...]
    goal: float

    @property
    def engines(self) -> tuple[str, ...]:
        """The peers, and beside them Spyx rearranged by hand, which no goal is measured by."""
        return (*self.peers, "spyx by layer")

    @property
    def sample_ticks(self) -> int:
        """Ticks of all samples together."""
        return self.samples * self.ticks

    @property
    def beta(self) -> float:
        """Factor of the leak."""
        return DECAY / 4096

    @cached_property
    def spikes(self) -> npt.NDArray[np.uint8]:
        """Input spikes, 0 or 1, shape (samples, ticks, inputs)."""
        rng = np.random.default_rng(1)
        shape = (self.samples, self.ticks, self.sizes[0])
        return (rng.random(shape, np.float32) < INPUT_RATE).astype(np.uint8)

    @cached_property
    def weights(self) -> list[npt.NDArray[np.int16]]:
        """4-bit weights of each layer, shape (inputs, neurons)."""
        rng = np.random.default_rng(2)
        shapes = zip(self.sizes, self.sizes[1:], strict=False)
        return [rng.integers(-7, 8, shape).astype(np.int16) for shape in shapes]

    @cached_property
    def thresholds(self) -> list[int]:
        """Threshold of each layer, for about a tenth of its neurons to fire in a tick."""
        return [round(2.6 * size**0.5) for size in self.sizes[:-1]]

    def golden(self, backend: str) -> GoldenChip:
        """Return the network as a chip: one core for each layer, in a row."""
        n_layers = len(self.weights)
        cores = tuple(
            CoreParams(
                n_axons=weights.shape[0],
                n_neurons=weights.shape[1],
                neuron=neuron_model("snntorch-subtract"),
                parameters={"decay": "shared"},
                lanes=2,
            )
            for weights in self.weights
        )
        images = [
            CoreImage(
                weights,
                self._destinations(layer),
                {
                    "threshold": np.array([threshold], np.int32),
                    "decay": np.array([DECAY], np.int32),
                },
            )
            for layer, (weights, threshold) in enumerate(
                zip(self.weights, self.thresholds, strict=True)
            )
        ]
        chip = ChipParams(cores, n_layers, 1, 1 if n_layers == 1 else self.sizes[-1])
        return GoldenChip(chip, ChipImage(tuple(images)), backend=backend)

    def golden_input(self) -> DenseSpikes:
        """Return the input, each line to the axon of its number, and ticks for the last spikes."""
        routes = np.zeros((self.sizes[0], 4), np.int64)
        routes[:, 0] = routes[:, 2] = np.arange(self.sizes[0])
        return DenseSpikes(self.spikes, routes, extra_ticks=len(self.weights) - 1)

    @property
    def golden_record(self) -> tuple[str, ...]:
        """What golden is to record beside the output lines."""
        return ("spikes",) if len(self.weights) == 1 else ()

    def _destinations(self, layer: int) -> npt.NDArray[np.int32]:
        if len(self.weights) == 1:
            return joined()
        neurons = np.arange(self.sizes[layer + 1])
        last = layer == len(self.weights) - 1
        return destinations(neurons, HOST if last else layer + 1, neurons)


WORKLOADS = (
    Workload("one 256x256 core", (256, 256), 1, 10_000, ("brian2", "spyx"), 4.0),
    Workload(
        "784-256-128-10",
        (784, 256, 128, 10),
        1,
        100,
        ("spyx", "sinabs", "snntorch"),
        5.0,
    ),
    Workload(
        "784-256-128-10",
        (784, 256, 128, 10),
        128,
        100,
        ("spyx", "sinabs", "snntorch"),
        1.5,
    ),
)
"""What `python -m benchmarks.golden_speed` measures."""
