"""Train the MNIST example: ``python -m spikelet.examples.mnist.train --data FOLDER``.

Writes ``mnist.nir`` (784-128-10), trained on the first 50,000 images of MNIST's training files;
the other 10,000 are held out. Needs torch, snntorch, nir and nirtorch.
"""

import argparse
from pathlib import Path

from spikelet.examples.mnist.data import load_mnist
from spikelet.examples.snn_training import (
    Images,
    LayerPlan,
    SpikingNetwork,
    TrainingPlan,
    train_and_export,
)

TRAINING = 50_000
LAYERS = [
    LayerPlan(neurons=128, beta=0.9375, threshold=1.0, scale=1 / 32),
    LayerPlan(neurons=10, beta=0.9375, threshold=1.0, scale=1 / 32),
]
PLAN = TrainingPlan(
    full_scale=255, ticks=8, float_epochs=8, quantised_epochs=20, batch=128, reach=1, seed=1
)


def train(
    description: str,
    out: Path,
    layers: list[LayerPlan],
    plan: TrainingPlan,
    kind: type[SpikingNetwork] = SpikingNetwork,
) -> None:
    """Train on the data that the command line names; write the network there, or to ``out``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's gzipped IDX")
    parser.add_argument("--out", type=Path, default=out)
    arguments = parser.parse_args()

    levels, labels = load_mnist(arguments.data)
    train_and_export(
        layers,
        plan,
        Images.from_numpy(levels[:TRAINING], labels[:TRAINING]),
        Images.from_numpy(levels[TRAINING:], labels[TRAINING:]),
        arguments.out,
        kind,
    )


def main() -> None:
    """Train, and write the network."""
    out = Path(__file__).with_name("mnist.nir")
    train("Train the MNIST example network.", out, LAYERS, PLAN)


if __name__ == "__main__":
    main()
