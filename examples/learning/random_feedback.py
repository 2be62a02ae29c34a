"""Digits by random feedback: ``python -m spikelet.examples.learning.random_feedback --data D``.

In the form of e-prop (Bellec et al. 2020; Lillicrap et al. 2016): wanted and own spikes of the
outputs are the teachers of the hidden neurons, with fixed random weights, and both layers learn by
``error_trace``; then the same with the hidden weights frozen. D holds MNIST's gzipped IDX files, of
which images 52,000 to 59,999 are held out, deskewed, 16x16. Without D: 8x8 digits.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.compiler.pruning import prune
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.masks import masked
from spikelet.description.learning.taught_rules import error_trace
from spikelet.description.neurons.error import ErrorParams
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.digits16 import FULL_SCALE, SIDE, Digits, Preparation
from spikelet.examples.learning.support import RECORD, compare, console, guarded, save, tools
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.samples.encode import rate
from spikelet.samples.samples import winners

__all__ = ["Plan", "accuracy", "build", "main", "shown", "train"]

CLASSES, CHUNK, HELD_OUT = 10, 1000, 52_000


@dataclass(frozen=True)
class Plan:
    """What was tuned, on images 50,000 to 51,999.

    Parameters
    ----------
    hidden : int
        Neurons.
    ticks : int
        Of an image; the wanted spikes are in every second.
    feedback : float
        Standard deviation of the feedback's weights; over the classes they add up to 0.
    hidden_rate, output_rate : float
        ``rate`` of the rules.
    cost : int
        What a hidden spike takes off the error: without it hidden neurons end in spiking always.
    window : int
        About the threshold, in which a hidden neuron's error counts.
    """

    hidden: int = 200
    ticks: int = 16
    feedback: float = 20.0
    hidden_rate: float = 4e-6
    output_rate: float = 4e-4
    cost: int = 1
    window: int = 100


def build(plan: Plan, seed: int, *, frozen: bool = False, pruned: bool = False) -> CompiledNetwork:
    """Return the network; ``pruned``: weights of 0 stay so."""
    mask = masked if pruned else (lambda rule: rule)
    network = PlasticNetwork("random_feedback", seed=seed)
    network.inputs("pixels", (SIDE, SIDE))
    network.inputs("labels", CLASSES)
    error = ErrorParams(bits=9, spike=plan.cost, window=plan.window)
    neuron: dict[str, Any] = {"neuron": "lif-subtract", "decay": 3700}
    network.population(
        "hidden", plan.hidden, threshold=150, error=None if frozen else error, **neuron
    )
    wanted = ErrorParams(bits=4, spike=1)
    network.population("digits", CLASSES, threshold=300, error=wanted, **neuron)
    rule = mask(error_trace(rate=plan.hidden_rate, tau=4.0, error_bits=9))
    network.project("pixels", "hidden", weights=(-16, 16), rule=None if frozen else rule)
    if not frozen:
        drawn = np.random.default_rng(seed).normal(0, plan.feedback, (CLASSES, plan.hidden))
        feedback = np.clip(np.rint(drawn - drawn.mean(axis=0)), -127, 127).astype(int)
        network.project("labels", "hidden", weights=feedback, teacher=True)
        network.project("digits", "hidden", weights=-feedback, teacher=True)
    rule = mask(error_trace(rate=plan.output_rate, tau=4.0, error_bits=4))
    network.project("hidden", "digits", weights=(-30, 30), rule=rule)
    network.project("labels", "digits", weights=1, connectivity="one_to_one", teacher=True)
    network.output("digits")
    return compile_network(network, limits=PlacementLimits(lanes=16))


def shown(digits: Digits, plan: Plan, *, taught: bool) -> npt.NDArray[np.uint8]:
    """Return the spikes of images, with or without those wanted: (images, ticks, 256 + 10)."""
    pixels = rate(digits.levels, FULL_SCALE, plan.ticks)
    wanted = np.zeros((len(pixels), plan.ticks, CLASSES), np.uint8)
    if taught:
        wanted[np.arange(len(pixels)), 2::2, digits.labels[None].repeat(plan.ticks // 2 - 1, 0)] = 1
    return np.concatenate([pixels.astype(np.uint8), wanted], axis=2)


def train(
    compiled: CompiledNetwork,
    digits: Digits,
    plan: Plan,
    epochs: int,
    start: ChipState | None = None,
) -> ChipState:
    """Show all images so often, on golden, and return the chip's state."""
    state = start or compiled.initial_state()
    for _ in range(epochs):
        for first in range(0, len(digits.labels), CHUNK):
            spikes = shown(digits.part(first, first + CHUNK), plan, taught=True)
            state = run(compiled, spikes, start=state, record=()).final
    return state


