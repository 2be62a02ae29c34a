"""One plastic layer, and two: ``python -m spikelet.examples.learning.two_layers --data D``.

The task, images and rule of ``random_feedback``: ten taught neurons learn from the pixels
themselves, or from hidden neurons that learn, too. Both see the same spikes. D holds MNIST's
gzipped IDX files, of which images 52,000 to 59,999 are held out; without ``--data``, 8x8 digits.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.taught_rules import error_trace
from spikelet.description.neurons.error import ErrorParams
from spikelet.examples.learning import random_feedback
from spikelet.examples.learning.digits16 import SIDE, Digits, Preparation
from spikelet.examples.learning.support import COLOURS, console, guarded, save, tools
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits

__all__ = ["OneLayer", "build", "main"]

_GOAL = 1.0
"""Points that the second layer is to gain."""


@dataclass(frozen=True)
class OneLayer:
    """What was tuned for the network of one layer, on images 50,000 to 51,999.

    Parameters
    ----------
    rate : float
        Of the rule.
    threshold : int
        In potential LSBs.
    """

    rate: float = 3e-4
    threshold: int = 600


def build(plan: OneLayer, seed: int) -> CompiledNetwork:
    """Return the untrained network of one layer, with the inputs of that of two."""
    network = PlasticNetwork("one_layer", seed=seed)
    network.inputs("pixels", (SIDE, SIDE))
    network.inputs("labels", random_feedback.CLASSES)
    network.population(
        "digits",
        random_feedback.CLASSES,
        threshold=plan.threshold,
        error=ErrorParams(bits=4, spike=1),
        neuron="lif-subtract",
        decay=3700,
    )
    rule = error_trace(rate=plan.rate, tau=4.0, error_bits=4)
    network.project("pixels", "digits", weights=(-30, 30), rule=rule)
    network.project("labels", "digits", weights=1, connectivity="one_to_one", teacher=True)
    network.output("digits")
    return compile_network(network, limits=PlacementLimits(lanes=16))


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line; 1 unless the second layer gains a point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's gzipped IDX files")
    parser.add_argument("--images", type=int, default=25_000, help="to learn, of MNIST")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3, help="so many, from 0")
    parser.add_argument("--out", type=Path, default=Path("build/learning/two_layers"))
    options = parser.parse_args(arguments)
    for name, most in (("images", 50_000), ("epochs", 1000), ("seeds", 1000)):
        if not 1 <= getattr(options, name) <= most:
            raise SpikeletError(f"--{name} must be in 1..{most}, not {getattr(options, name)}")
    training, held_out = Digits.small()
    if options.data is not None:
        training = Digits.mnist(options.data, 0, options.images, Preparation())
        held_out = Digits.mnist(options.data, random_feedback.HELD_OUT, 60_000, Preparation())
    one, two = OneLayer(), random_feedback.Plan()
    scores: dict[str, list[float]] = {"one plastic layer": [], "two, by random feedback": []}
    for seed in range(options.seeds):
        networks = (build(one, seed), random_feedback.build(two, seed))
        for found, compiled in zip(scores.values(), networks, strict=True):
            state = random_feedback.train(compiled, training, two, options.epochs)
            found.append(100 * random_feedback.accuracy(compiled, held_out, two, state))
        console.print(f"seed {seed}: {'  '.join(f'{f[-1]:.2f} %' for f in scores.values())}")
    console.print(f"{len(training.labels):,} images learned, {len(held_out.labels):,} held out")
    for name, found in scores.items():
        console.print(f"{name}: {np.mean(found):.2f} ± {np.std(found):.2f}, least {min(found):.2f}")
    below, above = (float(np.mean(found)) for found in scores.values())
    verdict = "reached" if above - below >= _GOAL else "not reached"
    console.print(f"{above - below:+.2f} points; goal: {_GOAL:.0f} or more: {verdict}")
    report = {"one": asdict(one), "two": asdict(two), "scores": scores, "tools": tools()}
    save(options.out, report, _figure(scores))
    return int(above - below < _GOAL)


def _figure(scores: dict[str, list[float]]) -> Figure:
    """Draw the accuracy of each seed."""
    figure = Figure(figsize=(5.6, 1.9), layout="constrained")
    axes = figure.subplots()
    for colour, (name, found) in zip(COLOURS, scores.items(), strict=False):
        axes.plot(found, [name] * len(found), "o", color=colour)
    axes.set(xlabel="held-out accuracy, %", ylim=(-0.5, 1.5))
    return figure


if __name__ == "__main__":
    guarded(main)
