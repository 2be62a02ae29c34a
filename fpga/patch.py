"""Other contents in a bitstream that there is: without synthesis, placement or routing.

A design that differs from the built one in first contents of memories only, and in those that are
in RAM cells, has the same netlist but for parameters of these cells.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from spikelet.description.artefact import Artefact, digest_of, file_digest
from spikelet.description.errors import MALFORMED, SpikeletError, file_error
from spikelet.description.files import PARTIAL
from spikelet.fpga.families import device_named
from spikelet.fpga.families.family import RAM_PLACES_FILE, Family
from spikelet.fpga.flow import REPORT, FpgaReport, put_in_place
from spikelet.fpga.ram_map import MEMORIES_FILE, RamMap, memory_contents, ram_map, with_parameters
from spikelet.fpga.tools import Progress, silent

__all__ = ["patch_bitstream"]

_BUILD_AGAIN = "build it again (spikelet build)"
_SHOWN = 3
"""Differences that an error names."""


def patch_bitstream(
    built: Path,
    folder: Path,
    verilog: str,
    *,
    inputs: Mapping[str, str] | None = None,
    command: str = "",
    progress: Progress = silent,
) -> FpgaReport:
    """Make the bitstream of a design of one that differs from it in contents of RAM only.

    The result is what place and route makes of the new contents in the same places. All other
    files of the build are those of the new design, too; the logs are of the old one.

    Parameters
    ----------
    built : Path
        A finished build of a board.
    folder : Path
        Where the result goes; may be ``built``.
    verilog : str
        The whole new design.
    inputs : dict of str to str or None
        Digests, by role, of what the Verilog was made of.
    command : str
        The shell command that patches it, for the record.

    Raises
    ------
    SpikeletError
        If there is no such build; if the designs differ in logic, or in a memory that is built of
        logic, with what differs; if the family's bitstreams cannot be patched.
    """
    report = FpgaReport.load(built)
    if not report.bitstream:
        raise SpikeletError(
            f"{built} holds no bitstream, but a bare chip in {report.device}",
            remedy="name a board",
        )
    family = device_named(report.device).family
    partial = folder.with_name(f"{folder.name}{PARTIAL}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(built, partial)
        changed = _patch(report, family, partial, verilog, progress)
        progress(f"{report.top}: packing the bitstream")
        options = report.made.options.get("bitstream options", ())
        family.pack(partial, tuple(options))
        old = file_digest(built / report.bitstream)
        patched = {"bitstream": old, "memories": ", ".join(changed)}
        report = replace(report, patched=patched)
        (partial / REPORT).write_text(json.dumps(report.to_dict(), indent=1) + "\n")
        made = Artefact(
            report.made.kind,
            {
                **(inputs or {}),
                "Verilog": digest_of(verilog),
                "constraints": report.made.inputs["constraints"],
                "patched bitstream": old,
            },
            options=report.made.options,
            tools=report.made.tools,
            command=command,
            version=report.made.version,
        ).seal(partial)
        put_in_place(folder, partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise file_error(f"the patched bitstream in {folder} cannot be written", error) from error
    except SpikeletError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return replace(report, made=made)


def _patch(
    report: FpgaReport, family: Family, folder: Path, verilog: str, progress: Progress
) -> list[str]:
    """Put the contents of a design into the files of a build; return the memories that change."""
    old, before = memory_contents((folder / "design.v").read_text(), report.top)
    new, after = memory_contents(verilog, report.top)
    if before != after:
        raise _other_logic(before, after)
    changed = [name for name in new if new[name] != old[name]]
    if not changed:
        return changed
    progress(f"{report.top}: contents of {', '.join(changed)}")
    kinds = {memory.name: memory.cell for memory in report.memories}
    for name in changed:
        if kinds.get(name, "logic") == "logic":
            raise SpikeletError(
                f"memory {name}, whose contents change, is built of logic, not of RAM cells",
                remedy=_BUILD_AGAIN,
            )
    maps = ram_map(family, folder, folder, changed, old, report.top)
    for name in changed:
        _check_columns(maps[name], old[name][1], new[name][1])
    _set(family, folder, report.top, list(maps.values()), old, new)
    (folder / "design.v").write_text(verilog)
    return changed


def _set(
    family: Family,
    folder: Path,
    top: str,
    maps: list[RamMap],
    old: Mapping[str, tuple[int, list[int]]],
    new: Mapping[str, tuple[int, list[int]]],
) -> None:
    """Put new contents into netlist and placed design; SpikeletError if these hold others."""
    try:
        netlist = json.loads((folder / "netlist.json").read_text())
        places = json.loads((folder / RAM_PLACES_FILE).read_text())
        there = netlist["modules"][top]["cells"]
        cells: dict[str, dict[str, str]] = {}
        for cell, parameter in (place for found in maps for place in found.places):
            cells.setdefault(cell, {})[parameter] = there[cell]["parameters"][parameter]
        whole = all(found.holds(cells, old[found.memory][1]) for found in maps)
        placed = (folder / family.placed_file).read_bytes()
        family.set_contents(folder, places, cells)
        whole = whole and (folder / family.placed_file).read_bytes() == placed
    except (OSError, *MALFORMED) as error:
        raise SpikeletError(
            f"{folder}: the build cannot be patched: {type(error).__name__} {error}",
            remedy=_BUILD_AGAIN,
        ) from error
    if not whole:
        raise SpikeletError(
            f"{folder}: RAM cells do not hold what the design says", remedy=_BUILD_AGAIN
        )
    memories = (folder / MEMORIES_FILE).read_text()
    for found in maps:
        found.set(cells, new[found.memory][1])
        memories = found.replaced(memories, new[found.memory][1])
    (folder / MEMORIES_FILE).write_text(memories)
    for cell, parameters in cells.items():
        there[cell]["parameters"] |= parameters
    (folder / "netlist.json").write_text(json.dumps(netlist, indent=1))
    text = (folder / "netlist.v").read_text()
    (folder / "netlist.v").write_text(with_parameters(text, cells))
    family.set_contents(folder, places, cells)


def _check_columns(found: RamMap, old: list[int], new: list[int]) -> None:
    """Raise SpikeletError if contents differ in a bit that is logic."""
    kept = sum(1 << column for column in found.columns)
    for row, (was, wanted) in enumerate(zip(old, new, strict=True)):
        if other := (was ^ wanted) & ~kept:
            bit = other.bit_length() - 1
            raise SpikeletError(
                f"memory {found.memory}: row {row} needs another bit {bit}, which is the same in "
                "all rows of the build, and so is no RAM",
                remedy=_BUILD_AGAIN,
            )


def _other_logic(before: list[str], after: list[str]) -> SpikeletError:
    """Return an error that names where two designs differ besides contents."""
    pairs = [
        f"{_short(was)} (there), {_short(wanted)} (needed)"
        for was, wanted in zip(before, after, strict=False)
        if was != wanted
    ]
    if len(before) != len(after):
        pairs.append(f"{len(before)} lines (there), {len(after)} lines (needed)")
    more = f", and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return SpikeletError(
        "the design differs from the one that was built in constant logic, which no contents of "
        f"memories can change: {'; '.join(pairs[:_SHOWN])}{more}",
        remedy="compile the network like the one that was built (--like), and store as many "
        f"samples, of as many ticks and events; else {_BUILD_AGAIN}",
    )


def _short(line: str) -> str:
    return re.sub(r"\s+", " ", line).strip()[:80]
