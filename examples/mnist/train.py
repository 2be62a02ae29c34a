"""Train the MNIST example: ``python -m examples.mnist.train --data FOLDER`` (project's folder).

Writes ``mnist.nir`` (784-128-10), trained on the first 50,000 images of MNIST's training files;
the other 10,000 are held out. Needs torch, snntorch, nir and nirtorch.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

from examples.snn_training import Images, LayerPlan, TrainingPlan, train_and_export

TRAINING = 50_000
LAYERS = [
    LayerPlan(neurons=128, beta=0.9375, threshold=1.0, scale=1 / 32),
    LayerPlan(neurons=10, beta=0.9375, threshold=1.0, scale=1 / 32),
]
PLAN = TrainingPlan(
    full_scale=255, ticks=8, float_epochs=8, quantised_epochs=20, batch=128, reach=1, seed=1
)


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an IDX file of unsigned bytes")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def main() -> None:
    """Train, and write the network."""
    parser = argparse.ArgumentParser(description="Train the MNIST example network.")
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's gzipped IDX")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("mnist.nir"))
    arguments = parser.parse_args()

    levels = read_idx(arguments.data / "train-images-idx3-ubyte.gz")
    levels = levels.reshape(len(levels), -1)
    labels = read_idx(arguments.data / "train-labels-idx1-ubyte.gz")
    train_and_export(
        LAYERS,
        PLAN,
        Images.from_numpy(levels[:TRAINING], labels[:TRAINING]),
        Images.from_numpy(levels[TRAINING:], labels[TRAINING:]),
        arguments.out,
    )


if __name__ == "__main__":
    main()
