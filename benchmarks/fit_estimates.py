"""The fit check's estimates against what is built: ``python -m benchmarks.fit_estimates``.

Every chip is synthesised and packed, not placed. The chips of one table are those that the
coefficients of ``fpga/families/`` come from; those of the other had no part in them. Block
RAMs, SPRAMs and multipliers must be exact, and look-up tables within 10 %. ``--fit`` prints the
coefficients that the first table's chips give.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from scipy.optimize import lsq_linear

from benchmarks.fit_chips import FITTED, HELD_OUT
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
from spikelet.fpga.families import families, family_named
from spikelet.fpga.families.family import Device
from spikelet.fpga.fit import LUT_TERMS, check_fit, lut_terms
from spikelet.fpga.synthesise import synthesise
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog

__all__ = ["main"]

ERROR = 0.10
"""Goal: largest relative error of the LUTs."""

EXACT = ("block_rams", "dsps", "sprams")

UNCHANGED = ("table", "image")
"""Coefficients of what no chip of the tables has."""

PRIOR_WEIGHT = 0.03
"""Relative error that twice the first guess is worth: decides between terms that go together."""

_GUESS = {
    "chip": 700.0,
    "core": 400.0,
    "plastic core": 400.0,
    "router": 7.0,
    "ram multiplexer": 0.6,
    "distributed ram": 6.0,
}
_HALVES = 2.15
"""Halves of the GateMate's CPEs for a LUT of the ECP5, about."""


def _sister(family: str) -> dict[str, float]:
    """Return the coefficients of a family whose cells are alike, which many chips gave."""
    return dict(family_named(family).lut_costs)


FIRST_GUESS = {
    "ecp5": {**_GUESS, "register": 0.05},
    "ice40": {**_GUESS, "register": 0.7, "register memory": 1.7},
    "ice40-hx": _sister("ice40"),
    "gatemate": {name: round(_HALVES * cost, 2) for name, cost in _sister("ecp5").items()},
    "gowin": {**_sister("ice40"), "distributed ram": 8.0},
}
"""LUTs for each unit before any synthesis; 1 where nothing is said. A logic cell of the iCE40 that
holds a register without a look-up table before it counts as one."""


def main() -> int:
    """Run the benchmark; return 0, or 1 if a goal is missed and ``--strict`` was given."""
    options = options_of(
        __doc__,
        family={"choices": list(FITTED), "action": "append", "help": "leave out the other"},
        chip={"action": "append", "metavar": "NAME", "help": "leave out the others"},
        held_out={"action": "store_true", "help": "leave out the chips of the coefficients"},
        fit={"action": "store_true", "help": "print the coefficients that the chips give"},
        folder={
            "type": Path,
            "default": cache_folder() / "benchmarks" / "fit_estimates",
            "help": "keeps what has been built",
        },
        strict={"action": "store_true", "help": "exit with 1 if a goal is missed"},
    )
    packages = [package.name for family in families() for package in family.packages]
    tools = versions("amaranth", "pyosys", *packages)
    print_versions(tools)
    sets = {"held out": HELD_OUT} if options.held_out else {"fitted": FITTED, "held out": HELD_OUT}
    results: dict[str, dict[str, Any]] = {}
    for family in options.family or FITTED:
        device = family_named(family).largest
        results[family] = {}
        for name, chips in sets.items():
            rows = [
                _row(title, chip, device, options.folder, tools)
                for title, chip in chips[family].items()
                if title in (options.chip or chips[family])
            ]
            results[family][name] = rows
            if not rows:
                continue
            console.print(_table(f"{device.name}, chips {name}", rows))
            console.print(_summary(rows))
        if options.fit and results[family].get("fitted"):
            console.print(_fitted(family, results[family]["fitted"]))
    write_json(options.json, {"versions": tools, "families": results})
    reached = [r["reached"] for f in results.values() for r in f.get("held out", ())]
    return int(options.strict and not all(reached))


def _row(
    title: str, chip: ChipParams, device: Device, folder: Path, tools: dict[str, str]
) -> dict[str, Any]:
    """Return what is estimated for a chip, and what it takes."""
    console.print(f"{title}: synthesis for {device.name}", highlight=False)
    estimated = {**dict.fromkeys(EXACT, 0), **check_fit(chip, device).needed}
    built = _built(to_verilog(Chip(chip), "chip"), "chip", device, folder, tools)
    error = estimated["luts"] / built["luts"] - 1
    exact = all(estimated[name] == built[name] for name in EXACT)
    return {
        "chip": title,
        "terms": dict(lut_terms(chip, device)),
        "estimated": estimated,
        "built": built,
        "error": error,
        "reached": exact and abs(error) <= ERROR,
    }


def _built(
    verilog: str, top: str, device: Device, folder: Path, tools: dict[str, str]
) -> dict[str, int]:
    """Return the cells of a design after packing, from an earlier run if nothing changed."""
    packages = [package.name for package in device.family.packages]
    used = {name: tools[name] for name in ("pyosys", *packages)}
    made_of = json.dumps([verilog, device.name, used], sort_keys=True)
    kept = folder / f"{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.json"
    if kept.exists():
        found: dict[str, int] = json.loads(kept.read_text())
        return found
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        report = synthesise(verilog, top, device, work)
        cells = {name: report.resources.get(name, 0) for name in EXACT}
        cells["luts"] = device.family.packed_luts(device, work)
    write_json(kept, cells)
    return cells


def _fitted(family: str, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the coefficients of least relative error, none negative, drawn to the first guess."""
    costs = family_named(family).lut_costs
    names = [name for name in LUT_TERMS if name not in UNCHANGED]
    built = np.array([row["built"]["luts"] for row in rows], np.float64)
    shares = np.array([[row["terms"].get(name, 0) for name in names] for row in rows])
    guess = np.array([FIRST_GUESS[family].get(name, 1.0) for name in names])
    system = np.vstack([shares / built[:, None], np.diag(PRIOR_WEIGHT / guess)])
    wanted = np.concatenate([np.ones(len(rows)), np.full(len(names), PRIOR_WEIGHT)])
    found = lsq_linear(system, wanted, bounds=(0, np.inf)).x
    kept = {name: costs[name] for name in UNCHANGED}
    return dict(zip(names, found.round(2).tolist(), strict=True)) | kept


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for column in ("chip", "LUTs packed", "estimated", "error", "block RAMs", "multipliers"):
        table.add_column(column, justify="left" if column == "chip" else "right")
    table.add_column("SPRAMs", justify="right")
    table.add_column("")
    for row in rows:
        built, estimated = row["built"], row["estimated"]
        counts = (
            str(built[name])
            if built[name] == estimated[name]
            else f"{built[name]}, estimated {estimated[name]}"
            for name in EXACT
        )
        table.add_row(
            row["chip"],
            f"{built['luts']:,}",
            f"{estimated['luts']:,}",
            f"{row['error']:+.1%}",
            *counts,
            verdict(row["reached"]),
        )
    return table


def _summary(rows: list[dict[str, Any]]) -> str:
    errors = np.abs([row["error"] for row in rows])
    exact = sum(all(r["built"][n] == r["estimated"][n] for n in EXACT) for r in rows)
    return (
        f"{len(rows)} chips: LUTs off by {errors.mean():.1%} on average, "
        f"{errors.max():.1%} at most; block RAMs, multipliers and SPRAMs exact in {exact}"
    )


if __name__ == "__main__":
    run(main)
