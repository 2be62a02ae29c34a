"""Golden at scale, up to TrueNorth's size: ``python -m benchmarks.golden_scale``.

Networks of 64, 1,024 and 4,096 cores of 256x256, see :mod:`benchmarks.scale_networks`, on one
thread. Golden and its peers run in turn within each round, from the same state; whether they
compute the same spikes in each tick is printed.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.golden_speed import ONE_THREAD
from benchmarks.scale_networks import SIDE, Network
from benchmarks.scale_peers import PEERS, Counted
from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.description.errors import SpikeletError
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.golden.native import available, why_not

__all__ = ["main"]


@dataclass(frozen=True)
class Task:
    """What is measured of one network; ``goal``: times as fast as the fastest of ``goal_peers``."""

    title: str
    network: Network
    ticks: int
    peers: tuple[str, ...] = ()
    goal: float = 0
    goal_peers: tuple[str, ...] = ()


DOCUMENTED = ("Brian2", "snnTorch")
"""Peers used as their documentation shows; the others are rearranged by hand."""

TASKS = {
    64: Task("64 cores, 4-bit weights", Network(64, "signed"), 2000, tuple(PEERS), 8, DOCUMENTED),
    1024: Task(
        "1,024 cores, 4-bit weights",
        Network(1024, "signed"),
        200,
        ("Brian2", "snnTorch", "snnTorch, active rows"),
        25,
        DOCUMENTED,
    ),
    4096: Task("4,096 cores, 1-bit weights (+1, -1)", Network(4096, "binary"), 200),
    4097: Task("4,096 cores, 1-bit weights (0, 1)", Network(4096, "unsigned"), 200),
}
"""By the number that ``--only`` takes; more than 4,096 cores there cannot be."""


@dataclass
class Engine:
    """One engine and its measurements: ``seconds`` of each round; why it was ``left_out``."""

    name: str
    run: Counted | None
    seconds: list[float] = field(default_factory=list)
    spikes: int = 0
    equal: bool = False
    left_out: str = ""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        rounds={"type": int, "default": 5, "help": "measurements of each engine"},
        only={"type": int, "nargs": "*", "choices": list(TASKS), "help": "cores; 4097: unsigned"},
        without={"nargs": "*", "default": [], "choices": list(PEERS), "help": "leave out peers"},
        cpu={"type": int, "help": "processor to run on; the last by default"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    if not available():
        raise SpikeletError(f"the native golden model cannot be used: {why_not()}")
    _use_one_thread(options.cpu)
    tools = versions("brian2", "nest-simulator", "snntorch", "torch")
    print_versions(tools)
    results = []
    for key in options.only or TASKS:
        # A process of its own, whose memory no other task has touched.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            results.append(pool.submit(_measure, key, options.rounds, options.without).result())
        _print(TASKS[key], results[-1])
    report = {"tools": tools, "rounds": options.rounds, "tasks": results}
    write_json(options.json, report)
    return int(options.strict and not all(result["reached"] for result in results))


def _use_one_thread(cpu: int | None) -> None:
    """Start again on one processor and with one thread, since libraries look only once."""
    if all(os.environ.get(name) == value for name, value in ONE_THREAD.items()):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if cpu is None else cpu})
    arguments = [sys.executable, "-m", "benchmarks.golden_scale", *sys.argv[1:]]
    os.execve(sys.executable, arguments, {**os.environ, **ONE_THREAD})


def _measure(key: int, rounds: int, without: list[str]) -> dict[str, Any]:
    """Measure one task; return what is printed and written."""
    task = TASKS[key]
    golden, set_up, counts = _golden(task)
    engines = [Engine("golden compiled", golden, spikes=int(counts.sum()), equal=True)]
    peak = _peak_gigabytes()
    for name in task.peers:
        if name not in without:
            engines.append(_peer(name, task, counts))
    running = [engine for engine in engines if engine.run]
    for _ in range(max(1, rounds)):
        for engine in running:
            assert engine.run
            engine.seconds.append(engine.run()[0])
    ours, *others = running
    seconds = statistics.median(ours.seconds)
    sops = int(counts.sum()) * SIDE / task.ticks
    ratios = {
        engine.name: statistics.median(
            b / a for a, b in zip(ours.seconds, engine.seconds, strict=True)
        )
        for engine in others
    }
    ratio = min((ratios[name] for name in task.goal_peers if name in ratios), default=None)
    return {
        "title": task.title,
        "ticks": task.ticks,
        "engines": {e.name: task.ticks / statistics.median(e.seconds) for e in running},
        "spikes": {engine.name: engine.spikes for engine in running},
        "equal": {engine.name: engine.equal for engine in running},
        "left_out": {engine.name: engine.left_out for engine in engines if engine.left_out},
        "ratios": ratios,
        "ratio": ratio,
        "reached": ratio is None or ratio >= task.goal,
        "share_of_neurons_firing": float(counts.mean()) / task.network.n_neurons,
        "sops_per_tick": sops,
        "sops_per_s": sops * task.ticks / seconds,
        "neuron_updates_per_s": task.network.n_neurons * task.ticks / seconds,
        "set_up_seconds": set_up,
        "peak_gigabytes": peak,
    }


def _golden(task: Task) -> tuple[Counted, float, np.ndarray]:
    """Return what runs golden, the seconds it took to set up, and the spikes of each tick."""
    nothing = np.zeros(0, np.int32)
    silence = Events(1, task.ticks, np.zeros(task.ticks + 1, np.int64), *[nothing] * 3)
    chip, state = task.network.chip()
    start = time.perf_counter()
    golden = GoldenChip(chip, state.image, backend="native")
    golden.restore(state)
    set_up = time.perf_counter() - start
    expected = golden.run(silence, record=("spikes",), clear=False)
    assert expected.spikes is not None
    counts = sum(np.count_nonzero(core[0], axis=1) for core in expected.spikes)

    def run() -> tuple[float, np.ndarray]:
        golden.restore(state)
        begin = time.perf_counter()
        trace = golden.run(silence, record=(), clear=False)
        seconds = time.perf_counter() - begin
        if not np.array_equal(trace.active_axons, expected.active_axons):
            raise SpikeletError("two runs of golden from the same state differ")
        return seconds, counts

    return run, set_up, counts


def _peer(name: str, task: Task, counts: np.ndarray) -> Engine:
    """Return a peer that has run once, so that its spikes have been compared."""
    build, _ = PEERS[name]
    try:
        run = build(task.network, task.ticks)
        got = run()[1]
    except ImportError as error:
        return Engine(name, None, left_out=f"{error} (it comes with the extra 'bench')")
    except Exception as error:  # a peer that breaks must not cost the other results
        return Engine(name, None, left_out=f"{type(error).__name__}: {error}")
    return Engine(name, run, spikes=int(got.sum()), equal=np.array_equal(got, counts))


def _peak_gigabytes() -> float:
    """Return the most memory that this process had so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1e6
    return float("nan")


