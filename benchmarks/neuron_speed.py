"""Speed of golden's native path by neuron model: ``python -m benchmarks.neuron_speed``."""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.peers.layers import DECAY, INPUT_RATE
from benchmarks.support import SIZE, console, print_versions, run, versions, write_json
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model, neuron_models
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes

__all__ = ["main"]

REFERENCE = "snntorch-subtract"
GOALS = {"cuba-lif": 1.5}
"""Times the reference's time that a model may take."""

TICKS = 10_000

VALUES = {"threshold": 42, "decay": DECAY, "decay_i": 2048, "refractory_period": 2}
FIXED = {
    "izhikevich": {"threshold": 614, "a": 82, "b": 819, "c": -1331, "d": 164, "bias": 60},
}
"""Of the models whose scale is fixed: here a regular spiking neuron near its rheobase."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each model")
    parser.add_argument("--json", type=Path, help="also write the results here")
    options = parser.parse_args()
    print_versions(versions("numpy"))
    chips = {name: _chip(name) for name in neuron_models()}
    inputs = _inputs()
    spikes = {name: _timed(chip, inputs)[1] for name, chip in chips.items()}  # and warm up
    seconds: dict[str, list[float]] = {name: [] for name in chips}
    for _ in range(max(1, options.rounds)):
        for name, chip in chips.items():
            seconds[name].append(_timed(chip, inputs)[0])
    results = [_result(name, seconds, spikes[name]) for name in chips]
    console.print(_table(results))
    write_json(options.json, {"rounds": options.rounds, "models": results})
    return int(not all(result["reached"] for result in results))


def _chip(name: str) -> GoldenChip:
    """Return a core of 256x256 in which the model has all that a layer of it needs."""
    model = neuron_model(name)
    values = FIXED.get(name, VALUES)
    loaded: dict[str, str | int] = dict.fromkeys(
        values.keys() & set(model.parameter_names), "shared"
    )
    core = CoreParams(SIZE, SIZE, model, lanes=2, parameters=loaded)
    weights = np.random.default_rng(2).integers(-7, 8, (SIZE, SIZE)).astype(np.int16)
    parameters = {p: np.array([values[p]], np.int32) for p in core.parameter_ranges}
    image = CoreImage(weights, joined(), parameters)
    return GoldenChip(ChipParams((core,)), ChipImage((image,)), backend="native")


def _inputs() -> DenseSpikes:
    spikes = np.random.default_rng(1).random((1, TICKS, SIZE), np.float32) < INPUT_RATE
    return DenseSpikes(spikes, np.array([(i, 0, i, 0) for i in range(SIZE)]))


def _timed(chip: GoldenChip, inputs: DenseSpikes) -> tuple[float, int]:
    start = time.perf_counter()
    trace = chip.run(inputs, record=("spikes",))
    return time.perf_counter() - start, sum(int(spikes.sum()) for spikes in trace.spikes or [])


def _result(name: str, seconds: dict[str, list[float]], spikes: int) -> dict[str, Any]:
    """Return what is written as JSON; ratios are medians over rounds, as other load slows both."""
    pairs = zip(seconds[name], seconds[REFERENCE], strict=True)
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return {
        "model": name,
        "ns_per_neuron_and_tick": statistics.median(seconds[name]) / TICKS / SIZE * 1e9,
        "ratio": ratio,
        "spikes_per_tick": spikes / TICKS,
        "goal": GOALS.get(name),
        "reached": ratio <= GOALS.get(name, ratio),
    }


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title=f"one core of {SIZE}x{SIZE}, {TICKS:,} ticks, golden native")
    for title in ("model", "ns a neuron and tick", f"to {REFERENCE}", "goal", "spikes a tick"):
        table.add_column(title, justify="left" if title == "model" else "right")
    for result in results:
        goal = f"{result['goal']}" if result["goal"] else ""
        table.add_row(
            result["model"],
            f"{result['ns_per_neuron_and_tick']:.3f}",
            f"{result['ratio']:.2f}",
            goal + ("" if result["reached"] else ": NOT REACHED"),
            f"{result['spikes_per_tick']:.1f}",
        )
    return table


if __name__ == "__main__":
    run(main)
