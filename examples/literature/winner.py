"""The strongest input wins: ``python -m spikelet.examples.literature.winner``.

A winner-take-all network computes with spikes (Oster, Douglas & Liu 2009): each of 32 neurons
counts the spikes of its own input; the one that first has enough spikes, and takes as much from all
others, which must begin again. Inputs are random (Bernoulli); one has a higher rate. The network is
right if the neuron of that input has spiked most often. What can be reached at all is known: no
decision is right more often than that for the input with the most spikes. The control is the same
network without inhibition.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.run_result import Run

__all__ = ["build", "main", "played", "spike_trains"]

COMMAND = Command("winner", seeds=5)
INPUTS = 32
TICKS = 400
TRIALS = 100
RATE = 0.2
"""Spikes a tick of all inputs but one."""
RATIOS = (1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
WEIGHT, THRESHOLD = 16, 160
"""More than ten spikes for one."""
STRENGTH = 127


def build(inhibition: bool = True) -> CompiledNetwork:
    """Return the chip, with or without inhibition."""
    network = PlasticNetwork("winner")
    network.inputs("lines", INPUTS)
    network.population("cells", INPUTS, neuron="lif-subtract", threshold=THRESHOLD)
    network.project("lines", "cells", weights=WEIGHT, connectivity="one_to_one")
    if inhibition:
        network.winner_take_all("cells", STRENGTH)
    network.output("cells")
    return compile_network(network)


def spike_trains(
    ratio: float, seed: int, trials: int = TRIALS
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return spikes (trials, TICKS, INPUTS), and which input of each trial is the strongest."""
    generator = np.random.default_rng([seed, round(100 * ratio)])
    strongest = generator.integers(INPUTS, size=trials)
    rates = np.full((trials, 1, INPUTS), RATE)
    rates[np.arange(trials), 0, strongest] *= ratio
    drawn = generator.random((trials, TICKS, INPUTS)) < rates
    return drawn.astype(np.uint8), strongest


def played(ratio: float, seed: int, compiled: CompiledNetwork) -> dict[str, float]:
    """Return, in %, how often the winner is right, and its share of all spikes."""
    spikes, strongest = spike_trains(ratio, seed)
    counts = run(compiled, spikes, record=()).output_counts()
    its = counts[np.arange(TRIALS), strongest]
    return {
        "right, %": 100 * float((counts.argmax(axis=1) == strongest).mean()),
        "of spikes, %": 100 * float(its.sum() / counts.sum()),
    }


def best(ratio: float, seed: int) -> float:
    """Return how often the input with most spikes is the strongest, in %."""
    spikes, strongest = spike_trains(ratio, seed)
    return 100 * float((spikes.sum(axis=1, dtype=int).argmax(axis=1) == strongest).mean())


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    rows: dict[float, dict[str, list[float]]] = {}
    seeds = range(options.seeds)
    for ratio in RATIOS:
        columns: dict[str, list[float]] = {}
        for name, chip in (("", build()), (", control", build(inhibition=False))):
            found = [played(ratio, seed, chip) for seed in seeds]
            columns |= {key + name: [one[key] for one in found] for key in found[0]}
        rows[ratio] = columns | {"best, %": [best(ratio, seed) for seed in seeds]}
    title = f"winner of {INPUTS} after {TICKS} ticks, {TRIALS} trials of each of {len(seeds)} seeds"
    COMMAND.show(title, "ratio of rates", rows, ".1f")
    reached = min(rows[1.5]["right, %"]) >= 95
    figure, (left, right) = panels(2)
    for name in rows[1.5]:
        means = [np.mean(rows[ratio][name]) for ratio in RATIOS]
        (right if "of spikes" in name else left).plot(RATIOS, means, "o-", label=name)
    for axes in (left, right):
        axes.set(xlabel="rate of the strongest / others", ylim=(0, 105))

    def engines(engine: str) -> list[Any]:
        ran: Run = run(build(), spike_trains(1.5, 0, 5)[0], engine, record=RECORD)
        return [ran.recording]

    goal = "right in at least 95 % with 1.5 times the rate, with every seed"
    return COMMAND.finish(options, {goal: reached}, {"by_ratio": rows}, figure, engines)


if __name__ == "__main__":
    guarded(main)
