"""Digits learned with a teacher: ``python -m spikelet.examples.learning.sdsp_digits --data D``.

Each image is seen once.

The task of Frenkel et al. 2019, "A 0.086-mm2 12.7-pJ/SOP 64k-synapse 256-neuron online-learning
digital spiking neuromorphic processor in 28-nm CMOS" (ODIN): digits of 16x16 pixels, 10 neurons,
3-bit weights, spike-driven synaptic plasticity (SDSP), each of 6,000 images once, in rank-order
code. ODIN reached 84.5 %. D is a folder of MNIST's gzipped IDX files, of which the last 10,000
images are held out. Without ``--data`` the 8x8 digits of ``examples/digits`` are learned.

An image is shown like this, ticks from left to right; potentials and traces start at 0:

* *Volley*: each of the brightest pixels spikes once, in their order. The neurons' output spikes
  fill their calcium. What spikes most is the answer. A test ends here.
* *Teacher*, one tick: lifts the potential of the image's neuron and lowers the others'.
* *Lesson*, one tick: all pixels of the volley spike at once. Where the teacher lifted the
  potential, weights go up, unless calcium says that the neuron spiked enough by itself; where it
  lowered it, they go down, if calcium says that the neuron spiked too much. Each weight goes only
  with a probability, as the theory of such synapses wants (Brader, Senn & Fusi 2007), so that the
  lesson of one image does not wipe out those before.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.progress import track
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.digits16 import FULL_SCALE, SIDE, Digits, Preparation
from spikelet.examples.learning.support import (
    RECORD,
    Comparison,
    compare,
    console,
    guarded,
    save,
    tools,
)
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.samples.encode import rank_order, rest
from spikelet.samples.samples import winners

__all__ = ["Plan", "accuracy", "build", "lessons", "main", "train", "volleys"]

CLASSES = 10

TEACHERS = 8
"""Rows of a class's teacher: +7 to its neuron and -8 to the others, the ends of 4 bits."""

LIFTED, LOWERED = 20, -20
"""Potentials that only the teacher reaches: it adds 56 or takes 64, and the volley stays near 0."""

SPIKE = 64
"""Calcium of an output spike; large, as its decay takes 1 or 2 in each tick."""

CALCIUM_BITS = 14
"""Calcium of 255 output spikes."""

CHUNK = 1000
"""Images encoded at once."""

_VALIDATION, _HELD_OUT = range(40_000, 50_000), range(50_000, 60_000)


@dataclass(frozen=True)
class Plan:
    """What was tuned, on the first 50,000 images alone.

    Parameters
    ----------
    pixels : int
        Spikes of a volley; about as many as an average image has bright pixels.
    ticks_per_pixel : int
        2: outputs then have time for a spike at each threshold's worth of input.
    threshold : int
        Weight LSBs of input for each output spike; low, so that few images end in a draw.
    enough : int
        Output spikes from which the taught neuron no longer learns.
    too_many : int
        Output spikes above which the others unlearn; below ``enough``, which leaves a margin.
    shift_up, shift_down : int
        A weight goes up with probability ``2**-shift_up``.
    inhibition : int
        Weight LSBs that a neuron's spike takes from the others: they compete.
    gates : bool
        Whether calcium decides; else every image is a lesson.
    drift : bool
        Whether weights go towards 0 or 7, on average a step in 256 images (bistable synapses).
    one_threshold : bool
        Whether potentials that the teacher did not lift count as lowered, as with a single
        threshold: weights then also go down in the volley.
    scale : int
        All weights, steps and potentials are so many times as large: 9 makes weights of 6 bits.
    """

    pixels: int = 72
    ticks_per_pixel: int = 2
    threshold: int = 3
    enough: int = 101
    too_many: int = 86
    shift_up: int = 3
    shift_down: int = 4
    inhibition: int = 1
    gates: bool = True
    drift: bool = False
    one_threshold: bool = False
    scale: int = 1

    @property
    def ticks(self) -> int:
        """Ticks of a volley, with some for the last outputs."""
        return self.pixels * self.ticks_per_pixel + 8

    @property
    def rule(self) -> LearningRule:
        """SDSP at the pre spike; calcium is the post trace."""
        enough = f"*(y1 < {self.enough * SPIKE})" if self.gates else ""
        too_many = f"*(y1 > {self.too_many * SPIKE})" if self.gates else ""
        lifted, low = LIFTED * self.scale, LOWERED * self.scale
        lowered = f"(v <= {lifted})" if self.one_threshold else f"(v < {low})"
        text = f"{self.scale}*2^-{self.shift_up}*x0*(v > {lifted}){enough}"
        text += f" - {self.scale}*2^-{self.shift_down}*x0*{lowered}{too_many}"
        if self.drift:
            text += " + 2^-8*u7*(w > 3) - 2^-8*u7*(w <= 3)"
        return LearningRule(
            text,
            y1=TraceParams(SPIKE, decay=4095, bits=CALCIUM_BITS) if self.gates else None,
            w_min=0,
            w_max=7 * self.scale,
            rounding="stochastic",
            name="SDSP with a teacher",
            source="Brader, Senn & Fusi 2007; Frenkel et al. 2019",
        )


