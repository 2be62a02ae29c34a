"""Correlated inputs found without labels: ``python -m spikelet.examples.learning.correlation``.

Boybat et al. 2018, "Neuromorphic computing with multi-memristive synapses" (Nature Communications
9:2514): 1,000 synapses lead to one neuron; 100 of them get correlated spikes. STDP makes their
weights large and the others small, the more clearly the more devices a synapse has. A step of the
task is a tick: a spike of the neuron gives a pulse up to synapses whose input spikes in the same
step, and one down to those whose input spikes in the next; the core's counter says to what device.
"""

import argparse
import sys
import time
from collections.abc import Iterable
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
from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.examples.learning import support
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import Run, run

__all__ = ["Outcome", "Task", "build", "correlated_spikes", "detect", "main", "outcome"]

CORRELATION = 0.75
PROBABILITY = 0.1
"""Of an input spike in a step: some 500 coincidences in 5,000 steps."""
PULSE = 0.2
"""Share of a device's range by which a pulse moves it, on average."""
THRESHOLD = 0.65
"""Share of what the correlated synapses add up to at their largest: at first, with weights half
their largest, about what tells a coincidence (0.88) from chance (0.5)."""
LEVELS, COUNTS, NOISES = (2, 4, 8, 16, 32), (1, 3, 7), (0.0, 0.2)
LARGE = 144
"""Neurons, each with synapses of its own, of the run that is only timed."""


@dataclass(frozen=True)
class Task:
    """A network and its inputs. A tenth of the synapses, the first, is correlated.

    ``noise`` is the deviation of a pulse as a share of the range; SpikeletError for what does not
    fit.
    """

    levels: int = 16
    devices: int = 1
    synapses: int = 1000
    steps: int = 5000
    seed: int = 1
    noise: float = 0.2
    neurons: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (("levels", 2, 256), ("synapses", 10, 4096), ("steps", 1, 1 << 20)):
            check_int(f"task: {name}", getattr(self, name), low, high)


@dataclass(frozen=True, eq=False)
class Outcome:
    """How well the groups are told apart by weight, as a share of the largest: (synapses,)."""

    task: Task
    separation: float
    area: float
    spikes: int
    weights: npt.NDArray[np.float64]


def correlated_spikes(task: Task) -> npt.NDArray[np.bool_]:
    """Return input spikes, shape (steps, synapses), all of the same rate.

    Each correlated input copies a common source with probability ``sqrt(CORRELATION)`` in a step,
    and else draws by itself. So any two of them have that correlation.
    """
    generator, correlated = np.random.default_rng(task.seed), task.synapses // 10
    source = generator.random((task.steps, 1)) < PROBABILITY
    spikes = generator.random((task.steps, task.synapses)) < PROBABILITY
    copies = generator.random((task.steps, correlated)) < np.sqrt(CORRELATION)
    spikes[:, :correlated] = np.where(copies, source, spikes[:, :correlated])
    return spikes


