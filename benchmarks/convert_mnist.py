"""Accuracy of a ReLU network on MNIST after conversion: ``python -m benchmarks.convert_mnist``.

The network is examples/mnist/cnn.onnx, or any ONNX file that takes images (1, 28, 28) with values
in 0..1. It is measured on the last 10,000 of MNIST's 60,000 training images, of which the example
has not seen one; activations are taken on the first 1,000. Then it is compiled at some weight
widths, and its integers are measured on the same images by golden.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.compiler.compile import compile_network
from spikelet.conversion.convert import convert
from spikelet.examples.mnist.data import load_mnist
from spikelet.network.network import Network
from spikelet.runs.run import run as spikelet_run
from spikelet.samples.plastic_samples import Encoder, LearningSamples

__all__ = ["main"]

NETWORK = Path(__file__).parents[1] / "examples" / "mnist" / "cnn.onnx"
HELD_OUT, FULL_SCALE = 10_000, 255
CALIBRATED, _BATCH = 64, 500
GOAL_LOST, GOAL_TICKS = 0.5, 32


def main() -> int:
    """Run the benchmark; return 0, or 1 above the goal with ``--strict``."""
    options = options_of(
        __doc__,
        data={"type": Path, "required": True, "help": "folder of MNIST's gzipped IDX files"},
        network={"type": Path, "default": NETWORK, "help": "ONNX file"},
        samples={"type": int, "default": HELD_OUT, "help": "held-out images"},
        ticks={"type": int, "default": GOAL_TICKS},
        weight_bits={"type": int, "nargs": "*", "default": [4, 8], "help": "widths to compile at"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("numpy", "onnx")
    print_versions(tools)
    levels, labels = load_mnist(options.data)
    encoder = Encoder("rate", {"ticks": options.ticks})

    def part(chosen: slice) -> LearningSamples:
        given, said = levels[chosen], labels[chosen].astype("int64")
        return LearningSamples(given, said, encoder=encoder, full_scale=FULL_SCALE)

    found = convert(
        options.network,
        part(slice(-HELD_OUT, None)),
        ticks=options.ticks,
        calibration=part(slice(1_000)),
        count=options.samples,
        progress=lambda what, done, total: console.print(f"{done} of {total} images", end="\r"),
    )
    reached = found.lost <= GOAL_LOST and found.ticks <= GOAL_TICKS
    table = Table(title=f"{options.network.name}, {found.samples:,} held-out images")
    for title in ("ticks", "as labelled", "points lost"):
        table.add_column(title, justify="right")
    for tick in sorted({n for n in (4, 8, 16, 32, 64) if n < found.ticks} | {found.ticks}):
        accuracy = found.accuracies[tick - 1]
        lost = 100 * (found.relu_accuracy - accuracy)
        table.add_row(str(tick), f"{accuracy:.2%}", f"{lost:.2f}")
    table.add_row("ReLU", f"{found.relu_accuracy:.2%}", "")
    table.add_row(f"<= {GOAL_TICKS}", verdict(reached), f"<= {GOAL_LOST}")
    console.print(table)
    shown = encoder.encode(levels[:CALIBRATED], FULL_SCALE)
    held_out = slice(-HELD_OUT, len(levels) - HELD_OUT + options.samples)
    rows = [
        _integers(found.network, bits, shown, encoder, levels[held_out], labels[held_out])
        for bits in options.weight_bits
    ]
    table = Table(title=f"integers, golden, {found.ticks} ticks")
    for title in ("weight bits", "cores", "as labelled", "points lost"):
        table.add_column(title, justify="right")
    for row in rows:
        lost = 100 * (found.relu_accuracy - row["accuracy"])
        table.add_row(
            str(row["weight_bits"]), str(row["cores"]), f"{row['accuracy']:.2%}", f"{lost:.2f}"
        )
    console.print(table)
    results = {**found.to_dict(), "reached": reached, "integers": rows}
    write_json(options.json, {"versions": tools, **results})
    return int(options.strict and not reached)


def _integers(
    network: Network,
    weight_bits: int,
    shown: npt.NDArray[np.uint8],
    encoder: Encoder,
    levels: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
) -> dict[str, Any]:
    """Return how many of the images a chip's integers classify as labelled."""
    compiled = compile_network(network, weight_bits=weight_bits, calibration=shown)
    right = 0
    for first in range(0, len(levels), _BATCH):
        spikes = encoder.encode(levels[first : first + _BATCH], FULL_SCALE)
        classes = spikelet_run(compiled, spikes, record=()).classify()
        right += int((classes == labels[first : first + _BATCH]).sum())
        console.print(f"{weight_bits} bits, {first + len(spikes)} images", end="\r")
    cores, accuracy = len(compiled.chip.cores), right / len(levels)
    return {"weight_bits": weight_bits, "cores": cores, "accuracy": accuracy}


if __name__ == "__main__":
    run(main)
