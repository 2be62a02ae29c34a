"""Golden beside every peer that installs, in one run: ``python -m benchmarks.peers``.

Each peer is installed into an environment of its own, once. Engines are processes that run in turn
within each round, on one processor with one thread; a ratio is the median of the rounds' own
ratios. What cannot be installed, or fails, is left out with the reason. ``--write`` puts the tables
into ``docs/peers.md``; ``--tinyodin CLONE`` also takes the published Verilog of tinyODIN and our
core through the same synthesis, placement and routing (:mod:`benchmarks.preset_cost`).
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.peers.engine import Engine
from benchmarks.peers.environments import environment_of, python_of
from benchmarks.peers.page import write_page
from benchmarks.peers.tasks import TASKS, Task
from benchmarks.support import console, options_of, run, verdict, versions, write_json
from spikelet.description.cache import cache_folder
from spikelet.description.errors import SpikeletError

__all__ = ["main"]

_PAGE = Path(__file__).parents[2] / "docs" / "peers.md"


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    folder = cache_folder() / "benchmarks" / "environments"
    options = options_of(
        __doc__,
        only={"nargs": "+", "choices": list(TASKS), "default": list(TASKS), "help": "tasks"},
        without={"nargs": "+", "default": [], "metavar": "PEER", "help": "leave out these peers"},
        rounds={"type": int, "default": 3, "help": "measurements of each engine"},
        cpu={"type": int, "help": "processor to run on; the last by default"},
        environments={"type": Path, "default": folder, "help": "where peers are installed"},
        tinyodin={"type": Path, "metavar": "CLONE", "help": "also compare with tinyODIN's Verilog"},
        write={"action": "store_true", "help": "put the tables into docs/peers.md"},
        strict={"action": "store_true", "help": "exit with 1 below a goal"},
    )
    if options.rounds < 1:
        raise SpikeletError(f"--rounds must be 1 or more, not {options.rounds}")
    known = {peer for task in TASKS.values() for peer in (*task.peers, *task.golden)}
    if unknown := [name for name in options.without if name not in known]:
        raise SpikeletError(f"--without: {unknown[0]!r} is not one of {', '.join(sorted(known))}")
    if options.write and set(options.only) != set(TASKS):
        raise SpikeletError("--write needs all tasks: leave out --only")
    tools, results = versions(), {}
    for name in options.only:
        results[name] = _measured(name, TASKS[name], options, tools)
        _print(TASKS[name], results[name])
    console.print("  ".join(f"{name} {version}" for name, version in tools.items()))
    report = {"tools": tools, "rounds": options.rounds, "tasks": results}
    write_json(options.json, report)
    if options.write:
        write_page(_PAGE, report)
    reached = all(all(result["reached"].values()) for result in results.values())
    if options.tinyodin:
        command = [sys.executable, "-m", "benchmarks.preset_cost", "--checkout", options.tinyodin]
        subprocess.run(command, check=True)
    return int(options.strict and not reached)


def _measured(name: str, task: Task, options: Any, tools: dict[str, str]) -> dict[str, Any]:
    """Measure a task; what its engines are made of is added to ``tools``."""
    cpu = _last_processor() if options.cpu is None else options.cpu
    engines: list[Engine] = []
    left_out: dict[str, str] = {}
    try:
        for engine in (*task.golden, *task.peers):
            if engine in options.without:
                continue
            try:
                engines.append(_started(name, engine, engine in task.golden, cpu, options))
            except SpikeletError as error:
                left_out[engine] = str(error)
                console.print(f"[yellow]{engine} left out: {error}")
                continue
            for tool, version in engines[-1].versions.items():
                if tool != "numpy":
                    tools[tool] = version
                elif version != tools["numpy"]:
                    tools[f"numpy of {environment_of(engine)}"] = version
        for number in range(options.rounds):
            for running in tuple(engines):
                try:
                    running.measure()
                except SpikeletError as error:
                    engines.remove(running)
                    left_out[running.name] = str(error)
                    running.close()
            console.print(f"{task.title}: round {number + 1} of {options.rounds} done")
    finally:
        for running in engines:
            running.close()
    return _result(task, engines, left_out)


def _started(name: str, engine: str, ours: bool, cpu: int, options: Any) -> Engine:
    """Return an engine that has run once."""
    if ours:
        python = Path(sys.executable)
    else:
        python = python_of(environment_of(engine), options.environments, console.print)
    return Engine(engine, python, [name, engine, str(cpu)])


def _last_processor() -> int:
    if not hasattr(os, "sched_getaffinity"):
        return 0
    return max(os.sched_getaffinity(0))


def _result(task: Task, engines: Sequence[Engine], left_out: dict[str, str]) -> dict[str, Any]:
    """Return what is printed and written."""
    if not engines or engines[0].name != task.golden[0]:
        raise SpikeletError(f"{task.golden[0]} cannot run: {left_out.get(task.golden[0], '')}")
    ours = engines[0]
    ratios = {
        engine.name: statistics.median(
            theirs / own for own, theirs in zip(ours.seconds, engine.seconds, strict=True)
        )
        for engine in engines[1:]
    }
    rows = {}
    for engine in engines:
        seconds = statistics.median(engine.seconds)
        rows[engine.name] = {
            "ticks_per_s": task.ticks / seconds,
            "spikes": sum(engine.spikes),
            "equal": engine.spikes == ours.spikes,
            "set_up_seconds": engine.set_up,
            "peak_gigabytes": engine.gigabytes,
            "operations_per_s": sum(engine.spikes) * task.synapses / seconds,
        }
    reached = {name: ratios[name] >= goal for name, goal in task.goals.items() if name in ratios}
    return {
        "title": task.title,
        "engines": rows,
        "ratios": ratios,
        "goals": task.goals,
        "reached": reached,
        "left_out": left_out,
    }


def _print(task: Task, result: dict[str, Any]) -> None:
    table = Table(title=task.title)
    for title in ("engine", "thousand ticks/s", "slower than ours", "spikes", "equal", "goal", ""):
        table.add_column(title, justify="left" if title == "engine" else "right")
    for name, row in result["engines"].items():
        goal, word = "", ""
        if name in result["reached"]:
            goal, word = f">= {result['goals'][name]:g}", verdict(result["reached"][name])
        ratio = f"{result['ratios'][name]:.2f}" if name in result["ratios"] else ""
        equal = "yes" if row["equal"] else "no"
        speed = f"{row['ticks_per_s'] / 1e3:.3f}"
        table.add_row(name, speed, ratio, f"{row['spikes']:,}", equal, goal, word)
    console.print(table)


if __name__ == "__main__":
    run(main)
