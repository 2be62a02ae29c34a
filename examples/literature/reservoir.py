"""A reservoir with a readout on the chip: ``python -m spikelet.examples.literature.reservoir``.

A recurrent network of random, fixed synapses keeps and mixes what its inputs were, so that a linear
readout of its spikes computes what no linear readout of the inputs can (Maass, Natschläger &
Markram 2002). The task is the 3-bit parity of Bertschinger & Natschläger 2004: a stream of 6 random
bits, 20 ticks each, on 8 noisy lines for 0 and 8 for 1; is the sum of the last three odd?

The readout is ridge regression on the spikes of the last 20 ticks, trained off the chip, rounded to
8 bits and compiled into the network as a neuron that never spikes; the host adds up its potential
over the same 20 ticks. The control is the same ridge regression on the spikes of the inputs in the
same bin, and, as the earlier bits are not in that, in the bins of all three bits.
"""

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.samples.encode import rest

__all__ = ["Readout", "build", "main", "ridge", "streams", "trial"]

COMMAND = Command("reservoir", seeds=5)
NEURONS, LINES = 256, 8
BITS, TICKS, RATE = 6, 20, 0.4
"""Of a stream: bits, ticks of each, spikes a tick of the lines of its value."""
TRAINING, TEST = 1500, 500
DECAY, THRESHOLD = 3900, 200
PENALTIES = (1.0, 10.0, 100.0, 1000.0)
Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]
Readout = tuple[Floats, float]


def streams(number: int, seed: list[int]) -> tuple[Bits, npt.NDArray[np.int64]]:
    """Return spikes (number, BITS * TICKS, 2 * LINES), and the parity of each stream's end."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (number, BITS))
    shown = np.repeat(bits[..., None] == [0, 1], LINES, axis=2).repeat(TICKS, axis=1)
    spikes = shown & (generator.random(shown.shape) < RATE)
    return spikes.astype(np.uint8), bits[:, -3:].sum(axis=1) % 2


def build(seed: int, readout: Readout | None = None) -> CompiledNetwork:
    """Return the chip: 4 of 5 neurons excite, the others inhibit 4 times as much."""
    generator = np.random.default_rng([seed, 2])
    into = generator.integers(-30, 31, (2 * LINES, NEURONS))
    into *= generator.random(into.shape) < 0.3
    among = generator.integers(0, 32, (NEURONS, NEURONS))
    among *= generator.random(among.shape) < 0.05
    among[NEURONS * 4 // 5 :] *= -4
    network = PlasticNetwork("reservoir")
    network.inputs("lines", 2 * LINES)
    network.population("cells", NEURONS, neuron="lif-subtract", threshold=THRESHOLD, decay=DECAY)
    network.project("lines", "cells", weights=into)
    network.project("cells", "cells", weights=among)
    network.output("cells")
    if readout:
        weights, constant = readout
        scale = 127 / np.abs(weights).max()
        bias = round(scale * constant / TICKS)
        network.population("parity", 1, neuron="linear", bias=bias, potential_bits=20)
        network.project("cells", "parity", weights=np.rint(scale * weights).astype(int)[:, None])
        network.output("parity")
    return compile_network(network)


def counts(spikes: npt.NDArray[np.integer], bins: int = 1) -> Floats:
    """Return the spikes of each line in each of the last bins, (samples, bins * lines)."""
    binned = spikes.reshape(len(spikes), -1, TICKS, spikes.shape[2]).sum(axis=2, dtype=float)
    found: Floats = binned[:, -bins:].reshape(len(spikes), -1)
    return found


def ridge(features: Floats, classes: npt.NDArray[np.int64]) -> Readout:
    """Return weights and constant, with the penalty that is best on the last fifth."""

    def fitted(part: slice, penalty: float) -> Readout:
        mean, signs = features[part].mean(axis=0), 2.0 * classes[part] - 1
        centred = features[part] - mean
        gram = centred.T @ centred + penalty * np.eye(centred.shape[1])
        weights = np.linalg.solve(gram, centred.T @ signs)
        return weights, float(signs.mean() - mean @ weights)

    cut = len(features) * 4 // 5
    held = features[cut:], classes[cut:]
    chosen = max(PENALTIES, key=lambda penalty: right(*held, fitted(slice(cut), penalty)))
    return fitted(slice(None), chosen)


def right(features: Floats, classes: npt.NDArray[np.int64], readout: Readout) -> float:
    """Return how often a readout's sign is the class, in %."""
    weights, constant = readout
    return 100 * float(((features @ weights + constant > 0) == classes).mean())


def trial(seed: int, training: int = TRAINING, test: int = TEST) -> dict[str, float]:
    """Train and test the readouts of a reservoir."""
    shown, classes = streams(training, [seed, 0])
    new, expected = streams(test, [seed, 1])
    silent = build(seed)
    readout = ridge(counts(run(silent, shown, record=()).outputs), classes)
    # A spike reaches the readout in the next tick, the last ones after the stream.
    ran = run(build(seed, readout), rest(new, 1), record=("states",))
    votes = ran.potentials("parity")[:, -TICKS:, 0].sum(axis=1)
    found = {"on the chip": 100 * float(((votes > 0) == expected).mean())}
    cells = ran.recording.outputs[:, : BITS * TICKS, :NEURONS]
    found["ridge, reservoir, in float"] = right(counts(cells), expected, readout)
    for name, bins in (("ridge, inputs, same bin", 1), ("ridge, inputs, 3 bins", 3)):
        control = ridge(counts(shown, bins), classes)
        found[name] = right(counts(new, bins), expected, control)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    found = [trial(seed) for seed in range(options.seeds)]
    rows = {name: {"right, %": [one[name] for one in found]} for name in found[0]}
    title = f"parity of 3 bits, {TEST} new streams, {options.seeds} seeds"
    COMMAND.show(title, "readout", rows, ".1f")
    gains = [one["on the chip"] - max(list(one.values())[2:]) for one in found]
    figure, (left, right_panel) = panels(2)
    for place, columns in enumerate(rows.values()):
        left.plot(columns["right, %"], np.full(len(found), place), "o")
    left.set(yticks=range(len(rows)), yticklabels=rows, xlabel="right, %", xlim=(40, 100))
    shown = streams(1, [0, 1])[0]
    ran = run(build(0), shown)
    ticks, cells = np.nonzero(ran.outputs[0])
    right_panel.plot(ticks, cells, ".", markersize=1.5)
    right_panel.set(xlabel="tick", ylabel="neuron", xlim=(0, BITS * TICKS))

    def engines(engine: str) -> list[Recording]:
        chip = build(0, (np.random.default_rng(0).normal(size=NEURONS), 0.0))
        return [run(chip, streams(10, [0, 1])[0], engine, record=RECORD).recording]

    goal = "at least 10 points over the same ridge on the inputs, with every seed"
    report = {"rows": rows, "points_over_inputs": gains}
    return COMMAND.finish(options, {goal: min(gains) >= 10}, report, figure, engines)


if __name__ == "__main__":
    guarded(main)