def build(plan: Plan, seed: int, devices: Devices | None = None) -> CompiledNetwork:
    """Return the network: 256 plastic rows of pixels, 80 rows of teachers, 10 neurons.

    ``devices``: what the plastic synapses are made of, if anything.
    """
    network = PlasticNetwork("sdsp", seed=seed)
    network.inputs("pixels", (SIDE, SIDE))
    network.inputs("teacher", (CLASSES, TEACHERS))
    network.population(
        "digits",
        CLASSES,
        threshold=plan.threshold * plan.scale,
        neuron="snntorch-subtract",  # what is above the threshold counts for the next spike
        inhibition=plan.inhibition * plan.scale or None,
    )
    weights = (2 * plan.scale, 5 * plan.scale)
    network.project("pixels", "digits", weights=weights, rule=plan.rule, devices=devices)
    own = np.eye(CLASSES, dtype=bool).repeat(TEACHERS, axis=0)
    network.project("teacher", "digits", weights=plan.scale * np.where(own, 7, -8))
    network.output("digits")
    return compile_network(network, limits=PlacementLimits(lanes=16))


def volleys(digits: Digits, plan: Plan) -> npt.NDArray[np.uint8]:
    """Return the spikes of a test, shape (images, ticks, 256 + 80)."""
    ticks = plan.pixels * plan.ticks_per_pixel
    pixels = rank_order(digits.levels, FULL_SCALE, ticks, count=plan.pixels)
    pixels = rest(pixels, plan.ticks - ticks)
    return np.pad(pixels, ((0, 0), (0, 0), (0, CLASSES * TEACHERS)))


def lessons(digits: Digits, plan: Plan) -> npt.NDArray[np.uint8]:
    """Return the spikes of training: volleys, a tick of the teacher, a tick of the lesson."""
    spikes = rest(volleys(digits, plan), 2)
    teachers = spikes[:, -2, SIDE * SIDE :].reshape(len(spikes), CLASSES, TEACHERS)
    teachers[np.arange(len(spikes)), digits.labels] = 1
    spikes[:, -2, SIDE * SIDE :] = teachers.reshape(len(spikes), -1)
    spikes[:, -1, : SIDE * SIDE] = spikes[..., : SIDE * SIDE].any(axis=1)
    return spikes


def train(
    compiled: CompiledNetwork, digits: Digits, plan: Plan, state: ChipState | None = None
) -> ChipState:
    """Show each image once on golden, and return the chip's state; ``state``: from where to go."""
    state = state or compiled.initial_state()
    for part in _parts(digits):
        state = run(compiled, lessons(part, plan), start=state, record=()).final
    return state


