"""Synthesis with Yosys: Verilog to a netlist of a device's cells, with every memory checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.yosys import run_yosys
from spikelet.fpga.devices import Device

__all__ = [
    "LARGEST_REGISTER_MEMORY",
    "MemoryUse",
    "SynthesisReport",
    "check_memories",
    "parse_cells",
    "parse_memories",
    "spram_memories",
    "synthesise",
]

LARGEST_REGISTER_MEMORY = 512
"""Bits up to which a writable memory may be made of flip-flops."""

_RAM_CELLS = {
    "ecp5": ("DP16KD", "TRELLIS_DPR16X4"),
    "ice40": (
        "SB_SPRAM256KA",
        "SB_RAM40_4K",
        "SB_RAM40_4KNR",
        "SB_RAM40_4KNW",
        "SB_RAM40_4KNRNW",
    ),
}

_SPRAM_DECLARATION = re.compile(
    r'^\s*\(\* ram_style = "huge" \*\)\n(?:\s*\(\*.*\*\)\n)*\s*reg (?:\[\d+:\d+\] )?(\S+) \[', re.M
)

_MODULE = re.compile(r"^module (\S+?) ?\(", re.M)


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
    top, device : str
    cells : dict of str to int
        Number of cells by their type.
    memories : tuple of MemoryUse
    netlist_json, netlist_verilog : Path
        For nextpnr, and for simulation.
    """

    top: str
    device: str
    cells: Mapping[str, int]
    memories: tuple[MemoryUse, ...]
    netlist_json: Path
    netlist_verilog: Path

    def count(self, *kinds: str) -> int:
        """Return how many cells have a type that starts with one of ``kinds``."""
        return sum(number for cell, number in self.cells.items() if cell.startswith(kinds))

    @property
    def resources(self) -> dict[str, int]:
        """Cells in common units, before placement; carry chains and RAMs as the LUTs they take."""
        if self.netlist_is_ecp5:
            logic = self.count("LUT4") + 2 * self.count("CCU2C") + 6 * self.count("TRELLIS_DPR16X4")
            return {
                "luts": logic,
                "flip_flops": self.count("TRELLIS_FF"),
                "block_rams": self.count("DP16KD"),
                "dsps": self.count("MULT18X18D"),
                "distributed_rams": self.count("TRELLIS_DPR16X4"),
            }
        return {
            "luts": self.count("SB_LUT4"),
            "flip_flops": self.count("SB_DFF"),
            "block_rams": self.count("SB_RAM40_4K"),
            "dsps": self.count("SB_MAC16"),
            "sprams": self.count("SB_SPRAM256KA"),
        }

    @property
    def netlist_is_ecp5(self) -> bool:
        """Whether the cells are those of the ECP5."""
        return self.device.startswith("LFE5")


def spram_memories(verilog: str) -> list[tuple[str, str]]:
    """Return (module, memory) of each memory that asks for SPRAM with ram_style = "huge"."""
    found = []
    modules = [(match.start(), match[1]) for match in _MODULE.finditer(verilog)]
    for match in _SPRAM_DECLARATION.finditer(verilog):
        module = [name for start, name in modules if start < match.start()][-1]
        found.append((module.removeprefix("\\"), match[1].removeprefix("\\")))
    return found


def _prepare(verilog: str, family: str) -> str:
    """Return the commands that treat SPRAM requests.

    An SPRAM has no initial contents, so an initialiser, which Amaranth always writes, would forbid
    it; and a family without SPRAM must not be asked for one.
    """
    if family == "ecp5":
        return "setattr -unset ram_style m:* a:ram_style=huge %i"
    return "\n".join(
        f"delete {module}/t:$meminit_v2 {module}/r:MEMID=\\{memory} %i"
        for module, memory in spram_memories(verilog)
    )


def _script(verilog: str, top: str, device: Device) -> str:
    flow = {
        # The wide multiplexers that Yosys else builds cost a router half as many LUTs again, and a
        # core 2 to 5 %, for at most 5 % of frequency.
        "ecp5": f"synth_lattice -family ecp5 -nowidelut -top {top}",
        "ice40": f"synth_ice40 -device u -dsp -top {top}",
    }[device.family]
    after_proc = {"ecp5": "coarse", "ice40": "flatten"}[device.family]
    prepared = _prepare(verilog, device.family)
    prepare_first, prepare_then = (prepared, "") if device.family == "ecp5" else ("", prepared)
    return f"""\
read_verilog design.v
{prepare_first}
{flow} -run begin:{after_proc}
{prepare_then}
{flow} -run {after_proc}:map_ram
tee -q -o memories.txt dump t:$mem_v2
{flow} -run map_ram:
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
    mapped = any(memory.cell != "logic" for memory in memories)
    if mapped and not any(cells.get(cell) for cell in _RAM_CELLS[device.family]):
        raise SpikeletError(
            f"{device.name}: yosys mapped memories to RAM, but the netlist has no RAM cell",
            remedy="the memories are unused: check that the design's outputs depend on them",
        )


def synthesise(verilog: str, top: str, device: Device, folder: Path) -> SynthesisReport:
    """Synthesise ``top`` of a Verilog text for a device; the files stay in ``folder``.

    Writes ``design.v`` (the input), ``netlist.json``, ``netlist.v``, ``cells.json``,
    ``memories.txt``, ``yosys.ys`` and ``yosys.log``. A memory with the attribute
    ``ram_style = "huge"`` becomes SPRAM where the device has it; there its initial contents are
    dropped, as SPRAM has none.

    Raises
    ------
    SpikeletError
        If Yosys fails, or a memory of more than :data:`LARGEST_REGISTER_MEMORY` bits fell into
        registers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.v").write_text(verilog)
    run_yosys(_script(verilog, top, device), folder)
    log = (folder / "yosys.log").read_text(errors="replace")
    memories = parse_memories((folder / "memories.txt").read_text(), log, top)
    cells = parse_cells((folder / "cells.json").read_text())
    check_memories(memories, cells, device)
    return SynthesisReport(
        top, device.name, cells, memories, folder / "netlist.json", folder / "netlist.v"
    )


def parse_cells(text: str) -> dict[str, int]:
    """Return the number of cells of each type in the output of ``stat -json``."""
    try:
        counts = json.loads(text)["design"]["num_cells_by_type"]
    except (ValueError, KeyError) as error:
        raise SpikeletError(f"yosys: stat -json has no cell counts: {error}") from error
    return {str(cell): int(number) for cell, number in counts.items()}
