"""Digits in drifting phase-change memory: ``python -m spikelet.examples.learning.drift``.

A network of 256, 100 and 10 neurons is trained off the chip; its weights are written by
program-and-verify into differential pairs of phase-change memory. From a second to a year behind
that their conductances fall by a power law, each with an exponent of its own. The table has the
accuracy with thresholds as they were, and with thresholds that are scaled as all conductances
together have fallen. ``--data`` is a folder with MNIST's files; without, there are the 8x8 digits.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.device_model import device_model
from spikelet.description.learning.drift import Drift
from spikelet.description.learning.rule import LearningRule
from spikelet.examples.learning.digits16 import FULL_SCALE, SIDE, Digits, Preparation
from spikelet.examples.learning.support import (
    COLOURS,
    RECORD,
    compare,
    console,
    guarded,
    save,
    tools,
)
from spikelet.network.builder import PlasticNetwork
from spikelet.network.device_drift import compensated, drifted
from spikelet.network.device_writing import written
from spikelet.network.integers import IntegerNetwork
from spikelet.runs.run import run
from spikelet.samples.encode import rate

__all__ = ["TIMES", "accuracy", "main", "spiking", "trained"]

TIMES = {"1 s": 1.0, "1 minute": 60.0, "1 hour": 3600.0, "1 day": 86400.0, "1 month": 2.6e6}
TIMES["1 year"] = 3.15e7
DEVICES = device_model("pcm").devices(1, levels=128, pairs=True)
HIDDEN, TICKS = 100, 32

_Floats = npt.NDArray[np.float64]


def trained(digits: Digits, epochs: int, seed: int) -> tuple[_Floats, _Floats]:
    """Return the weights of two layers, with a rectifier between, by gradient descent."""
    generator = np.random.default_rng(seed)
    inputs, targets = digits.levels / FULL_SCALE, np.eye(10)[digits.labels]
    first = generator.normal(0, np.sqrt(2 / SIDE**2), (SIDE**2, HIDDEN))
    second = generator.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, 10))
    moved = [np.zeros_like(first), np.zeros_like(second)]
    for epoch in range(epochs):
        for batch in np.array_split(generator.permutation(len(inputs)), len(inputs) // 50 + 1):
            hidden = np.maximum(inputs[batch] @ first, 0)
            scores = np.exp(hidden @ second - (hidden @ second).max(axis=1, keepdims=True))
            error = (scores / scores.sum(axis=1, keepdims=True) - targets[batch]) / len(batch)
            back = (error @ second.T) * (hidden > 0)
            step = 0.1 * (1 - epoch / epochs)
            slopes = inputs[batch].T @ back, hidden.T @ error
            for number, (layer, slope) in enumerate(zip((first, second), slopes, strict=True)):
                moved[number] = 0.9 * moved[number] - step * (slope + 1e-4 * layer)
                np.add(layer, moved[number], out=layer)
    return first, second


def spiking(layers: tuple[_Floats, _Floats], digits: Digits) -> IntegerNetwork:
    """Return the spiking network: thresholds as large as nearly all activations of ``digits``."""
    made = PlasticNetwork("drift", seed=1)
    made.inputs("pixels", SIDE**2)
    values, source, before = digits.levels / FULL_SCALE, "pixels", 1.0
    for name, layer in zip(("hidden", "digits"), layers, strict=True):
        values = np.maximum(values @ layer, 0)
        most, top = float(np.quantile(values, 0.999)), np.abs(layer).max()
        scale = DEVICES.w_max / top
        threshold = max(1, round(scale * most / before))
        made.population(name, layer.shape[1], neuron="snntorch-subtract", threshold=threshold)
        weights = np.rint(layer * scale).astype(int)
        rule = LearningRule("x0*y0")  # which is off: it is what makes devices of the synapses
        made.project(source, name, weights=weights, rule=rule, devices=DEVICES)
        source, before = name, most
    made.output("digits")
    return made.integers()


def accuracy(network: IntegerNetwork, digits: Digits) -> float:
    """Return the share of digits whose neuron spikes most, of equals the first."""
    spikes = rate(digits.levels, FULL_SCALE, TICKS)
    counts = run(compile_network(network), spikes, learning=False).outputs.sum(axis=1)
    return float((counts.argmax(axis=1) == digits.labels).mean())


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line; 1 if RTL differs, or compensation is no better."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with MNIST's gzipped IDX files")
    parser.add_argument("--epochs", type=int, default=10, help="of training")
    parser.add_argument("--samples", type=int, default=1000, help="digits held out that are shown")
    parser.add_argument("--nu", type=float, default=0.05, help="mean exponent")
    parser.add_argument("--spread", type=float, default=0.015, help="of exponents")
    parser.add_argument("--read-noise", type=float, default=0.01, help="share of the range")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rtl", type=int, default=0, help="compare so many digits with Verilog")
    parser.add_argument(
        "--out", type=Path, default=Path("build/learning/drift"), help="folder of the results"
    )
    options = parser.parse_args(arguments)
    if options.epochs < 1 or options.samples < 1:
        raise SpikeletError("--epochs and --samples must be 1 or more")
    training, held_out = Digits.small()
    if options.data:
        training = Digits.mnist(options.data, 0, 50_000, Preparation())
        held_out = Digits.mnist(options.data, 50_000, 60_000, Preparation())
    held_out = held_out.part(0, options.samples)
    drift = Drift(options.nu, options.spread, read_noise=options.read_noise, seed=options.seed)
    ideal = spiking(trained(training, options.epochs, options.seed), training)
    programmed, reports = written(ideal, tolerance=4, limit=200, seed=options.seed)
    for report in reports:
        console.print(str(report))
    first = {"ideal": accuracy(ideal, held_out), "written": accuracy(programmed, held_out)}
    console.print("ideal weights {ideal:.1%}, as written {written:.1%}".format(**first))
    rows, table = [], Table("after", "thresholds as they were", "thresholds scaled", "factor")
    for reading, (name, seconds) in enumerate(TIMES.items()):
        now = drifted(programmed, drift, seconds, reading=reading)
        scaled = compensated(programmed, now)
        ends = [int(n.populations[1].parameters["threshold"][0]) for n in (scaled, programmed)]
        found = [accuracy(network, held_out) for network in (now, scaled)]
        rows.append({"seconds": seconds, "as_was": found[0], "scaled": found[1]})
        table.add_row(name, *(f"{share:.1%}" for share in found), f"{ends[0] / ends[1]:.2f}")
    console.print(table)
    equal = True
    if options.rtl:
        chip = compile_network(scaled)
        few = rate(held_out.levels[: options.rtl], FULL_SCALE, TICKS)
        result = compare(lambda e: [run(chip, few, e, learning=False, record=RECORD).recording])
        console.print(str(result))
        equal = result.equal
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for key, colour, label in (("as_was", 1, "as they were"), ("scaled", 0, "scaled")):
        shares = [100 * row[key] for row in rows]
        axes.semilogx(list(TIMES.values()), shares, "o-", color=COLOURS[colour], label=label)
    axes.set(xlabel="seconds since programming", ylabel="accuracy, %")
    axes.legend(title="thresholds")
    save(options.out, {**first, "rows": rows, "tools": tools()}, figure)
    return int(not equal or rows[-1]["scaled"] < rows[-1]["as_was"])


if __name__ == "__main__":
    guarded(main)
