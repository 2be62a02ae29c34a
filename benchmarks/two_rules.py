"""What a second rule and short-term plasticity cost: ``python -m benchmarks.two_rules``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.support import console, options_of, print_versions, verdict, versions, write_json
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.learning.rule import LearningRule
from spikelet.description.learning.short_term import ShortTermPlasticity
from spikelet.description.learning.two_rules import both_rules
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

MOST = 1.15
"""Goal: cells of a core with two rules, of those with one."""

PAIRS = pair_stdp(trace_bits=8, rounding="nearest")
SYMMETRIC = LearningRule(
    "2^-9*x1*y0 + 2^-9*x0*y1 - 2*x0",
    x1=PAIRS.x1,
    y1=PAIRS.y1,
    w_min=PAIRS.w_min,
    w_max=PAIRS.w_max,
    name="inhibitory STDP",
    source="Vogels et al. 2011",
)


def main() -> int:
    """Run the benchmark; return 0, or 1 if the goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        size={"type": int, "default": 256, "help": "axons, and neurons"},
        lanes={"type": int, "default": 16},
        device={"default": "LFE5U-85F"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "two_rules"},
        strict={"action": "store_true", "help": "exit with 1 if the goal is not reached"},
    )
    tools = versions("amaranth", "pyosys")
    print_versions(tools)
    one = CoreParams(
        n_axons=options.size,
        n_neurons=options.size,
        neuron=neuron_model("snntorch-zero"),
        parameters={"decay": "shared"},
        weight_bits=8,
        weight_format="unsigned" if PAIRS.w_max > 127 else "signed",
        lanes=options.lanes,
        learning=PAIRS,
    )
    cores = {
        "one rule": one,
        "two rules": replace(one, learning=both_rules([PAIRS, SYMMETRIC])),
        "short-term plasticity": replace(one, short_term=ShortTermPlasticity.of(0.2, 300, 300)),
    }
    table = Table(title=f"{options.size} x {options.size}, {options.lanes} lanes, {options.device}")
    rows: list[dict[str, Any]] = []
    for name, core in cores.items():
        verilog = to_verilog(Core(ChipParams((core,)), 0), "core")
        folder = options.folder / name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        report = synthesise(verilog, "core", device_named(options.device), folder)
        rows.append({"core": name, **report.resources, "cells": sum(report.cells.values())})
    for head in rows[0]:
        table.add_column(head)
    table.add_column("of one rule")
    for row in rows:
        row["of_one"] = row["cells"] / rows[0]["cells"]
        table.add_row(*(str(value) for value in list(row.values())[:-1]), f"{row['of_one']:.3f}")
    console.print(table)
    reached = rows[1]["of_one"] <= MOST
    console.print(f"two rules: at most {MOST} times the cells of one: {verdict(reached)}")
    write_json(options.json, {"versions": tools, "cores": rows})
    return int(options.strict and not reached)


if __name__ == "__main__":
    raise SystemExit(main())
