"""Speed of the golden model beside its peers: ``python -m benchmarks.golden_speed``."""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.golden_peers import PEERS, Run
from benchmarks.golden_workloads import WORKLOADS, Workload
from benchmarks.support import run
from spikelet.golden.native import available, why_not

__all__ = ["main"]

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}
"""Read by the libraries when they are first imported."""

SHORTEST = 0.05
"""Seconds that a measurement takes at least; shorter runs are repeated within it."""


@dataclass
class Engine:
    """One engine on one workload, and its measurements.

    Parameters
    ----------
    name : str
    run : Run
    spikes : int
        Of the last layer, in one run.
    seconds : list of float
        Of one run, in each round.
    """

    name: str
    run: Run
    spikes: int = 0
    seconds: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Run once, or as often as fits the shortest measurement; note the mean time."""
        first, self.spikes = self.run()
        repeats = min(1000, int(SHORTEST / first))
        times = [self.run()[0] for _ in range(repeats)] or [first]
        self.seconds.append(sum(times) / len(times))

    @property
    def median(self) -> float:
        """Seconds of one run."""
        return statistics.median(self.seconds)


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each engine")
    parser.add_argument("--json", type=Path, help="also write the results here")
    parser.add_argument("--cpu", type=int, help="processor to run on; the last by default")
    parser.add_argument("--only", choices=("core", "network"), help="leave out the others")
    parser.add_argument("--strict", action="store_true", help="exit with 1 below a goal")
    options = parser.parse_args()
    _use_one_thread(options.cpu)
    console = Console(width=110)
    versions = _versions()
    console.print("  ".join(f"{name} {version}" for name, version in versions.items()))
    if not available():
        console.print(f"[yellow]compiled path left out: {why_not()}")
    results = []
    for workload in WORKLOADS:
        if options.only not in (None, "core" if len(workload.sizes) == 2 else "network"):
            continue
        engines = _engines(workload, console)
        for _ in range(max(1, options.rounds)):
            for engine in engines:
                engine.measure()
        results.append(_result(workload, engines))
        console.print(_table(workload, engines, results[-1]))
        console.print(_verdict(results[-1]))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"versions": versions, "rounds": options.rounds, "workloads": results}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return int(options.strict and not all(result["reached"] for result in results))


def _use_one_thread(cpu: int | None) -> None:
    """Start again on one processor and with one thread, since libraries look only once."""
    if all(os.environ.get(name) == value for name, value in ONE_THREAD.items()):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if cpu is None else cpu})
    arguments = [sys.executable, "-m", "benchmarks.golden_speed", *sys.argv[1:]]
    os.execve(sys.executable, arguments, {**os.environ, **ONE_THREAD})


def _versions() -> dict[str, str]:
    distributions = sorted({"numpy", *(name for _, needs in PEERS.values() for name in needs)})
    versions = {"cpu": _processor(), "python": platform.python_version()}
    for name in distributions:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} ({os.cpu_count()} in the machine)"


def _engines(workload: Workload, console: Console) -> list[Engine]:
    """Return the engines that can run, warmed up."""
    backends = ("native", "numpy") if available() else ("numpy",)
    engines = [Engine(f"golden {backend}", _golden(workload, backend)) for backend in backends]
    for name in workload.engines:
        build, needs = PEERS[name]
        try:
            engines.append(Engine(name, build(workload)))
        except ImportError as error:
            extra = "bench-sinabs" if "sinabs" in needs else "bench"
            console.print(f"[yellow]{name} left out: {error} (it comes with the extra '{extra}')")
        except Exception as error:  # a peer that breaks must not cost the other results
            console.print(f"[yellow]{name} left out: {type(error).__name__}: {error}")
    return engines


def _golden(workload: Workload, backend: str) -> Run:
    golden = workload.golden(backend)

    def run() -> tuple[float, int]:
        start = time.perf_counter()
        trace = golden.run(workload.golden_input(), record=workload.golden_record)
        seconds = time.perf_counter() - start
        return seconds, int((trace.spikes[-1] if trace.spikes else trace.outputs).sum())

    run()
    return run


def _result(workload: Workload, engines: list[Engine]) -> dict[str, Any]:
    """Return what is written as JSON."""
    ours = engines[0]
    peers = [engine for engine in engines if engine.name in workload.peers]
    fastest = min(peers, key=lambda engine: engine.median, default=None)
    ratio = _ratio(fastest, ours) if fastest else None
    return {
        "workload": workload.name,
        "samples": workload.samples,
        "ticks": workload.ticks,
        "million_ticks_per_s": {e.name: workload.sample_ticks / e.median / 1e6 for e in engines},
        "last_layer_spikes": {engine.name: engine.spikes for engine in engines},
        "ratios": {e.name: _ratio(e, ours) for e in engines[1:]},
        "fastest_peer": fastest.name if fastest else None,
        "ratio": ratio,
        "goal": workload.goal,
        "reached": ratio is None or (ours.name == "golden compiled" and ratio >= workload.goal),
    }


def _ratio(other: Engine, ours: Engine) -> float:
    """Return the median over rounds, where what else the machine does slows both sides."""
    return statistics.median(b / a for a, b in zip(ours.seconds, other.seconds, strict=True))


def _table(workload: Workload, engines: list[Engine], result: dict[str, Any]) -> Table:
    table = Table(title=f"{workload.name}, batch {workload.samples}, {workload.ticks} ticks")
    for title in ("engine", "ms a run", "million ticks/s", "slower than ours", "last layer spikes"):
        table.add_column(title, justify="left" if title == "engine" else "right")
    for engine in engines:
        speed = result["million_ticks_per_s"][engine.name]
        ratio = f"{result['ratios'].get(engine.name, 1):.2f}"
        cells = (f"{engine.median * 1e3:.3f}", f"{speed:.4f}", ratio, f"{engine.spikes}")
        table.add_row(engine.name, *cells)
    return table


def _verdict(result: dict[str, Any]) -> str:
    if result["ratio"] is None:
        return "no peer to compare with"
    word = "reached" if result["reached"] else "NOT REACHED"
    return (
        f"{result['ratio']:.2f} times {result['fastest_peer']}, the fastest peer "
        f"(goal {result['goal']}: {word})\n"
    )


if __name__ == "__main__":
    run(main)
