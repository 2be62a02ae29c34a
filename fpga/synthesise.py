"""Synthesis with Yosys: Verilog to a netlist of a device's cells, with every memory checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import run_yosys
from spikelet.fpga.families.family import Device

__all__ = [
    "LARGEST_REGISTER_MEMORY",
    "MemoryUse",
    "SynthesisReport",
    "check_memories",
    "parse_cells",
    "parse_memories",
    "script",
    "synthesise",
]

LARGEST_REGISTER_MEMORY = 512
"""Bits up to which a writable memory may be made of flip-flops."""


@dataclass(frozen=True)
class MemoryUse:
    """A memory of the design and what it became.

    Parameters
    ----------
    name : str
        Path in the design, without the top.
    width, depth : int
        Bits and rows.
    writable : bool
        False for a constant table.
    cell : str
        The RAM cell kind, or ``"logic"`` for one made of look-up tables and flip-flops.
    """

    name: str
    width: int
    depth: int
    writable: bool
    cell: str

    @property
    def bits(self) -> int:
        """Bits it holds."""
        return self.width * self.depth


@dataclass(frozen=True)
class SynthesisReport:
    """What synthesis made.

    Parameters
    ----------
    top : str
    device : Device
    cells : dict of str to int
        Number of cells by their type.
    memories : tuple of MemoryUse
    netlist_json, netlist_verilog : Path
        For nextpnr, and for simulation.
    """

    top: str
    device: Device
    cells: Mapping[str, int]
    memories: tuple[MemoryUse, ...]
    netlist_json: Path
    netlist_verilog: Path

    @property
    def resources(self) -> dict[str, int]:
        """Cells in common units, before placement; carry chains and RAMs as the LUTs they take."""
        return self.device.family.count(self.cells)


_KEEP = re.compile(r"^ *\(\* keep\b", re.M)

_KEPT = """\
proc
setattr -set keep 1 a:keep %ci1:+$dff[Q] t:$dff %i
"""
"""Yosys merges equal registers whatever attributes their wires have; those of cells count."""


def script(verilog: str, top: str, device: Device) -> str:
    """Return the Yosys script that synthesises the text of ``design.v`` for a device."""
    first, mapping = device.family.synthesis(verilog, top)
    return f"""\
read_verilog design.v
{_KEPT if _KEEP.search(verilog) else ""}{first}
tee -q -o memories.txt dump t:$mem_v2
design -save whole
delete t:* t:$mem_v2 %d
select {top}
write_rtlil -selected memories.il
select -clear
design -load whole
{mapping}
tee -q -o cells.json stat -json
write_json netlist.json
splitnets
clean
write_verilog -noattr netlist.v
"""


def parse_memories(dump: str, log: str, top: str) -> tuple[MemoryUse, ...]:
    """Return the memories in Yosys's ``dump`` of ``$mem_v2`` cells; the log tells their cells."""
    mapped = {
        name.removeprefix(f"{top}."): cell
        for name, cell in re.findall(r"^mapping memory (\S+) via (\S+)", log, re.M)
    }
    memories = []
    for cell in re.split(r"^\s*cell \$mem_v2 ", dump, flags=re.M)[1:]:
        fields = dict(re.findall(r"^\s*parameter (?:signed )?\\(\w+) (\S{1,200})$", cell, re.M))
        name = fields["MEMID"].strip('"').replace("\\\\", "").removeprefix("\\")
        if name.startswith("$"):  # a table that Yosys made of a case statement
            continue
        library_cell = mapped.get(name, "logic")
        memories.append(
            MemoryUse(
                name=name,
                width=int(fields["WIDTH"]),
                depth=int(fields["SIZE"]),
                writable=fields["WR_PORTS"] != "0",
                cell=library_cell.removeprefix("$__").removesuffix("_"),
            )
        )
    return tuple(sorted(memories, key=lambda memory: memory.name))


def check_memories(
    memories: tuple[MemoryUse, ...], cells: Mapping[str, int], device: Device
) -> None:
    """Raise SpikeletError, naming each, if a writable memory of some size fell into registers."""
    fallen = [
        memory
        for memory in memories
        if memory.cell == "logic" and memory.writable and memory.bits > LARGEST_REGISTER_MEMORY
    ]
    if fallen:
        names = ", ".join(f"{m.name} ({m.depth} x {m.width} bits)" for m in fallen)
        raise SpikeletError(
            f"{device.name}: yosys built memory {names} of registers, not RAM "
            f"(allowed up to {LARGEST_REGISTER_MEMORY} bits)",
            remedy="give it a synchronous read port and one write port, or make it smaller; "
            "yosys.log says why under memory_libmap",
        )
    counted = device.family.count(cells)
    mapped = any(memory.cell != "logic" for memory in memories)
    if mapped and not any(counted[ram.resource] for ram in device.family.rams):
        raise SpikeletError(
            f"{device.name}: yosys mapped memories to RAM, but the netlist has no RAM cell",
            remedy="the memories are unused: check that the design's outputs depend on them",
        )


def synthesise(verilog: str, top: str, device: Device, folder: Path) -> SynthesisReport:
    """Synthesise ``top`` of a Verilog text for a device; the files stay in ``folder``.

    Writes ``design.v`` (the input), ``netlist.json``, ``netlist.v``, ``cells.json``,
    ``memories.txt``, ``memories.il`` (the memories alone, by which a bitstream is patched),
    ``yosys.ys`` and ``yosys.log``. A memory with the attribute
    ``ram_style = "huge"`` becomes a single-port RAM where the family has it; there its initial
    contents are dropped, as such a RAM has none.

    Raises
    ------
    SpikeletError
        If Yosys fails, or a memory of more than :data:`LARGEST_REGISTER_MEMORY` bits fell into
        registers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.v").write_text(verilog)
    run_yosys(script(verilog, top, device), folder)
    log = (folder / "yosys.log").read_text(errors="replace")
    memories = parse_memories((folder / "memories.txt").read_text(), log, top)
    cells = parse_cells((folder / "cells.json").read_text())
    check_memories(memories, cells, device)
    return SynthesisReport(
        top, device, cells, memories, folder / "netlist.json", folder / "netlist.v"
    )


def parse_cells(text: str) -> dict[str, int]:
    """Return the number of cells of each type in the output of ``stat -json``."""
    try:
        counts = json.loads(text)["design"]["num_cells_by_type"]
    except (ValueError, KeyError) as error:
        raise SpikeletError(f"yosys: stat -json has no cell counts: {error}") from error
    return {str(cell): int(number) for cell, number in counts.items()}
