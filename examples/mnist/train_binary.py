"""Train MNIST with weights of +1 and -1: ``python -m spikelet.examples.mnist.train_binary``.

Writes ``binary.nir`` (784-128-10): trained in float, then with what ``spikelet.grid`` makes of the
weights at 1 bit, while gradients pass straight through to those behind. The first 50,000 of MNIST's
training images are trained on, the other 10,000 are held out. Needs torch, snntorch, nir and
nirtorch.
"""

from pathlib import Path

from torch import Tensor, from_numpy

import spikelet
from spikelet.examples.mnist.train import train
from spikelet.examples.snn_training import (
    LayerPlan,
    SpikingNetwork,
    TrainingPlan,
)

LAYERS = [
    LayerPlan(neurons=128, beta=0.9375, threshold=1.0, scale=1 / 16),
    LayerPlan(neurons=10, beta=0.9375, threshold=1.0, scale=1 / 8),
]
PLAN = TrainingPlan(
    full_scale=255, ticks=8, float_epochs=4, quantised_epochs=20, batch=128, reach=0, seed=1
)


class BinaryNetwork(SpikingNetwork):
    """Weights are +1 or -1 times a layer's mean magnitude, which is the scale of its grid."""

    bits = 1

    def weight(self, index: int) -> Tensor:
        """Return a layer's weights, on its grid if the network is quantised."""
        weight, layer = self.weights[index], self.layers[index]
        if not self.quantised:
            return weight
        given = {
            "weights": weight.detach().numpy(),
            "threshold": layer.threshold,
            "decay": layer.beta,
        }
        found = spikelet.grid(given, self.bits, neuron="snntorch-subtract")
        return weight + (from_numpy(found["weights"]) - weight).detach()

    def clamp_weights(self) -> None:
        """Leave the weights: their grid has no ends."""

    def check_range(self) -> None:
        """Nothing to check: both levels are always used."""


def main() -> None:
    """Train, and write the network."""
    out = Path(__file__).with_name("binary.nir")
    train("Train MNIST with weights of +1 and -1.", out, LAYERS, PLAN, BinaryNetwork)


if __name__ == "__main__":
    main()
