"""Time and memory of ``spikelet compile`` for a chip of many cores: ``python -m
benchmarks.compile_cores``.

A chain of fully connected layers with random weights, each as wide as it is deep, in cores of 16
neurons: 32 layers of 512 neurons are 1,024 cores. The command runs in a process of its own, from
the NIR file to the chip's files. Processor time is what counts: the wall clock sees other work too.
"""

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
from rich.table import Table

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError

__all__ = ["main"]

NEURONS = 16
"""Of a core."""


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(
        __doc__, side={"type": int, "default": 32, "help": "layers; and cores of each of them"}
    )
    tools = versions("nir", "scipy", "amaranth", "pyosys")
    print_versions(tools)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nir.write(folder / "chain.nir", _graph(options.side))
        result = _measured(folder / "chain.nir", folder / "out", options.side * NEURONS)
    table = Table(title=f"spikelet compile, {result['cores']:,} cores")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("processor time, s", f"{result['processor_seconds']:.1f}")
    table.add_row("wall-clock time, s", f"{result['seconds']:.1f}")
    table.add_row("peak memory, MB", f"{result['peak_mb']:,.0f}")
    table.add_row("Verilog, MB", f"{result['verilog_mb']:.1f}")
    console.print(table)
    write_json(options.json, {"versions": tools, **result})
    return 0


def _graph(side: int) -> nir.NIRGraph:
    rng, size = np.random.default_rng(0), side * NEURONS
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([size])})}
    for layer in range(side):
        weights = rng.integers(-7, 8, (size, size)).astype(np.float32) / 16
        nodes[f"linear{layer}"] = nir.Linear(weights)
        nodes[f"lif{layer}"] = nir.LIF(
            np.full(size, 0.01), np.ones(size), np.zeros(size), np.ones(size)
        )
    nodes["output"] = nir.Output({"output": np.array([size])})
    return nir.NIRGraph(nodes, list(pairwise(nodes)))


def _measured(network: Path, folder: Path, axons: int) -> dict[str, Any]:
    """Run the command; SpikeletError if it fails."""
    call = [sys.executable, "-m", "spikelet", "compile", str(network), "-o", str(folder)]
    call += ["--max-neurons", str(NEURONS), "--max-axons", str(axons)]
    call += ["--framework", "spikingjelly"]
    began = time.perf_counter()
    with (folder.parent / "said.txt").open("w") as said:
        process = subprocess.Popen(call, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SpikeletError((folder.parent / "said.txt").read_text())
    return {
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10)),
        "verilog_mb": (folder / "rtl" / "chip.v").stat().st_size / 1e6,
        "cores": len(CompiledNetwork.load(folder / "compiled").chip.cores),
    }


if __name__ == "__main__":
    run(main)