def build(task: Task) -> CompiledNetwork:
    """Return the network."""
    top = task.levels - 1
    step, noise = (round(share * top * 16) for share in (PULSE, task.noise))
    steps, bits = (step,) * task.levels, top.bit_length()
    devices = Devices(task.devices, up=steps, down=steps, bits=bits, noise=noise)
    # 2 at the neuron's spike, 1 in the next tick, then 0.
    y1 = TraceParams(increment=2, decay_shift=2, bits=2, mode="set")
    rule = LearningRule("x0*y0 - x0*y1", y1=y1, name="STDP of a step", source="Boybat et al. 2018")
    network = PlasticNetwork("correlation", seed=task.seed)
    network.inputs("inputs", task.synapses)
    threshold = round(THRESHOLD * (task.synapses // 10) * devices.w_max)
    network.population("neuron", task.neurons, threshold=threshold, decay=0, potential_bits=20)
    network.project("inputs", "neuron", weights=(0, devices.w_max), rule=rule, devices=devices)
    network.output("neuron")
    return compile_network(network, limits=PlacementLimits(lanes=min(16, task.neurons)))


def detect(task: Task, engine: str = "golden", record: Iterable[str] = ()) -> Run:
    """Run a task and return what was learned."""
    spikes = correlated_spikes(task)[None].astype(np.uint8)
    return run(build(task), spikes, engine, record=tuple(record))


def outcome(task: Task) -> Outcome:
    """Run a task on golden and return how well the first neuron tells the groups apart."""
    learned, first = detect(task), task.synapses // 10
    weights = learned.weights("inputs", "neuron")[:, 0] / (task.devices * (task.levels - 1))
    scores = (score(weights[:first], weights[first:]) for score in SCORES)
    return Outcome(task, *scores, int(learned.recording.outputs[0, :, 0].sum()), weights)


SCORES = (support.separation, support.area_under_curve)


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 1")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--quick", action="store_true", help="a few small networks, one seed")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/correlation"))
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        raise SpikeletError(f"--seeds must be 1 or more, not {options.seeds}")
    task, levels, counts, seeds = Task(steps=options.steps), LEVELS, COUNTS, options.seeds
    if options.quick:
        task, levels, counts, seeds = Task(synapses=100, steps=500), (2, 16), (1, 3), 1
    tasks = [
        replace(task, levels=level, devices=count, noise=noise, seed=seed)
        for noise in NOISES
        for level in levels
        for count in counts
        for seed in range(1, seeds + 1)
    ]
    outcomes = [outcome(each) for each in track(tasks, "networks", console=support.console)]
    found = {(o.task.noise, o.task.levels, o.task.devices, o.task.seed): o for o in outcomes}
    for noise in NOISES:
        table = Table(title=f"noise {noise}: separation over seeds, areas under the curve")
        for name in ("levels", *(f"N = {count}" for count in counts)):
            table.add_column(name, justify="right")
        for level in levels:
            rows = [[found[noise, level, n, s + 1] for s in range(seeds)] for n in counts]
            table.add_row(str(level), *map(_cell, rows))
        support.console.print(table)
    confirmed = []
    for count in () if options.no_rtl else counts:
        shown = replace(task, devices=count)
        confirmed.append(support.compare(lambda e: [detect(shown, e, support.RECORD).recording]))  # noqa: B023
        support.console.print(f"N = {count}: {confirmed[-1]}")
    large = replace(task, devices=counts[-1], neurons=LARGE)
    began = time.perf_counter()
    detect(large)
    seconds = time.perf_counter() - began
    pairs = f"{LARGE * task.synapses:,} x {counts[-1]} devices, {task.steps:,} steps"
    support.console.print(f"{pairs} on golden: {seconds:.1f} s")
    report: dict[str, Any] = {
        "outcomes": [{**asdict(o), "weights": None} for o in outcomes],
        "rtl": [asdict(each) for each in confirmed],
        "large_seconds": seconds,
        "tools": support.tools("amaranth", "verilator"),
    }
    last = [found[NOISES[-1], levels[-1], count, 1] for count in counts]
    support.save(options.out, report, _figure(last))
    return 0 if all(each.equal for each in confirmed) else 1


def _cell(outcomes: list[Outcome]) -> str:
    gaps = np.array([each.separation for each in outcomes])
    areas = [each.area for each in outcomes]
    return f"{gaps.mean():.2f} ± {gaps.std():.2f}   {min(areas):.4f} to {max(areas):.4f}"


def _figure(outcomes: list[Outcome]) -> Figure:
    """Draw the weights of both groups, a picture for each number of devices."""
    figure = Figure(figsize=(9.6, 2.6), layout="constrained")
    for axes, each in zip(np.ravel(figure.subplots(1, len(outcomes))), outcomes, strict=True):
        first = each.task.synapses // 10
        for group, colour in zip((each.weights[first:], each.weights[:first]), support.COLOURS):  # noqa: B905
            share = np.full(len(group), 1 / len(group))
            axes.hist(group, np.linspace(0, 1, 25), weights=share, color=colour, alpha=0.7)
        axes.set(xlabel="weight", ylim=(0, 0.6))
        axes.set_title(f"N = {each.task.devices}, area {each.area:.4f}", loc="left", fontsize=9)
    return figure


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SpikeletError as error:
        sys.exit(f"error: {error}")
