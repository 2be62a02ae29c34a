"""Cells of memristive synapses in a core: ``python -m benchmarks.device_cost``.

The core with pair STDP whose weights change themselves, and the same with N devices a synapse: of
16 levels, with steps of 1.5 and 3 levels, and noise; ``--full`` adds faults, variation and counts
of writes. After synthesis for the ECP5, before placement.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.support import SIZE, console, options_of, print_versions, run, versions, write_json
from spikelet.description.cache import cache_folder
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.devices import Devices
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.synthesise import synthesise
from spikelet.rtl_gen.core import Core
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

LANES = 16
NAMES = ("luts", "flip_flops", "block_rams", "distributed_rams", "dsps")
GOALS = {3: 0.15, 7: 0.35}
"""Share of the learning core's cells that N devices may cost."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        counts={"type": int, "nargs": "*", "default": [1, 3, 7], "help": "N"},
        size={"type": int, "default": SIZE, "help": "axons, and neurons"},
        lanes={"type": int, "default": LANES, "help": "of the core"},
        full={"action": "store_true", "help": "with faults, variation and counts of writes"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "device_cost"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "pyosys")
    print_versions(tools)
    rule = pair_stdp(trace_bits=8, rounding="stochastic")
    one = Devices(1, up=(24,) * 16, down=(48,) * 16, noise=48)
    if options.full:
        one = replace(one, faults=True, variation=True, write_bits=6)
    rules = {0: rule}
    rules |= {n: rule.with_devices(replace(one, count=n)) for n in options.counts}
    rows = [
        {"devices": n, **_cells(r, options.size, options.lanes, options.folder / f"{n}")}
        for n, r in rules.items()
    ]
    table = Table("devices", *NAMES, "more LUTs", "goal")
    for row in rows:
        row["more"] = row["luts"] / rows[0]["luts"] - 1
        goal = GOALS.get(row["devices"])
        counted = [str(row[name]) for name in NAMES]
        shown = [*counted, f"{row['more']:.1%}", f"{goal:.0%}" if goal else ""]
        table.add_row(str(row["devices"] or "none"), *shown)
    console.print(table)
    write_json(options.json, {"versions": tools, "cores": rows})
    missed = [row for row in rows if row["more"] > GOALS.get(row["devices"], 9)]
    return int(options.strict and bool(missed))


def _cells(rule: LearningRule, size: int, lanes: int, folder: Path) -> dict[str, Any]:
    core = CoreParams(
        size,
        size,
        neuron_model("snntorch-zero"),
        parameters={"decay": "shared"},
        weight_bits=8,
        weight_format="unsigned",
        lanes=lanes,
        learning=rule,
    )
    verilog = to_verilog(Core(ChipParams((core,)), 0), "core")
    report = synthesise(verilog, "core", device_named("LFE5U-85F"), folder)
    return dict(report.resources)


if __name__ == "__main__":
    run(main)
