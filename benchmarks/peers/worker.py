"""One engine in a process of its own: ``python -m benchmarks.peers.worker TASK ENGINE CPU``.

It builds the engine, says ``{"ready": ...}`` as a line of JSON, and runs it once for each line that
it reads. Needs numpy and what the engine needs.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module, metadata
from typing import Any, TextIO

SHORTEST = 0.05
"""Seconds that a measurement takes at least; shorter runs are repeated within it."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "PYNEST_QUIET": "1",
}
"""Read by the libraries when they are first imported."""

_NAMED = ("numpy", "brian2", "nest-simulator", "spyx", "jax", "sinabs", "snntorch", "torch")


def main() -> int:
    """Serve one engine until the input ends."""
    task_name, engine, cpu = sys.argv[1:4]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu)})
    with _answers() as answers:
        try:
            began = time.perf_counter()
            run = _built(task_name, engine)
            ready = {"ready": _versions(), "set_up": time.perf_counter() - began}
        except Exception as error:  # a peer that breaks must not cost the other results
            ready = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(ready), file=answers, flush=True)
        for _ in sys.stdin:
            first, spikes = run()
            repeats = min(1000, int(SHORTEST / max(first, 1e-9)))
            times = [run()[0] for _ in range(repeats)] or [first]
            found = {"seconds": sum(times) / len(times), "spikes": spikes.tolist()}
            print(json.dumps({**found, "gigabytes": _peak_gigabytes()}), file=answers, flush=True)
    return 0


def _built(task_name: str, engine: str) -> Any:
    """Return what runs an engine, which has run once."""
    task = import_module("benchmarks.peers.tasks").TASKS[task_name]
    side = "golden" if engine in task.golden else "peers"
    return import_module(f"benchmarks.peers.{task.family}_{side}").ENGINES[engine](task.work)


@contextlib.contextmanager
def _answers() -> Iterator[TextIO]:
    """Give the output that was there; what libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield answers


def _versions() -> dict[str, str]:
    found = {}
    for name in _NAMED:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _peak_gigabytes() -> float:
    """Return the most memory that this process had so far; 0 where that is not known."""
    with contextlib.suppress(OSError), open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e6
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