def accuracy(compiled: CompiledNetwork, digits: Digits, plan: Plan, state: ChipState) -> float:
    """Return the share of images whose neuron spikes most; of equals the lowest counts.

    An image without an output spike has no class.
    """
    hits = 0
    for part in _parts(digits):
        learned = _test(compiled, part, plan, state, "golden", ())
        hits += int((winners(learned.counts("digits")) == part.labels).sum())
    return hits / len(digits.labels)


def _test(
    compiled: CompiledNetwork,
    digits: Digits,
    plan: Plan,
    state: ChipState,
    engine: str,
    record: tuple[str, ...],
) -> Run:
    spikes = volleys(digits, plan)
    return run(compiled, spikes, engine=engine, learning=False, start=state, record=record)


def _parts(digits: Digits) -> Iterator[Digits]:
    for first in range(0, len(digits.labels), CHUNK):
        yield digits.part(first, first + CHUNK)


def confirm(
    plan: Plan, training: Digits, held_out: Digits, state: ChipState, seed: int
) -> dict[str, Comparison]:
    """Compare golden with the Verilog: in training, and in tests from a trained state."""
    compiled = build(plan, seed)

    def training_pass(engine: str) -> list[Recording]:
        return [run(compiled, lessons(training, plan), engine=engine, record=RECORD).recording]

    def test(engine: str) -> list[Recording]:
        return [_test(compiled, held_out, plan, state, engine, RECORD).recording]

    return {"training": compare(training_pass), "test": compare(test)}


@dataclass(frozen=True)
class _Sets:
    """Images to learn, and to be tested with."""

    training: Digits
    held_out: Digits


def _sets(folder: Path | None, training: int, test: range, how: Preparation) -> _Sets:
    if folder is None:
        return _Sets(*Digits.small())
    learned = Digits.mnist(folder, 0, training, how)
    return _Sets(learned, Digits.mnist(folder, test.start, test.stop, how))


def linear_reference(training: Digits, held_out: Digits, plan: Plan) -> float:
    """Return the accuracy of softmax regression on the same pixels: float weights, 500 passes."""
    inputs, tests = (
        rank_order(part.levels, FULL_SCALE, 1, count=plan.pixels)[:, 0].astype(np.float64)
        for part in (training, held_out)
    )
    wanted = np.eye(CLASSES)[training.labels]
    weights = np.zeros((SIDE * SIDE, CLASSES))
    momentum = np.zeros_like(weights)
    for _ in range(500):
        scores = inputs @ weights
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        momentum = 0.9 * momentum + inputs.T @ (wanted - likely) / len(inputs)
        weights += 0.2 * momentum
    return float(((tests @ weights).argmax(axis=1) == held_out.labels).mean())


