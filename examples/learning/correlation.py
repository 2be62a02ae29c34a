"""Correlated inputs found without labels: ``python -m spikelet.examples.learning.correlation``.

Boybat et al. 2018, "Neuromorphic computing with multi-memristive synapses" (Nature Communications
9:2514): 1,000 synapses lead to one neuron; 100 of them get correlated spikes. STDP makes their
weights large and the others small, the more clearly the more devices a synapse has. A step of the
task is a tick: a spike of the neuron gives a pulse up to synapses whose input spikes in the same
step, and one down to those whose input spikes in the next; the core's counter says to what device.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.run.recording import Recording
from spikelet.examples.learning import support
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run
from spikelet.runs.run_result import Run

__all__ = ["Outcome", "Task", "build", "correlated_spikes", "detect", "main", "outcome"]

CORRELATION = 0.75
PROBABILITY = 0.1
"""Of an input spike in a step: some 500 coincidences in 5,000 steps."""
PULSE = 0.2
"""Share of a device's range by which a pulse moves it, on average."""
THRESHOLD = 0.65
"""Share of what the correlated synapses add up to at their largest: at first, with weights half
their largest, about what tells a coincidence (0.88) from chance (0.5)."""
N = (1, 3, 7)
"""Devices of a synapse."""
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
    """How well the groups are told apart by weight, as a share of the largest."""

    task: Task
    separation: float
    area: float
    spikes: int
    groups: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


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
    groups = weights[:first], weights[first:]
    spikes = int(learned.recording.outputs[0, :, 0].sum())
    area = support.area_under_curve(*groups)
    return Outcome(task, support.separation(*groups), area, spikes, groups)


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 1")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--levels", type=int, nargs="*", default=(2, 4, 16), help="of a device")
    parser.add_argument("--noise", type=float, nargs="*", default=(0.0, 0.2), help="of the range")
    parser.add_argument("--quick", action="store_true", help="a small network, one seed")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/correlation"))
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        raise SpikeletError(f"--seeds must be 1 or more, not {options.seeds}")
    seeds = 1 if options.quick else options.seeds
    base = Task(steps=options.steps, synapses=100 if options.quick else 1000)
    cases = [(noise, levels, n) for noise in options.noise for levels in options.levels for n in N]
    outcomes = []
    for noise, levels, n in cases:
        task = replace(base, noise=noise, levels=levels, devices=n)
        found = [outcome(replace(task, seed=seed)) for seed in range(1, seeds + 1)]
        gaps, areas = (np.array([getattr(o, x) for o in found]) for x in ("separation", "area"))
        support.console.print(
            f"noise {noise}, {levels} levels, N = {n}: separation {gaps.mean():.2f} ± "
            f"{gaps.std():.2f}, area {areas.min():.4f} to {areas.max():.4f}"
        )
        outcomes += found
    equal = []
    for n in () if options.no_rtl else N:
        shown = replace(base, devices=n)
        equal.append(support.compare(partial(_recorded, shown)))
        support.console.print(f"16 levels, N = {n}, noise {shown.noise}: {equal[-1]}")
    began = time.perf_counter()
    detect(replace(base, devices=N[-1], neurons=LARGE))
    seconds = time.perf_counter() - began
    support.console.print(f"{LARGE * base.synapses:,} x {N[-1]} devices on golden: {seconds:.1f} s")
    report = {
        "outcomes": [{**asdict(o), "groups": None} for o in outcomes],
        "rtl": [asdict(each) for each in equal],
        "large_seconds": seconds,
        "tools": support.tools("amaranth", "verilator"),
    }
    support.save(options.out, report, _figure(outcomes[-seeds * len(N) :: seeds]))
    return 0 if all(each.equal for each in equal) else 1


def _recorded(task: Task, engine: str) -> list[Recording]:
    return [detect(task, engine, support.RECORD).recording]


def _figure(outcomes: list[Outcome]) -> Figure:
    """Draw the weights of both groups, a picture for each number of devices."""
    figure = Figure(figsize=(9.6, 2.6), layout="constrained")
    for axes, each in zip(np.ravel(figure.subplots(1, len(outcomes))), outcomes, strict=True):
        for group, colour in zip(reversed(each.groups), support.COLOURS, strict=False):
            share = np.full(len(group), 1 / len(group))
            axes.hist(group, np.linspace(0, 1, 25), weights=share, color=colour, alpha=0.7)
        axes.set(xlabel="weight", ylim=(0, 0.6))
        axes.set_title(f"N = {each.task.devices}, area {each.area:.4f}", loc="left", fontsize=9)
    return figure


if __name__ == "__main__":
    support.guarded(main)
