"""The long differential run: ``python -m benchmarks.random_chips``.

Each seed gives a random chip and several random networks and inputs for it, since a chip takes
seconds to compile. Golden in numpy, golden compiled and the RTL must agree in every output, spike,
potential and counter. The first configurations are those of ``tests/test_differential.py``.
"""

import multiprocessing
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.golden.chip import run as run_golden
from spikelet.golden.compiled import available, why_not
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim import engine as rtl_engine
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design, build_library
from tests.helpers.random_chips import random_chip, random_events, random_image

__all__ = ["main"]

_CHIPS_PER_PROCESS = 20
"""A process cannot give back the libraries that it loaded."""


@dataclass(frozen=True)
class Outcome:
    """What came of one seed; ``failure`` is empty if all agreed."""

    seed: int
    failure: str = ""
    cores: int = 0
    configurations: int = 0
    spikes: int = 0
    states: int = 0


def main() -> int:
    """Run the seeds; return 1 if any failed."""
    options = options_of(
        __doc__,
        count={"type": int, "default": 5000, "help": "configurations in all"},
        networks={"type": int, "default": 5, "help": "networks and inputs for each chip"},
        first_seed={"type": int, "default": 0},
        jobs={"type": int, "default": os.cpu_count(), "help": "processes"},
    )
    tools = versions("amaranth", "verilator")
    print_versions(tools)
    if not available():
        console.print(f"[yellow]golden compiled left out: {why_not()}")
    began = time.perf_counter()
    chips = -(-options.count // options.networks)
    seeds = range(options.first_seed, options.first_seed + chips)
    outcomes = _run(seeds, options.networks, options.jobs)
    failures = [outcome for outcome in outcomes if outcome.failure]
    totals = {
        "chips": len(outcomes),
        "configurations": sum(outcome.configurations for outcome in outcomes),
        "cores": sum(outcome.cores for outcome in outcomes),
        "spikes": sum(outcome.spikes for outcome in outcomes),
        "states": sum(outcome.states for outcome in outcomes),
        "golden_compiled": available(),
        "seconds": round(time.perf_counter() - began, 1),
        "failed_seeds": sorted(outcome.seed for outcome in failures),
    }
    console.print("  ".join(f"{name.replace('_', ' ')} {value}" for name, value in totals.items()))
    write_json(options.json, {"versions": tools, **totals})
    return int(bool(failures))


def _run(seeds: range, networks: int, jobs: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]} failed"))
    with (
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress,
        multiprocessing.get_context("spawn").Pool(
            max(1, jobs), maxtasksperchild=_CHIPS_PER_PROCESS
        ) as pool,
    ):
        task = progress.add_task("chips", total=len(seeds), failed=0)
        failed = 0
        for outcome in pool.imap_unordered(partial(_outcome, networks), seeds):
            outcomes.append(outcome)
            if outcome.failure:
                failed += 1
                console.print(f"[red]seed {outcome.seed}: {outcome.failure}", highlight=False)
            progress.update(task, advance=1, failed=failed)
            if not console.is_terminal and len(outcomes) % 10 == 0:
                console.print(f"{len(outcomes)} of {len(seeds)} chips, {failed} failed")
    return outcomes


def _outcome(networks: int, seed: int) -> Outcome:
    try:
        return _compare(networks, seed)
    except Exception as error:  # one seed must not cost the others
        return Outcome(seed, f"{type(error).__name__}: {error}")


def _compare(networks: int, seed: int) -> Outcome:
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    design = Design(to_verilog(whole_chip(chip), "chip"))
    harness = Path(rtl_engine.__file__).with_name("harness.cpp")
    library = build_library(design, "chip", harness, optimise="build")
    spikes = states = 0
    try:
        with VerilatedChip(chip, design, optimise="build") as engine:
            for number in range(networks):
                image = random_image(rng, chip)
                events = random_events(rng, chip)
                expected = run_golden(chip, image, events, backend="numpy")
                engine.load(image)
                others = {"RTL": engine.run(events)}
                if available():
                    others["golden compiled"] = run_golden(chip, image, events, backend="compiled")
                for name, trace in others.items():
                    difference = trace.first_difference(expected)
                    if difference:
                        return Outcome(seed, f"network {number}, {name} to numpy: {difference}")
                spikes += sum(int(fired.sum()) for fired in expected.spikes or [])
                states += sum(v.size for core in expected.states or [] for v in core.values())
    finally:
        library.unlink(missing_ok=True)  # thousands of them would fill the disk
    return Outcome(seed, "", len(chip.cores), networks, spikes, states)


if __name__ == "__main__":
    run(main)
