"""Digits without labels: ``python -m spikelet.examples.learning.unsupervised_digits --data D``.

Neurons that compete for 28x28 images by STDP, after Diehl & Cook 2015 ("Unsupervised learning of
digit recognition using spike-timing-dependent plasticity") and Querlioz et al. 2013: on a post
spike a synapse grows if its axon spiked lately, else it shrinks; a homeostatic threshold makes all
neurons take part; a spike inhibits all others. Labels serve only to name the neurons afterwards,
from training images. Of MNIST's 60,000 training images the last 10,000 are held out.

Without ``--data`` the 8x8 digits of ``examples/digits`` are learned, in a few seconds.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.learning.variability import Variability
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.examples.learning.support import guarded
from spikelet.examples.mnist.data import load_mnist
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.reports.learning_plots import receptive_fields
from spikelet.runs.run import run
from spikelet.runs.verify import verify
from spikelet.samples.encode import poisson
from spikelet.samples.samples import Samples, winners

__all__ = [
    "CHUNK",
    "Images",
    "Outcome",
    "Plan",
    "add_neurons",
    "build",
    "confirm",
    "digits_8x8",
    "encoded",
    "learn",
    "learn_side_by_side",
    "main",
    "mnist",
    "outcome_of",
    "plan_for",
    "seed_of",
]

PROBABILITY = 65535
"""Full scale of the encoder, at which an input would spike in every tick."""

CHUNK = 500
"""Images encoded at once."""

Levels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Images:
    """Images and labels, to train and name with, and held out."""

    levels: Levels
    labels: npt.NDArray[np.uint8]
    test_levels: Levels
    test_labels: npt.NDArray[np.uint8]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """What was tuned, on training images alone.

    Parameters
    ----------
    ticks : int
        An image is shown so long.
    spikes_per_tick : float
        Of all inputs together, whatever the image: faint digits count as much as bold ones.
    threshold, decay, inhibition_thresholds : int
        In potential LSBs at 8-bit weights, 1/4096, and thresholds.
    offset : int
        Recording below which a post spike depresses; a fresh trace is 255.
    trace_decay : int
        In 1/4096: a trace falls below the offset after some 26 ticks.
    learning_shift : int
        A post spike changes a weight by (trace - offset) / 2**learning_shift, at 8 bits.
    rise : float
        Of the threshold at each spike, as a share of it.
    fall : int
        The rise decays by 2**-fall a tick.
    epochs : int
    """

    ticks: int = 48
    spikes_per_tick: float = 20.0
    threshold: int = 12_711
    decay: int = 3850
    inhibition_thresholds: int = 16
    offset: int = 70
    trace_decay: int = 3900
    learning_shift: int = 5
    rise: float = 0.02
    fall: int = 18
    epochs: int = 3


@dataclass(frozen=True)
class Outcome:
    """What was learned, and how well the held-out images are told apart."""

    compiled: CompiledNetwork
    state: ChipState
    neuron_labels: npt.NDArray[np.int64]
    accuracy: float
    silent: float
    spikes_per_image: float


def plan_for(images: Images, neurons: int = 100) -> Plan:
    """Return the constants tuned for these images; for more than 400 neurons others of MNIST."""
    if images.shape == (8, 8):
        return Plan(
            ticks=24,
            spikes_per_tick=12.0,
            threshold=5000,
            inhibition_thresholds=8,
            offset=160,
            trace_decay=3850,
            learning_shift=3,
            rise=0.1,
            fall=14,
            epochs=5,
        )
    if neurons > 400:  # fewer neurons spike for an image, so that they become more unlike
        return Plan(threshold=14_000, decay=3850, inhibition_thresholds=8, rise=0.05, fall=20)
    return Plan()


def build(
    images: Images,
    neurons: int,
    bits: int,
    plan: Plan,
    seed: int,
    lanes: int,
    cores: int = 1,
    variability: Variability | None = None,
) -> CompiledNetwork:
    """Return the untrained network. Weights of fewer bits are the upper bits of 8.

    ``cores``: over so many cores at least, all as large, as far as whole groups of lanes allow.
    ``variability``: each synapse is a device of ``2**bits`` levels, and so they differ; a pulse
    moves one without fault by a level. None: weights are numbers.
    """
    network = PlasticNetwork("digits", seed=seed)
    network.output(add_neurons(network, images, neurons, bits, plan, variability))
    most = -(-neurons // (cores * lanes)) * lanes if cores > 1 else None
    return compile_network(network, limits=PlacementLimits(lanes=lanes, max_neurons=most))


def add_neurons(
    network: PlasticNetwork,
    images: Images,
    neurons: int,
    bits: int,
    plan: Plan,
    variability: Variability | None = None,
) -> str:
    """Add inputs ``pixels``, and neurons that learn from them; return the name of these."""
    largest, missing = (1 << bits) - 1, 8 - bits
    shift = plan.learning_shift + missing
    rule = LearningRule(
        f"dw = 2^-{shift}*(x1 - {plan.offset})*y0",
        x1=TraceParams(increment=255, decay=plan.trace_decay, mode="set"),
        w_max=largest,
        rounding="stochastic",
        name="unsupervised digits",
    )
    threshold = round(plan.threshold * (largest << missing) / 255)
    network.inputs("pixels", images.shape)
    network.population(
        "neurons",
        neurons,
        threshold=threshold,
        decay=plan.decay,
        potential_bits=22,
        weight_exponent=missing,
        weight_bits=bits,
        inhibition=plan.inhibition_thresholds * threshold,
        adaptation=Adaptation(
            increment=round(plan.rise * threshold * 64), decay_shift=plan.fall, fraction_bits=6
        ),
    )
    low, high = largest * 20 // 255, max(1, largest * 140 // 255)
    step = (16,) * (largest + 1)  # in 1/16 of a level
    network.project(
        "pixels",
        "neurons",
        weights=(low, high),
        rule=rule,
        devices=Devices(1, up=step, down=step, bits=bits) if variability else None,
        variability=variability,
    )
    return "neurons"


def encoded(levels: Levels, plan: Plan, seed: int) -> npt.NDArray[np.uint8]:
    """Return Poisson spikes, as many on average for each image."""
    totals = np.maximum(1, levels.sum(axis=1, dtype=np.int64))[:, None]
    scaled = np.round(levels * (plan.spikes_per_tick * PROBABILITY) / totals).astype(np.int64)
    return poisson(
        np.minimum(scaled, PROBABILITY), PROBABILITY, plan.ticks, max_rate=1000.0, seed=seed
    )


def learn(
    images: Images,
    neurons: int,
    *,
    bits: int = 8,
    seed: int = 1,
    plan: Plan,
    lanes: int = 16,
    cores: int = 1,
) -> Outcome:
    """Train on all images, name the neurons, and classify the held-out images."""
    compiled = build(images, neurons, bits, plan, seed, lanes, cores)
    return learn_side_by_side(images, [compiled], seed=seed, plan=plan)[0]


def learn_side_by_side(
    images: Images, networks: Sequence[CompiledNetwork], *, seed: int, plan: Plan
) -> list[Outcome]:
    """Let each network learn as by :func:`learn`, all from the same input spikes."""
    states = [compiled.initial_state() for compiled in networks]
    generator = np.random.default_rng(seed)
    for epoch in range(plan.epochs):
        order = generator.permutation(len(images.labels))
        for first, part in _parts(order, f"training, epoch {epoch + 1}"):
            spikes = encoded(images.levels[part], plan, seed_of(seed, epoch, first))
            states = [
                run(compiled, spikes, start=state, record=()).final
                for compiled, state in zip(networks, states, strict=True)
            ]
    pairs = list(zip(networks, states, strict=True))
    named = _counts(pairs, images.levels, plan, seed_of(seed, 1000, 0), "naming neurons")
    tested = _counts(pairs, images.test_levels, plan, seed_of(seed, 1001, 0), "testing")
    return [
        outcome_of(images, *pair, *counts)
        for pair, *counts in zip(pairs, named, tested, strict=True)
    ]


def outcome_of(
    images: Images,
    compiled: CompiledNetwork,
    state: ChipState,
    named: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> Outcome:
    """Name the neurons by their spikes for the training images, and let them vote."""
    rates = np.stack([named[images.labels == digit].mean(axis=0) for digit in range(10)], axis=1)
    # Each spike votes for the digits as its neuron's spikes were spread over them.
    votes = counts @ (rates / np.maximum(1e-9, rates.sum(axis=1, keepdims=True)))
    return Outcome(
        compiled,
        state,
        rates.argmax(axis=1),
        float((winners(votes) == images.test_labels).mean()),
        float((counts.sum(axis=1) == 0).mean()),
        float(counts.sum(axis=1).mean()),
    )


def seed_of(*parts: int) -> int:
    """Return a seed of its own for each use."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _parts(order: npt.NDArray[np.int64], what: str) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    starts = range(0, len(order), CHUNK)
    console = Console(stderr=True)
    for first in track(
        starts, what, console=console, transient=True, disable=not console.is_terminal
    ):
        yield first, order[first : first + CHUNK]