def variants(plan: Plan) -> dict[str, tuple[Plan, Preparation]]:
    """Return what is left out or changed, one thing at a time."""
    usual = Preparation()
    return {
        "as tuned": (plan, usual),
        "not deskewed": (plan, Preparation(deskew=False)),
        "whole image scaled, not its inner 20x20": (plan, Preparation(margin=0)),
        "calcium does not decide": (replace(plan, gates=False), usual),
        "a lesson moves every weight": (replace(plan, shift_up=0, shift_down=0), usual),
        "neurons do not compete": (replace(plan, inhibition=0), usual),
        "one potential threshold": (replace(plan, one_threshold=True), usual),
        "weights of 6 bits": (replace(plan, scale=9), usual),
        "weights of 6 bits, not deskewed": (replace(plan, scale=9), Preparation(deskew=False)),
        "bistable synapses": (replace(plan, drift=True), usual),
        "36 pixels, spike counts in proportion": (
            replace(plan, pixels=36, enough=plan.enough // 2, too_many=plan.too_many // 2),
            usual,
        ),
        "threshold of 12, spike counts in proportion": (
            replace(plan, threshold=12, enough=plan.enough // 4, too_many=plan.too_many // 4),
            usual,
        ),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = _options(arguments)
    seeds = range(1, options.seeds + 1)
    plan = Plan()
    rows: list[dict[str, Any]] = []
    if options.ablate:
        for name, (variant, how) in variants(plan).items():
            sets = _sets(options.data, options.images, _VALIDATION, how)
            rows.append(_row(name, variant, sets, seeds))
        console.print(_table(rows, "validation images"))
    sets = _sets(options.data, options.images, _HELD_OUT, Preparation())
    final = [_row("8x8 digits" if options.data is None else "deskewed", plan, sets, seeds)]
    if options.data is not None:
        plain = _sets(options.data, options.images, _HELD_OUT, Preparation(deskew=False))
        final.append(_row("not deskewed", plan, plain, seeds))
    console.print(_table(final, "images held out"))
    for row in final:
        console.print(f"softmax regression, {row['name']}: {100 * row['softmax']:.2f} %")
    state = train(build(plan, 1), sets.training, plan)
    confirmed: dict[str, Comparison] = {}
    if not options.no_rtl:
        few, many = (10, 10) if options.quick else (200, 500)
        pair = sets.training.part(0, few), sets.held_out.part(0, many)
        confirmed = confirm(plan, *pair, state, 1)
        for what, found in confirmed.items():
            console.print(f"{what}: {found}")
    report = {
        "plan": asdict(plan),
        "images": len(sets.training.labels),
        "validation": rows,
        "held_out": final,
        "rtl": {what: asdict(found) for what, found in confirmed.items()},
        "tools": tools("amaranth", "verilator"),
    }
    save(options.out, report, _figure(build(plan, 1), state))
    return 0 if all(found.equal for found in confirmed.values()) else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; SpikeletError for a number outside its range."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's gzipped IDX files")
    parser.add_argument("--images", type=int, default=6000, help="to learn")
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 1")
    parser.add_argument("--ablate", action="store_true", help="leave out one thing at a time")
    parser.add_argument("--quick", action="store_true", help="one seed, few images on the RTL")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/sdsp_digits"))
    options = parser.parse_args(arguments)
    for name, value, most in (
        ("--images", options.images, _VALIDATION.start),
        ("--seeds", options.seeds, 1000),
    ):
        if not 1 <= value <= most:
            raise SpikeletError(f"{name} must be in 1..{most}, not {value}")
    if options.ablate and options.data is None:
        raise SpikeletError(
            "--ablate needs MNIST's validation images", remedy="give their folder with --data"
        )
    if options.quick:
        options.seeds = 1
    return options


def _row(name: str, plan: Plan, sets: _Sets, seeds: range) -> dict[str, Any]:
    """Return the accuracy of a plan with each seed."""
    found = []
    for seed in track(seeds, name, console=console, transient=True):
        compiled = build(plan, seed)
        state = train(compiled, sets.training, plan)
        found.append(accuracy(compiled, sets.held_out, plan, state))
    reference = linear_reference(sets.training, sets.held_out, plan)
    images = len(sets.held_out.labels)
    return {"name": name, "images": images, "accuracy": found, "softmax": reference}


def _table(rows: list[dict[str, Any]], what: str) -> Table:
    table = Table(title=f"accuracy on {rows[0]['images']:,} {what}, %, after one pass")
    table.add_column("variant")
    table.add_column("mean ± over seeds", justify="right")
    table.add_column("lowest", justify="right")
    for row in rows:
        found = 100 * np.array(row["accuracy"])
        table.add_row(row["name"], f"{found.mean():.2f} ± {found.std():.2f}", f"{found.min():.2f}")
    return table


def _figure(compiled: CompiledNetwork, state: ChipState) -> Figure:
    """Draw the weights of each neuron."""
    weights = compiled.weights("pixels", "digits", state.image)
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    for digit, axes in enumerate(figure.subplots(2, 5).flat):
        image = axes.imshow(weights[:, digit].reshape(SIDE, SIDE), cmap="viridis", vmin=0, vmax=7)
        axes.set(xticks=[], yticks=[])
        axes.set_title(str(digit), fontsize=9)
    figure.colorbar(image, ax=figure.axes, label="weight", shrink=0.8)
    return figure


if __name__ == "__main__":
    guarded(main)
