"""Train the digits example: ``python -m spikelet.examples.digits.train`` from the project's folder.

Writes ``digits.nir`` (64-64-10) and, beside it, ``digits_test.npz`` with the held-out images, some
training images for calibration, and the spikes that snnTorch's modules, read back from the file,
make of both. ``--record`` leaves the network that is there. Needs torch, snntorch, nir, nirtorch
and scikit-learn.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from spikelet.examples.snn_training import (
    Images,
    LayerPlan,
    TrainingPlan,
    record,
    train_and_export,
)
from spikelet.samples.encode import rate

HELD_OUT = 360
CALIBRATION = 200
LAYERS = [
    LayerPlan(neurons=64, beta=0.9375, threshold=1.0, scale=1 / 16),
    LayerPlan(neurons=10, beta=0.9375, threshold=1.0, scale=1 / 16),
]
PLAN = TrainingPlan(
    full_scale=16, ticks=16, float_epochs=60, quantised_epochs=60, batch=64, reach=0, seed=1
)


def main() -> None:
    """Train, and write the network and its test data."""
    parser = argparse.ArgumentParser(description="Train the digits example network.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("digits.nir"))
    parser.add_argument(
        "--record", action="store_true", help="Only run the network that is there in snnTorch."
    )
    options = parser.parse_args()
    out: Path = options.out

    levels, labels = load_digits(return_X_y=True)
    train_levels, test_levels, train_labels, test_labels = train_test_split(
        levels.astype(np.uint8),
        labels.astype(np.uint8),
        test_size=HELD_OUT,
        stratify=labels,
        random_state=PLAN.seed,
    )
    if not options.record:
        train_and_export(
            LAYERS,
            PLAN,
            Images.from_numpy(train_levels, train_labels),
            Images.from_numpy(test_levels, test_labels),
            out,
        )
    images = {
        "test": (test_levels, test_labels),
        "calibration": (train_levels[:CALIBRATION], train_labels[:CALIBRATION]),
    }
    arrays: dict[str, Any] = {}
    for name, (shown, classes) in images.items():
        spikes = rate(shown, PLAN.full_scale, PLAN.ticks)
        of_snntorch = record(out, spikes)
        found = {"levels": shown, "labels": classes, **of_snntorch}
        arrays |= {f"{name}_{array}": values for array, values in found.items()}
    np.savez_compressed(
        out.with_name(f"{out.stem}_test.npz"),
        **arrays,
        full_scale=np.array(PLAN.full_scale),
        ticks=np.array(PLAN.ticks),
    )


if __name__ == "__main__":
    main()