def _counts(
    pairs: Sequence[tuple[CompiledNetwork, ChipState]],
    levels: Levels,
    plan: Plan,
    seed: int,
    what: str,
) -> list[npt.NDArray[np.int64]]:
    """Return the spikes of each network's neurons for each image, with learning off."""
    counts: list[list[npt.NDArray[np.int64]]] = [[] for _ in pairs]
    for first, part in _parts(np.arange(len(levels)), what):
        spikes = encoded(levels[part], plan, seed_of(seed, first))
        for own, (compiled, state) in zip(counts, pairs, strict=True):
            shown = run(compiled, spikes, learning=False, start=state, record=())
            own.append(shown.counts("neurons"))
    return [np.concatenate(own) for own in counts]


def mnist(folder: Path, *, validate: bool) -> Images:
    """Return MNIST's first 50,000 images and the other 10,000, or parts of the former to tune."""
    levels, labels = load_mnist(folder)
    train, test = (40_000, 50_000) if validate else (50_000, 60_000)
    return Images(levels[:train], labels[:train], levels[train:test], labels[train:test], (28, 28))


def digits_8x8() -> Images:
    """Return the 8x8 digits that ``examples/digits`` ships: 460 to learn, 100 held out."""
    path = Path(__file__).parents[1] / "digits" / "digits_test.npz"
    with np.load(path) as data:
        levels = np.concatenate([data["calibration_levels"], data["test_levels"]])
        labels = np.concatenate([data["calibration_labels"], data["test_labels"]])
    return Images(levels[:-100], labels[:-100], levels[-100:], labels[-100:], (8, 8))


