"""Correlated inputs found without labels: ``python -m spikelet.examples.learning.correlation``.

Boybat et al. 2018, "Neuromorphic computing with multi-memristive synapses" (Nature Communications
9:2514, figure 5): 1,000 synapses lead to one neuron. 100 of them get correlated spikes, the others
independent ones of the same rate. STDP makes the weights of the first group large and those of the
second small, and the more clearly, the more levels a device and the more devices a synapse has.

A synapse is a row of the crossbar for each of its devices. One step of the task takes two ticks:

* In the *read* tick an input spike goes to all rows of its synapse: the neuron adds up the devices.
* In the *programming* tick it goes to the row of one device, the same for all synapses, chosen by
  the host's counter. Rows of fixed negative weights keep the neuron silent.

The post trace ``y1`` counts ticks since the neuron's last spike, so that the rule acts only in
programming ticks, and only on the chosen device: up if the neuron fired in the read tick of this
step (pre before post), down if it did in that of the step before (post before pre).
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.progress import track
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.examples.learning.support import (
    COLOURS,
    RECORD,
    Comparison,
    area_under_curve,
    compare,
    console,
    save,
    separation,
    tools,
)
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import Run, run

__all__ = ["Outcome", "Task", "build", "correlated_spikes", "detect", "main", "schedule"]

CORRELATION = 0.75
"""The paper's, of any two of the correlated inputs."""

PROBABILITY = 0.1
"""Of an input spike in a step: some 500 coincidences in 5,000 steps."""

PULSES = (0.1, 0.2)
"""Share of a device's range by which it goes up or down, on average. More down than up, so that
inputs that meet the neuron's spikes by chance lose."""

THRESHOLD = 0.65
"""Share of what the correlated synapses add up to at their largest: at first, with weights half
their largest, about what tells a coincidence (0.88) from chance (0.5)."""

HOLD = 96
"""Rows that keep the neuron silent: their -12,288 outweigh one device of 195 inputs at level 63."""

LARGEST_CORE = 4096
"""Rows of a core."""

LEVELS: tuple[int, ...] = (2, 4, 8, 16, 64)
SIZES: tuple[tuple[int, tuple[int, ...]], ...] = ((1000, (1, 3, 4)), (570, (1, 3, 7)))
"""Synapses, and devices of each: 7 of 1,000 would be more rows than a core has."""


