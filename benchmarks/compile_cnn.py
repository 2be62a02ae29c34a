"""Time and memory of ``spikelet compile`` for a convolutional network: ``python -m
benchmarks.compile_cnn``.

The network has the size of the NIR paper's CNN for N-MNIST (Pedersen et al. 2024), with random
weights: 2x34x34; 16 channels 5x5, stride 2; 16 channels 3x3; sum pool; 8 channels 3x3; sum pool;
256 neurons; 10. The command runs in a process of its own, from the NIR file to the chip's files.
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

from benchmarks.support import (
    console,
    options_of,
    print_versions,
    run,
    verdict,
    versions,
    write_json,
)
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.errors import SpikeletError

__all__ = ["main"]

GOAL_S = 20.0


def main() -> int:
    """Run the benchmark; return 0, or 1 if the goal is missed and ``--strict`` was given."""
    options = options_of(
        __doc__, strict={"action": "store_true", "help": "exit with 1 if the goal is missed"}
    )
    tools = versions("nir", "scipy", "amaranth", "pyosys")
    print_versions(tools)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nir.write(folder / "cnn.nir", _graph())
        result = _measured(folder / "cnn.nir", folder / "out")
    table = Table(title="spikelet compile, 2x34x34 to 10")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("goal")
    reached = result["seconds"] < GOAL_S
    table.add_row("wall-clock time, s", f"{result['seconds']:.1f}", f"< {GOAL_S:.0f}")
    table.add_row("", verdict(reached), "")
    table.add_row("processor time, s", f"{result['processor_seconds']:.1f}", "")
    table.add_row("peak memory, MB", f"{result['peak_mb']:,.0f}", "")
    table.add_row("stored, MB", f"{result['stored_mb']:.1f}", "")
    table.add_row("cores", ", ".join(result["cores"]), "")
    console.print(table)
    write_json(options.json, {"versions": tools, "reached": reached, **result})
    return int(options.strict and not reached)


def _graph() -> nir.NIRGraph:
    rng = np.random.default_rng(0)

    def convolution(outputs: int, inputs: int, window: int, stride: int, extent: int) -> nir.Conv2d:
        return nir.Conv2d(
            (extent, extent),
            rng.normal(size=(outputs, inputs, window, window)),
            stride=stride,
            padding=1,
            dilation=1,
            groups=1,
            bias=np.zeros(outputs),
        )

    def neurons(*shape: int) -> nir.LIF:
        ones = np.ones(shape)
        return nir.LIF(tau=1e-3 * ones, r=10 * ones, v_leak=0 * ones, v_threshold=3 * ones)

    def pool() -> nir.SumPool2d:
        return nir.SumPool2d(*(np.array([size, size]) for size in (2, 2, 0)))

    nodes = {
        "input": nir.Input({"input": np.array([2, 34, 34])}),
        "conv1": convolution(16, 2, 5, 2, 34),
        "lif1": neurons(16, 16, 16),
        "conv2": convolution(16, 16, 3, 1, 16),
        "lif2": neurons(16, 16, 16),
        "pool1": pool(),
        "conv3": convolution(8, 16, 3, 1, 8),
        "lif3": neurons(8, 8, 8),
        "pool2": pool(),
        "flatten": nir.Flatten({"input": np.array([8, 4, 4])}, 0, -1),
        "linear1": nir.Linear(rng.normal(size=(256, 128))),
        "lif4": neurons(256),
        "linear2": nir.Linear(rng.normal(size=(10, 256))),
        "lif5": neurons(10),
        "output": nir.Output({"output": np.array([10])}),
    }
    graph = nir.NIRGraph(nodes, list(pairwise(nodes)))
    graph.metadata = {"dt": 1e-4, "simulator": "snntorch"}
    return graph


def _measured(network: Path, folder: Path) -> dict[str, Any]:
    """Run the command; SpikeletError if it fails."""
    call = (sys.executable, "-m", "spikelet", "compile", str(network), "-o", str(folder))
    began = time.perf_counter()
    with (folder.parent / "said.txt").open("w") as said:
        process = subprocess.Popen(call, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SpikeletError((folder.parent / "said.txt").read_text())
    compiled = CompiledNetwork.load(folder / "compiled")
    stored = sum(file.stat().st_size for file in (folder / "compiled").iterdir())
    return {
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10)),
        "stored_mb": stored / 1e6,
        "cores": [f"{c.n_axons}x{c.n_neurons} {c.synapses}" for c in compiled.chip.cores],
    }


if __name__ == "__main__":
    run(main)
