"""Accuracy of a ReLU network on MNIST after conversion: ``python -m benchmarks.convert_mnist``.

The network is examples/mnist/cnn.onnx, or any ONNX file that takes images (1, 28, 28) with values
in 0..1. It is measured on the last 10,000 of MNIST's 60,000 training images, of which the example
has not seen one; activations are taken on the first 1,000.
"""

from pathlib import Path

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
from spikelet.conversion.convert import convert
from spikelet.examples.mnist.data import load_mnist
from spikelet.samples.plastic_samples import Encoder, LearningSamples

__all__ = ["main"]

NETWORK = Path(__file__).parents[1] / "examples" / "mnist" / "cnn.onnx"
HELD_OUT, FULL_SCALE = 10_000, 255
GOAL_LOST, GOAL_TICKS = 0.5, 32


def main() -> int:
    """Run the benchmark; return 0, or 1 above the goal with ``--strict``."""
    options = options_of(
        __doc__,
        data={"type": Path, "required": True, "help": "folder of MNIST's gzipped IDX files"},
        network={"type": Path, "default": NETWORK, "help": "ONNX file"},
        samples={"type": int, "default": HELD_OUT, "help": "held-out images"},
        ticks={"type": int, "default": GOAL_TICKS},
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
    write_json(options.json, {"versions": tools, **found.to_dict(), "reached": reached})
    return int(options.strict and not reached)


if __name__ == "__main__":
    run(main)