@dataclass(frozen=True)
class Task:
    """One network and its inputs.

    Parameters
    ----------
    levels : int
        Of a device, 2..128.
    devices : int
        Of a synapse, 1 or more.
    synapses : int
        A tenth of them, the first, is correlated; 10 or more.
    steps : int
        1 or more.
    seed : int

    Raises
    ------
    SpikeletError
        If a field is outside its range, or there are more rows than a core has.
    """

    levels: int = 16
    devices: int = 1
    synapses: int = 1000
    steps: int = 5000
    seed: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("levels", 2, 128),
            ("devices", 1, LARGEST_CORE),
            ("synapses", 10, LARGEST_CORE),
            ("steps", 1, 1 << 20),
        ):
            if not low <= getattr(self, name) <= high:
                raise SpikeletError(
                    f"task: {name} must be in {low}..{high}, not {getattr(self, name)}"
                )
        if self.rows + HOLD > LARGEST_CORE:
            raise SpikeletError(
                f"task: {self.synapses} synapses of {self.devices} devices, and {HOLD} rows more, "
                f"are {self.rows + HOLD} rows, but a core has {LARGEST_CORE}"
            )

    @property
    def rows(self) -> int:
        """Rows of devices."""
        return self.synapses * self.devices

    @property
    def correlated(self) -> int:
        """Synapses whose inputs are correlated."""
        return self.synapses // 10


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a task.

    Parameters
    ----------
    task : Task
    separation : float
        Difference of the groups' mean weights over their pooled standard deviation.
    area : float
        Area under the receiver operating characteristic, of telling the groups by weight.
    weights : array of float, shape (synapses,)
        Sum of the devices, as a share of its largest.
    spikes : int
        Of the neuron in read ticks.
    stray_spikes : int
        In programming ticks; must be 0.
    """

    task: Task
    separation: float
    area: float
    weights: npt.NDArray[np.float64]
    spikes: int
    stray_spikes: int


def correlated_spikes(task: Task) -> npt.NDArray[np.bool_]:
    """Return input spikes, shape (steps, synapses), all of the same rate.

    Each correlated input copies a common source with probability ``sqrt(CORRELATION)`` in a step,
    and else draws by itself. So any two of them have that correlation.
    """
    generator = np.random.default_rng(task.seed)
    source = generator.random((task.steps, 1)) < PROBABILITY
    spikes = generator.random((task.steps, task.synapses)) < PROBABILITY
    copies = generator.random((task.steps, task.correlated)) < np.sqrt(CORRELATION)
    spikes[:, : task.correlated] = np.where(copies, source, spikes[:, : task.correlated])
    return spikes


def build(task: Task) -> CompiledNetwork:
    """Return the network: devices first, row by row of each synapse, then the rows that hold."""
    top = task.levels - 1
    up, down = (f"{round(share * top * 2**10)}*2^-10" for share in PULSES)
    rule = LearningRule(
        f"{up}*x0*(y1 == 3) - {down}*x0*(y1 == 1)",
        # 4 at the neuron's spike, then one less a tick: 3 one tick later, 1 a step after that.
        y1=TraceParams(increment=4, decay_shift=3, bits=3, mode="set"),
        w_min=0,
        w_max=top,
        rounding="stochastic",
        name="multi-device STDP",
        source="Boybat et al. 2018",
    )
    network = PlasticNetwork("correlation", seed=task.seed)
    network.inputs("devices", task.rows)
    network.inputs("hold", HOLD)
    network.population(
        "neuron",
        1,
        threshold=round(THRESHOLD * task.correlated * task.devices * top),
        decay=0,  # each tick stands for itself
        potential_bits=20,
    )
    network.project("devices", "neuron", weights=(0, top), rule=rule)
    network.project("hold", "neuron", weights=-128)
    network.output("neuron")
    return compile_network(network, limits=PlacementLimits(lanes=1))


def schedule(spikes: npt.NDArray[np.bool_], devices: int) -> npt.NDArray[np.uint8]:
    """Return the rows' spikes: one sample of a read and a programming tick for each step.

    Parameters
    ----------
    spikes : array of bool, shape (steps, synapses)
    devices : int
        Step ``s`` programs device ``s % devices``.

    Returns
    -------
    array of uint8, shape (1, 2 * steps, synapses * devices + HOLD)
    """
    steps, synapses = spikes.shape
    ticks = np.zeros((steps, 2, synapses * devices + HOLD), np.uint8)
    by_device = ticks[..., :-HOLD].reshape(steps, 2, synapses, devices)
    by_device[:, 0] = spikes[..., None]
    counter = np.arange(steps)
    by_device[counter, 1, :, counter % devices] = spikes
    ticks[..., :-HOLD] = by_device.reshape(steps, 2, -1)
    ticks[:, 1, -HOLD:] = 1
    return ticks.reshape(1, 2 * steps, -1)


def detect(task: Task, engine: str = "golden", record: Iterable[str] = ()) -> Run:
    """Run a task and return what was learned."""
    spikes = schedule(correlated_spikes(task), task.devices)
    return run(build(task), spikes, engine, record=tuple(record))


def outcome(task: Task) -> Outcome:
    """Run a task on golden and return how well the groups are told apart."""
    learned = detect(task)
    levels = learned.weights("devices", "neuron").reshape(task.synapses, task.devices)
    weights = levels.sum(axis=1) / ((task.levels - 1) * task.devices)
    high, low = weights[: task.correlated], weights[task.correlated :]
    fired = learned.recording.outputs[0, :, 0]
    return Outcome(
        task,
        separation(high, low),
        area_under_curve(high, low),
        weights,
        int(fired[::2].sum()),
        int(fired[1::2].sum()),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    options = _options(arguments)
    levels, sizes, seeds, steps = LEVELS, SIZES, options.seeds, options.steps
    if options.quick:
        levels, sizes, seeds, steps = (2, 16), ((100, (1, 3)),), 1, min(steps, 1000)
    tasks = [
        Task(level, devices, synapses, steps, seed)
        for synapses, counts in sizes
        for level in levels
        for devices in counts
        for seed in range(1, seeds + 1)
    ]
    outcomes = [outcome(task) for task in track(tasks, "networks", console=console)]
    for synapses, counts in sizes:
        console.print(_table(outcomes, synapses, levels, counts))
    stray = sum(found.stray_spikes for found in outcomes)
    console.print(f"spikes in programming ticks, all networks: {stray}")
    confirmed: list[Comparison] = []
    if not options.no_rtl:
        synapses, counts = sizes[0]
        for devices in (counts[0], counts[-1]):
            confirmed.append(confirm(Task(16, devices, synapses, steps)))
            console.print(f"16 levels, N = {devices}, {synapses} synapses: {confirmed[-1]}")
    report = {
        "steps": steps,
        "outcomes": [_summary(found) for found in outcomes],
        "rtl": [asdict(found) for found in confirmed],
        "tools": tools("amaranth", "verilator"),
    }
    save(options.out, report, _figure(outcomes, sizes[-1], levels))
    return 0 if all(found.equal for found in confirmed) and not stray else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; SpikeletError for fewer than 1 seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 1")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--quick", action="store_true", help="a few small networks, one seed")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/correlation"))
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        raise SpikeletError(f"--seeds must be 1 or more, not {options.seeds}")
    return options


def _summary(found: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON-compatible values, without its weights."""
    first = found.task.correlated
    return {
        **asdict(found.task),
        "separation": found.separation,
        "area": found.area,
        "mean_correlated": float(found.weights[:first].mean()),
        "mean_uncorrelated": float(found.weights[first:].mean()),
        "spikes": found.spikes,
        "stray_spikes": found.stray_spikes,
    }