def accuracy(compiled: CompiledNetwork, digits: Digits, plan: Plan, state: ChipState) -> float:
    """Return the share of images whose neuron spikes most."""
    hits = 0
    for first in range(0, len(digits.labels), CHUNK):
        part = digits.part(first, first + CHUNK)
        spikes = shown(part, plan, taught=False)
        found = run(compiled, spikes, start=state, learning=False, record=())
        hits += int((winners(found.counts("digits")) == part.labels).sum())
    return hits / len(digits.labels)


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's gzipped IDX files")
    parser.add_argument("--images", type=int, default=25_000, help="to learn, of MNIST")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rtl", type=int, default=5, help="images learned on the Verilog, too")
    parser.add_argument("--out", type=Path, default=Path("build/learning/random_feedback"))
    options = parser.parse_args(arguments)
    for name, most in (("images", 50_000), ("epochs", 1000), ("rtl", 1000)):
        if not 0 <= getattr(options, name) <= most:
            raise SpikeletError(f"--{name} must be in 0..{most}, not {getattr(options, name)}")
    plan = Plan()
    training, held_out = Digits.small()
    if options.data is not None:
        training = Digits.mnist(options.data, 0, options.images, Preparation())
        held_out = Digits.mnist(options.data, HELD_OUT, 60_000, Preparation())
    table = Table(
        title=f"{len(training.labels):,} images learned, {len(held_out.labels):,} held out"
    )
    table.add_column("hidden weights")
    table.add_column("accuracy, %", justify="right")
    scores: dict[str, float] = {}
    for name, frozen in (("learned by random feedback", False), ("frozen", True)):
        compiled = build(plan, options.seed, frozen=frozen)
        state = train(compiled, training, plan, options.epochs)
        scores[name] = accuracy(compiled, held_out, plan, state)
        table.add_row(name, f"{100 * scores[name]:.2f}")
        if not frozen:
            for share in (0.5, 0.7):
                what = f"learned, {share:.0%} of all synapses pruned"
                hidden = prune(compiled, state, "pixels", "hidden", share)
                both = prune(compiled, hidden, "hidden", "digits", share)
                scores[what] = accuracy(compiled, held_out, plan, both)
                table.add_row(what, f"{100 * scores[what]:.2f}")
            figure = _figure(compiled.weights("pixels", "hidden", state.image))
    compiled = build(plan, options.seed, pruned=True)
    state = train(compiled, training, plan, options.epochs)
    for ends in (("pixels", "hidden"), ("hidden", "digits")):
        state = prune(compiled, state, *ends, 0.5)
    state = train(compiled, training.part(0, 2 * len(training.labels) // 5), plan, 1, state)
    gone = float((compiled.weights("pixels", "hidden", state.image) == 0).mean())
    what = f"learned with masks, pruned, learned on: {gone:.0%} gone"
    scores[what] = accuracy(compiled, held_out, plan, state)
    table.add_row(what, f"{100 * scores[what]:.2f}")
    console.print(table)
    equal = True
    if options.rtl:
        compiled, few = build(plan, options.seed), training.part(0, options.rtl)

        def learn(engine: str) -> list[Recording]:
            spikes = shown(few, plan, taught=True)
            return [run(compiled, spikes, engine=engine, record=RECORD).recording]

        compared = compare(learn)
        console.print(f"learning: {compared}")
        equal = compared.equal
    save(options.out, {"scores": scores, "tools": tools("amaranth", "verilator")}, figure)
    return 0 if equal else 1


def _figure(weights: npt.NDArray[Any]) -> Figure:
    """Draw what the first hidden neurons listen to."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    for neuron, axes in enumerate(figure.subplots(4, 8).flat):
        axes.imshow(weights[:, neuron].reshape(SIDE, SIDE), cmap="RdBu", vmin=-60, vmax=60)
        axes.set(xticks=[], yticks=[])
    return figure


if __name__ == "__main__":
    guarded(main)
