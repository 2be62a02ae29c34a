"""Two chips that share what they learn: ``python -m spikelet.examples.literature.federated``.

Federated averaging (McMahan et al. 2017): in each round every chip learns from its own images,
which never leave it; the host averages their weights, rounded by chance, and loads them into both.
The images are the 8x8 digits, chip and rule those of ``examples/learning/sdsp_digits.py`` with
weights of 6 bits.

In the hard case one chip has seen digits 0 to 4 only and the other 5 to 9, so that neither can know
them all; in the easy case each has a half of all.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.run.recording import Recording
from spikelet.examples.learning.digits16 import Digits
from spikelet.examples.learning.sdsp_digits import Plan, accuracy, build, lessons
from spikelet.examples.learning.support import RECORD, guarded
from spikelet.examples.literature.command import Command, panels
from spikelet.runs.run import run

__all__ = ["average", "learned", "main", "shares"]

COMMAND = Command("federated", seeds=5)
ROUNDS = 8
PLAN = Plan(scale=9)
Weights = npt.NDArray[np.int64]


def of(digits: Digits, chosen: npt.NDArray[Any]) -> Digits:
    """Return some of the images."""
    return replace(digits, levels=digits.levels[chosen], labels=digits.labels[chosen])


def shares(digits: Digits) -> dict[str, list[Digits]]:
    """Return the images of each chip, in each case."""
    low, even = digits.labels < 5, np.arange(len(digits.labels)) % 2 == 0
    first, second = of(digits, low), of(digits, ~low)
    return {
        "0-4 alone": [first],
        "5-9 alone": [second],
        "0-4 and 5-9, averaged": [first, second],
        "halves, averaged": [of(digits, even), of(digits, ~even)],
        "one chip, all": [digits],
    }


def average(parts: Sequence[npt.ArrayLike], generator: np.random.Generator) -> Weights:
    """Return the mean of weights, rounded by chance."""
    mean = np.mean([np.asarray(part, float) for part in parts], axis=0)
    rounded: Weights = np.floor(mean + generator.random(mean.shape)).astype(np.int64)
    return rounded


def learned(
    parts: Sequence[Digits],
    test: Digits,
    seed: int,
    rounds: int = ROUNDS,
    engine: str = "golden",
    record: Sequence[str] = (),
) -> tuple[list[float], list[Recording]]:
    """Return the accuracy on new images after each round, in %, and what was recorded."""
    generator, chip = np.random.default_rng(seed), build(PLAN, seed)
    states = [chip.initial_state()] * len(parts)
    reached, traces = [], []
    for _ in range(rounds):
        for place, part in enumerate(parts):
            shown = of(part, generator.permutation(len(part.labels)))
            ran = run(chip, lessons(shown, PLAN), engine, start=states[place], record=record)
            states[place] = ran.final
            traces.append(ran.recording)
        weights = [chip.weights("pixels", "digits", state.image) for state in states]
        shared = average(weights, generator)
        states = [chip.with_weights(state, "pixels", "digits", shared) for state in states]
        if len(test.labels):
            reached.append(100 * accuracy(chip, test, PLAN, states[0]))
    return reached, traces


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = COMMAND.parsed(arguments)
    training, test = Digits.small()
    curves = {
        name: np.array([learned(parts, test, seed)[0] for seed in range(options.seeds)])
        for name, parts in shares(training).items()
    }
    rows = {
        name: {f"after round {n}": values[:, n - 1] for n in (1, 2, 4, ROUNDS)}
        for name, values in curves.items()
    }
    title = f"{len(test.labels)} new digits of all kinds, right in %, {options.seeds} seeds"
    COMMAND.show(title, "chips", rows, ".1f")
    figure, (axes,) = panels(1, 5.4, 3.2)
    for name, values in curves.items():
        axes.plot(range(1, ROUNDS + 1), values.mean(axis=0), "o-", label=name)
    axes.set(xlabel="round", ylabel="right, %", ylim=(0, 100))

    def engines(engine: str) -> list[Recording]:
        parts = [part.part(0, 10) for part in shares(training)["0-4 and 5-9, averaged"]]
        return learned(parts, test.part(0, 0), 0, 2, engine, RECORD)[1]

    last = {name: values[:, -1] for name, values in curves.items()}
    gain = last["0-4 and 5-9, averaged"] - np.maximum(last["0-4 alone"], last["5-9 alone"])
    goal = "chips that saw 5 digits each gain at least 20 points by averaging, with every seed"
    report = {"accuracy": {name: values.tolist() for name, values in curves.items()}}
    return COMMAND.finish(options, {goal: bool(gain.min() >= 20)}, report, figure, engines)


if __name__ == "__main__":
    guarded(main)