def confirm(task: Task) -> Comparison:
    """Run a whole task on golden and on the generated Verilog and compare them."""
    return compare(lambda engine: [detect(task, engine, RECORD).recording])


def _chosen(
    outcomes: list[Outcome], synapses: int, levels: int, devices: int, what: str
) -> npt.NDArray[np.float64]:
    """Return ``what`` of each seed."""
    key = (synapses, levels, devices)
    return np.array(
        [
            getattr(found, what)
            for found in outcomes
            if (found.task.synapses, found.task.levels, found.task.devices) == key
        ]
    )


def _table(
    outcomes: list[Outcome], synapses: int, levels: tuple[int, ...], counts: tuple[int, ...]
) -> Table:
    title = f"{synapses} synapses: separation ± over seeds, lowest area under the curve"
    table = Table(title=title)
    table.add_column("levels", justify="right")
    for devices in counts:
        table.add_column(f"{devices} device{'s' * (devices > 1)}", justify="right")
    for level in levels:
        cells = []
        for devices in counts:
            gaps = _chosen(outcomes, synapses, level, devices, "separation")
            areas = _chosen(outcomes, synapses, level, devices, "area")
            cells.append(f"{gaps.mean():.2f} ± {gaps.std():.2f}   {areas.min():.4f}")
        table.add_row(str(level), *cells)
    return table


def _figure(
    outcomes: list[Outcome], size: tuple[int, tuple[int, ...]], levels: tuple[int, ...]
) -> Figure:
    """Draw both scores over the levels, and the weights of the coarsest devices."""
    synapses, counts = size
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    gaps, areas, *histograms = figure.subplots(1, 2 + len(counts))
    for axes, what in ((gaps, "separation"), (areas, "area")):
        for devices, colour in zip(counts, COLOURS, strict=False):
            values = [_chosen(outcomes, synapses, level, devices, what) for level in levels]
            axes.errorbar(
                levels,
                [value.mean() for value in values],
                [value.std() for value in values],
                color=colour,
                marker="o",
                markersize=3,
                label=f"N = {devices}",
            )
        axes.set(xscale="log", xticks=levels, xticklabels=levels, xlabel="levels of a device")
        axes.minorticks_off()
    gaps.set_title("separation", loc="left", fontsize=9)
    areas.set_title("area under the curve", loc="left", fontsize=9)
    gaps.legend(fontsize=8)
    for axes, devices in zip(histograms, counts, strict=True):
        weights = _chosen(outcomes, synapses, levels[0], devices, "weights")[0]
        largest = devices * (levels[0] - 1)
        bins = np.linspace(-0.5, largest + 0.5, largest + 2)
        first = synapses // 10
        for group, colour in ((weights[first:], COLOURS[0]), (weights[:first], COLOURS[1])):
            share = np.full(len(group), 1 / len(group))
            axes.hist(group * largest, bins, weights=share, color=colour, alpha=0.7)
        axes.set(xlabel="weight", ylim=(0, 1))
        axes.set_title(f"{levels[0]} levels, N = {devices}", loc="left", fontsize=9)
    figure.suptitle(
        f"{synapses} synapses; orange: weights of correlated inputs, blue: of the others",
        fontsize=9,
    )
    return figure


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SpikeletError as error:
        sys.exit(f"error: {error}")
