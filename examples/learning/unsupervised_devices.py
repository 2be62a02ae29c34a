"""Digits without labels, by faulty devices.

``python -m spikelet.examples.learning.unsupervised_devices --data D``: the digits of
``unsupervised_digits``, after Querlioz et al. 2013 ("Immunity to device variations in a spiking
neural network with memristive nanodevices"). Each synapse is a device of 16 levels. A share of the
devices is stuck from the start, each at a random level, or the sizes of their steps differ from
device to device. Learning, naming and testing all go on with the same devices. D is a folder of
MNIST's gzipped IDX files; without ``--data`` the 8x8 digits are learned.
"""

import argparse
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from spikelet.description.errors import SpikeletError
from spikelet.description.learning.variability import Variability
from spikelet.examples.learning.support import COLOURS, console, guarded, save, tools
from spikelet.examples.learning.unsupervised_digits import (
    build,
    digits_8x8,
    learn_side_by_side,
    mnist,
    plan_for,
)

__all__ = ["BITS", "Row", "main"]

BITS = 4
"""Of a device's level."""

_GOAL = 3.0
"""Points that may be lost by the variation."""


@dataclass(frozen=True)
class Row:
    """A kind of devices, and the held-out accuracy with each seed, in %.

    Parameters
    ----------
    stuck : float
        Share of devices that are stuck, each at a random level.
    step : float
        Standard deviation of the factor of the size of steps, from device to device.
    accuracy : tuple of float
    """

    stuck: float
    step: float
    accuracy: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.accuracy))

    def __str__(self) -> str:
        return f"{self.stuck:.0%} stuck, {self.step:.0%} variation"


def _kinds(stuck: list[float], step: float) -> list[tuple[float, float]]:
    """Return the shares of stuck devices, without variation, and none that are stuck, with it."""
    return [*((share, 0.0) for share in stuck), (0.0, step)]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's gzipped IDX files")
    parser.add_argument("--images", type=int, default=50_000, help="to learn, of MNIST")
    parser.add_argument("--neurons", type=int, default=100)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, default=3, help="so many, from 1")
    parser.add_argument("--stuck", type=float, nargs="+", default=[0.0, 0.05, 0.1, 0.2])
    parser.add_argument("--variation", type=float, default=0.25)
    parser.add_argument("--out", type=Path, default=Path("build/learning/unsupervised_devices"))
    options = parser.parse_args(arguments)
    for name in ("seeds", "images"):
        if getattr(options, name) < 1:
            raise SpikeletError(f"--{name} must be 1 or more, not {getattr(options, name)}")
    if 0.0 not in options.stuck:
        raise SpikeletError(
            "--stuck must have 0, to which all others are compared", remedy="give --stuck 0 0.1"
        )
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line; 1 if the variation costs 3 points or more."""
    options = _options(arguments)
    images = mnist(options.data, validate=False) if options.data else digits_8x8()
    few = slice(0, options.images)
    images = replace(images, levels=images.levels[few], labels=images.labels[few])
    plan = plan_for(images)
    plan = replace(plan, epochs=options.epochs or plan.epochs)
    kinds = _kinds(options.stuck, options.variation)
    found = []
    for seed in range(1, options.seeds + 1):
        differ = (Variability(seed=seed, stuck=stuck, step=step) for stuck, step in kinds)
        networks = [
            build(images, options.neurons, BITS, plan, seed, 16, 1, each) for each in differ
        ]
        outcomes = learn_side_by_side(images, networks, seed=seed, plan=plan)
        found.append([100 * outcome.accuracy for outcome in outcomes])
        console.print(f"seed {seed}: {'  '.join(f'{one:.1f}' for one in found[-1])}")
    rows = [Row(*kind, one) for kind, one in zip(kinds, zip(*found, strict=True), strict=True)]
    best = next(row for row in rows if not row.stuck and not row.step)
    varied = next(row for row in rows if not row.stuck and row.step == options.variation)
    console.print(_table(rows, best))
    lost = best.mean - varied.mean
    verdict = "reached" if lost < _GOAL else "not reached"
    console.print(f"{varied}: {lost:.1f} points lost; goal: less than {_GOAL:.0f}: {verdict}")
    report = {
        "neurons": options.neurons,
        "images": [len(images.labels), len(images.test_labels)],
        "plan": asdict(plan),
        "rows": [asdict(row) for row in rows],
        "tools": tools(),
    }
    save(options.out, report, _figure(rows))
    return int(lost >= _GOAL)


def _table(rows: list[Row], best: Row) -> Table:
    table = Table(title="held-out accuracy, %")
    for head in ("stuck", "variation", "mean ± over seeds", "lowest", "points lost"):
        table.add_column(head, justify="right")
    for row in rows:
        spread = f"{row.mean:.1f} ± {np.std(row.accuracy):.1f}"
        lost = f"{best.mean - row.mean:.1f}"
        table.add_row(
            f"{row.stuck:.0%}", f"{row.step:.0%}", spread, f"{min(row.accuracy):.1f}", lost
        )
    return table


def _figure(rows: list[Row]) -> Figure:
    """Draw the accuracy over the share of stuck devices, and that under variation as a line."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    stuck = sorted((row for row in rows if not row.step), key=lambda row: row.stuck)
    shares, means = [100 * row.stuck for row in stuck], [row.mean for row in stuck]
    spread = [np.std(row.accuracy) for row in stuck]
    axes.errorbar(shares, means, spread, color=COLOURS[0], marker="o", capsize=3, label="stuck")
    for row in rows:
        if row.step:
            axes.axhline(row.mean, color=COLOURS[1], label=f"none stuck, {row.step:.0%} variation")
    axes.set(xlabel="stuck devices, %", ylabel="held-out accuracy, %", ylim=(0, 100))
    axes.legend()
    return figure


if __name__ == "__main__":
    guarded(main)