def _print(task: Task, result: dict[str, Any]) -> None:
    share = result["share_of_neurons_firing"]
    table = Table(title=f"{task.title}, {task.ticks} ticks, {share:.2%} of neurons fire in a tick")
    for title in ("engine", "thousand ticks/s", "slower than ours", "spikes", "each tick equal"):
        table.add_column(title, justify="left" if title == "engine" else "right")
    for name, speed in result["engines"].items():
        ratio = f"{result['ratios'].get(name, 1):.1f}"
        equal = "yes" if result["equal"][name] else "no"
        table.add_row(name, f"{speed / 1e3:.4f}", ratio, f"{result['spikes'][name]}", equal)
    console.print(table)
    console.print(
        f"golden: {result['sops_per_s'] / 1e9:.2f} GSOP/s, "
        f"{result['neuron_updates_per_s'] / 1e6:.0f} million neuron updates/s, "
        f"set up in {result['set_up_seconds']:.1f} s, "
        f"at most {result['peak_gigabytes']:.2f} GB of memory with the network's own arrays"
    )
    for name, reason in result["left_out"].items():
        console.print(f"[yellow]{name} left out: {reason}")
    if result["ratio"] is not None:
        reached = verdict(result["reached"])
        console.print(
            f"{result['ratio']:.1f} times the fastest of {', '.join(task.goal_peers)} "
            f"(goal {task.goal:.0f}: {reached}[/])\n"
        )


if __name__ == "__main__":
    run(main)
