"""Golden and the compiled RTL engine on several threads: ``python -m benchmarks.threads``.

One thread and all of them run in turn, in the same process. Ratios are medians over the rounds of
wall-clock time; beside them processor time, user and system, which tells what threads cost: where
other work has the processors, wall-clock time says little.
"""

import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.peers import scale_golden
from benchmarks.peers.layers import INPUT_RATE, Layers
from benchmarks.peers.layers_golden import chip_of, input_of
from benchmarks.peers.scale import Network
from benchmarks.support import (
    SIZE,
    console,
    options_of,
    print_versions,
    run,
    single_core_chip,
    single_core_image,
    verdict,
    versions,
    write_json,
)
from spikelet.description.errors import SpikeletError
from spikelet.description.processors import processors, threads_of
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.golden.native import available, why_not
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

GOAL, NOT_SLOWER = 1.8, 0.97

_Run = Callable[[int], Any]
"""Given how many threads, runs once; returns a Recording."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        rounds={"type": int, "default": 15, "help": "measurements of each, in turn"},
        threads={"type": int, "help": "as many as there are processors by default"},
        without_rtl={"action": "store_true", "help": "leave out the compiled RTL engine"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    if not available():
        raise SpikeletError(f"the native golden model cannot be used: {why_not()}")
    threads = threads_of(options.threads, "--threads")
    tools = versions("verilator")
    print_versions(tools)
    console.print(f"{processors()} processors, load {os.getloadavg()[0]:.1f}")
    cases = [*_golden_cases(), *([] if options.without_rtl else [_rtl_case()])]
    rows = [_measured(*case, threads, max(1, options.rounds)) for case in cases]
    console.print(_table(rows, threads))
    load = os.getloadavg()[0]
    console.print(f"load {load:.1f}")
    write_json(options.json, {"versions": tools, "threads": threads, "load": load, "rows": rows})
    return int(options.strict and not all(row["reached"] for row in rows))


def _golden_cases() -> list[tuple[str, float | None, _Run]]:
    """Return name, goal and run of each."""
    found: list[tuple[str, float | None, _Run]] = []
    for samples in (1, 128):
        layers = Layers((784, 256, 128, 10), samples, 100)
        golden, inputs = chip_of(layers, "native"), input_of(layers)
        found.append(
            (
                f"golden, 784-256-128-10, batch {samples}",
                GOAL if samples > 1 else NOT_SLOWER,
                lambda threads, golden=golden, inputs=inputs: golden.run(
                    inputs, record=(), threads=threads
                ),
            )
        )
    nothing, ticks = np.zeros(0, np.int32), 2000
    chip, state = scale_golden.chip_of(Network(64, "signed", ticks))
    large = GoldenChip(chip, state.image, backend="native")
    silence = Events(1, ticks, np.zeros(ticks + 1, np.int64), *[nothing] * 3)

    def run_large(threads: int) -> Any:
        large.restore(state)
        return large.run(silence, record=(), clear=False, threads=threads)

    found.append(("golden, 64 cores of 256x256, 1 sample", GOAL, run_large))
    return found


def _rtl_case() -> tuple[str, float | None, _Run]:
    chip, image = single_core_chip(16), single_core_image(13)
    design = Design(to_verilog(Chip(chip), "chip"))
    rng = np.random.default_rng(1)
    spikes = (rng.random((32, 100, SIZE), np.float32) < INPUT_RATE).astype(np.uint8)
    axon, zero = np.arange(SIZE), np.zeros(SIZE, np.int64)
    events = Events.from_spikes(spikes, np.stack([axon, zero, axon, zero], 1))
    chips: dict[int, VerilatedChip] = {}

    def run_rtl(threads: int) -> Any:
        if threads not in chips:
            chips[threads] = VerilatedChip(chip, design, threads=threads)
            chips[threads].load(image)
        return chips[threads].run(events, record=())

    return "RTL, a 256x256 core of 16 lanes, 32 samples", None, run_rtl


def _measured(
    name: str, goal: float | None, runs: _Run, threads: int, rounds: int
) -> dict[str, Any]:
    """Measure one thread and several in turn."""
    expected = runs(1)
    difference = runs(threads).first_difference(expected)
    if difference:
        raise SpikeletError(f"{name}: {threads} threads differ from one: {difference}")
    seconds: dict[int, list[tuple[float, float]]] = {1: [], threads: []}
    for _ in range(rounds):
        for count in (1, threads):
            seconds[count].append(_timed(runs, count))
    pairs = list(zip(seconds[1], seconds[threads], strict=True))
    ratio = statistics.median(one[0] / several[0] for one, several in pairs)
    return {
        "name": name,
        "seconds": {
            count: statistics.median(wall for wall, _ in seconds[count]) for count in seconds
        },
        "ratio": ratio,
        "best": max(one[0] / several[0] for one, several in pairs),
        "processor": statistics.median(one[1] / several[1] for one, several in pairs),
        "goal": goal,
        "reached": goal is None or ratio >= goal,
    }


def _timed(runs: _Run, threads: int) -> tuple[float, float]:
    """Return wall-clock and processor time of a run."""
    before, began = _processor_seconds(), time.perf_counter()
    runs(threads)
    return time.perf_counter() - began, _processor_seconds() - before


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _table(rows: list[dict[str, Any]], threads: int) -> Table:
    table = Table(title=f"{threads} threads to one, the same results")
    for title in ("what", "ms on one", f"ms on {threads}", "faster by", "best round", "goal", ""):
        table.add_column(title, justify="left" if title == "what" else "right")
    table.add_column("processor time, one to all", justify="right")
    for row in rows:
        one, several = row["seconds"][1], row["seconds"][threads]
        goal = "" if row["goal"] is None else f">= {row['goal']:g}"
        table.add_row(
            *(row["name"], f"{one * 1e3:.2f}", f"{several * 1e3:.2f}", f"{row['ratio']:.2f}"),
            *(f"{row['best']:.2f}", goal, verdict(row["reached"]) if goal else ""),
            f"{row['processor']:.2f}",
        )
    return table


if __name__ == "__main__":
    run(main)