def confirm(images: Images, outcome: Outcome, plan: Plan, seed: int, samples: int) -> str:
    """Learn the first images on the RTL too; SpikeletError unless all is golden's."""
    spikes = encoded(images.levels[:samples], plan, seed_of(seed, 0, 0))
    verification = verify(outcome.compiled, Samples(spikes))
    if not verification.equal:
        raise SpikeletError(f"RTL differs from golden: {verification}")
    return f"{len(spikes)} of {len(spikes)}"


def main() -> int:
    """Run the experiment; print a table, and write a picture and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's gzipped IDX files")
    parser.add_argument("--neurons", type=int, nargs="+", default=[100])
    parser.add_argument("--bits", type=int, nargs="+", default=[8], help="of a weight")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--cores", type=int, default=1, help="at least so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rtl", type=int, default=0, help="confirm so many images on the RTL")
    parser.add_argument("--validate", action="store_true", help="hold out training images instead")
    parser.add_argument("--out", type=Path, default=Path("build/learning/unsupervised_digits"))
    options = parser.parse_args()

    images = mnist(options.data, validate=options.validate) if options.data else digits_8x8()
    options.out.mkdir(parents=True, exist_ok=True)
    table = Table(title=f"{len(images.labels)} images learned, {len(images.test_labels)} held out")
    for head in ("neurons", "weight bits", "accuracy", "spikes an image", "silent", "RTL equal"):
        table.add_column(head, justify="right")
    rows = []
    for neurons in options.neurons:
        for bits in options.bits:
            plan = plan_for(images, neurons)
            plan = replace(plan, epochs=options.epochs or plan.epochs)
            outcome = learn(
                images, neurons, bits=bits, seed=options.seed, plan=plan, cores=options.cores
            )
            equal = "not asked"
            if options.rtl:
                equal = confirm(images, outcome, plan, options.seed, options.rtl)
            row = [f"{outcome.accuracy:.1%}", f"{outcome.spikes_per_image:.1f}"]
            table.add_row(str(neurons), str(bits), *row, f"{outcome.silent:.1%}", equal)
            rows.append({"neurons": neurons, "bits": bits, "accuracy": outcome.accuracy})
            weights = outcome.compiled.weights("pixels", "neurons", outcome.state.image)
            picture = receptive_fields(weights, images.shape, (0, (1 << bits) - 1))
            (options.out / f"fields-{neurons}-{bits}.png").write_bytes(picture)
    Console().print(table)
    (options.out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    guarded(main)
