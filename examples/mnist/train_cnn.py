"""Train a network like ``cnn.onnx``: ``python -m spikelet.examples.mnist.train_cnn``.

Trained on the first 50,000 of MNIST's training images; needs torch and onnx. Batch normalisation
stays in the file.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from torch import nn

from spikelet.description.files import AtomicFile
from spikelet.examples.mnist.data import load_mnist

TRAINED, BATCH, RATE = 50_000, 128, 1e-2


def main() -> None:
    """Train, and write the network."""
    parser = argparse.ArgumentParser(description="Train the convolutional MNIST network.")
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("cnn.onnx"))
    options = parser.parse_args()
    torch.manual_seed(0)
    levels, labels = load_mnist(options.data)
    images = torch.tensor(levels[:TRAINED].reshape(-1, 1, 28, 28) / np.float32(255))
    wanted = torch.tensor(labels[:TRAINED].astype(np.int64))
    network = nn.Sequential(
        *(nn.Conv2d(1, 8, 5), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Conv2d(8, 16, 5), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 10)),
    )
    steps = TRAINED // BATCH
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, RATE, total_steps=options.epochs * steps + 1
    )
    for epoch in range(options.epochs):
        order = torch.randperm(TRAINED)
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(images[batch]), wanted[batch])
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
    network.eval()
    contents = io.BytesIO()
    torch.onnx.export(
        *(network, (images[:1],), contents),
        dynamo=False,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )
    with AtomicFile(options.out) as file:
        file.write(contents.getvalue())


if __name__ == "__main__":
    main()
