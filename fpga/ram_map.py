"""Where each bit of a memory's first contents is, in the parameters of a netlist's RAM cells.

Yosys says it itself: its mapping of memories to cells is run on the memories alone, once for each
bit of a number that is given to every bit of them, with contents that hold that bit.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.description.yosys import run_yosys
from spikelet.fpga.families.family import Cells, Family

__all__ = [
    "MEMORIES_FILE",
    "Contents",
    "RamMap",
    "memory_contents",
    "ram_map",
    "with_parameters",
]

MEMORIES_FILE = "memories.il"
"""What synthesis keeps of a design's memories before they become cells."""

Contents = Mapping[str, tuple[int, Sequence[int]]]
"""Width and rows of memories, by their path in a design without its top."""

_MODULE = re.compile(r"^module (\S+?) ?\(")
_MEMORY = re.compile(r"^\s*reg (?:\[(\d+):0\] )?(\S+)\s+\[(\d+):0\];")
_ROW = re.compile(r"^\s*(\S+?) ?\[(\d+)\] = \d+'([dhb])([0-9a-fx]+);")
_LOOP = re.compile(
    r" *integer word;\n *for \(word = (\d+); word < (\d+); word = word \+ 1\)\n"
    r" *(\S+?) ?\[word\] = \d+'([dhb])([0-9a-fx]+);"
)
"""As ``rtl_gen/initial_values.py`` writes it."""
_INSTANCE = re.compile(r"^\s*\) \\?(\S+) +\($")
_PARAMETER = re.compile(r"^(\s*\.(\w+)\()[^()]*(\),?)$")
_BASES = {"d": 10, "h": 16, "b": 2}

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RamMap:
    """Where the bits of a memory are.

    Parameters
    ----------
    memory : str
    width, depth : int
        Of what is in cells; column ``i`` is ``columns[i]`` of the design's memory.
    columns : tuple of int
        The others are logic, as all rows had the same value in them.
    places : mapping of (str, str) to array of int64
        For each bit of a cell's parameter, the lowest first, the ``row * width + column`` whose
        value it holds, or -1.
    """

    __repr__ = summary

    memory: str
    width: int
    depth: int
    columns: tuple[int, ...]
    places: Mapping[tuple[str, str], npt.NDArray[np.int64]]

    def bits(self, rows: Sequence[int]) -> BoolArray:
        """Return the bits of contents as they are numbered in :attr:`places`."""
        return _bits(rows, self.columns)

    def set(self, cells: dict[str, dict[str, str]], rows: Sequence[int]) -> None:
        """Put contents into the parameters of cells."""
        bits = self.bits(rows)
        for (cell, parameter), places in self.places.items():
            text = list(reversed(cells[cell][parameter]))
            for at in np.flatnonzero(places >= 0).tolist():
                text[at] = "01"[int(bits[places[at]])]
            cells[cell][parameter] = "".join(reversed(text))

    def replaced(self, memories: str, rows: Sequence[int]) -> str:
        """Return the text of :data:`MEMORIES_FILE` with these contents."""
        bits = "".join("01"[int(bit)] for bit in self.bits(rows)[::-1].tolist())
        found = _cell(memories, self.memory)
        cell = re.sub(r"(\\INIT \d+')\S+", lambda match: match[1] + bits, found[0])
        return memories[: found.start()] + cell + memories[found.end() :]

    def holds(self, cells: Cells, rows: Sequence[int]) -> bool:
        """Return whether the parameters of cells hold contents."""
        bits = self.bits(rows)
        for (cell, parameter), places in self.places.items():
            text = cells.get(cell, {}).get(parameter, "")[::-1]
            if len(text) != len(places):
                return False
            wanted = places >= 0
            found = np.array([bit == "1" for bit in text])
            if np.any(found[wanted] != bits[places[wanted]]):
                return False
        return True


def memory_contents(verilog: str, top: str) -> tuple[dict[str, tuple[int, list[int]]], list[str]]:
    """Return the first contents of all memories of a design, and the lines that say all the rest.

    The text is one that ``to_verilog`` emits. Rows that are not given are 0. How many blocks give a
    memory's rows, and which of them are loops, depends on the contents: that is no part of the
    rest.

    """
    found: dict[str, tuple[int, list[int]]] = {}
    rest: list[str] = []
    module, rows = "", dict[str, list[int]]()
    lines = iter(verilog.splitlines())
    for line in lines:
        if match := _MODULE.match(line):
            module, rows = match[1].removeprefix("\\"), {}
        elif match := _MEMORY.match(line):
            rows[match[2]] = [0] * (int(match[3]) + 1)
            found[_path(module, match[2], top)] = (int(match[1] or 0) + 1, rows[match[2]])
        elif line.startswith("  initial begin"):
            block = list(takewhile(lambda inside: inside != "  end", lines))
            others = [inside for inside in block if not _set_row(inside, rows)]
            if not _set_rows(block, rows) and others:
                rest += [line, *others, "  end"]
            continue
        rest.append(line)
    return found, rest


def _set_row(line: str, memories: Mapping[str, list[int]]) -> bool:
    """Set the row that a line gives; return whether it gives one."""
    match = _ROW.match(line)
    if not match or match[1] not in memories:
        return False
    memories[match[1]][int(match[2])] = _number(match[3], match[4])
    return True


def _set_rows(block: Sequence[str], memories: Mapping[str, list[int]]) -> bool:
    """Set the rows that a block gives one value in a loop; return whether it is such a block."""
    match = _LOOP.fullmatch("\n".join(block))
    if not match or match[3] not in memories:
        return False
    first, end = int(match[1]), int(match[2])
    memories[match[3]][first:end] = [_number(match[4], match[5])] * (end - first)
    return True


def _number(base: str, digits: str) -> int:
    return int(digits.replace("x", "0"), _BASES[base])


def _path(module: str, memory: str, top: str) -> str:
    inside = module.removeprefix(top).removeprefix(".")
    return ".".join(filter(None, (inside, memory.removeprefix("\\"))))


def with_parameters(netlist: str, cells: Cells) -> str:
    """Return a netlist that Yosys wrote as Verilog, with other parameters in some cells."""
    lines = netlist.split("\n")
    first = 0
    for at, line in enumerate(lines):
        if line.endswith(" #("):
            first = at + 1
        elif (match := _INSTANCE.match(line)) and match[1] in cells:
            given = cells[match[1]]
            for place in range(first, at):
                found = _PARAMETER.match(lines[place])
                if found and found[2] in given:
                    lines[place] = f"{found[1]}{_constant(given[found[2]])}{found[3]}"
    return "\n".join(lines)


def _constant(bits: str) -> str:
    """Return bits, some of which may be x, as Yosys writes them in Verilog."""
    nibbles = [bits[max(0, end - 4) : end] for end in range(len(bits), 0, -4)][::-1]
    if any("x" in nibble and set(nibble) != {"x"} for nibble in nibbles):
        return f"{len(bits)}'b{bits}"
    digits = ["x" if "x" in nibble else f"{int(nibble, 2):x}" for nibble in nibbles]
    return f"{len(bits)}'h{''.join(digits)}"


def ram_map(
    family: Family, folder: Path, built: Path, names: Sequence[str], contents: Contents, top: str
) -> dict[str, RamMap]:
    """Return where the bits of some memories of a build are.

    Parameters
    ----------
    family : Family
    folder : Path
        To work in.
    built : Path
        Holds :data:`MEMORIES_FILE` of the build.
    names : sequence of str
        Memories that are in RAM cells.
    contents : mapping
        What the build's memories hold, as :func:`memory_contents` returns it.
    top : str

    Raises
    ------
    SpikeletError
        If a memory is not there, or holds something else.
    """
    text = (built / MEMORIES_FILE).read_text()
    shapes = {name: _shape(text, name, contents[name]) for name in names}
    most = max(width * depth for width, depth, _ in shapes.values())
    markers = range(-1, (most - 1).bit_length())  # -1: every bit is 1
    others = " ".join(f"{top}/c:{name} %d" for name in shapes)
    lines = [
        f"read_rtlil {MEMORIES_FILE}",
        f"delete {top}/t:$mem_v2 {others}",
        f"setattr -set keep 1 {top}/t:$mem_v2",
        f"opt_clean -purge {top}",
        f"setattr -unset keep {top}/t:$mem_v2",
    ]
    for marker in markers:
        module = _module(marker)
        lines.append(f"copy {top} {module}")
        for name, (width, depth, _) in shapes.items():
            bits = _marked(width * depth, marker)
            lines.append(f"setparam -set INIT {width * depth}'b{bits} {module}/c:{name}")
    lines += [
        f"delete {top}",
        family.map_rams(),
        "select marker_*",
        "write_json -selected markers.json",
    ]
    (folder / MEMORIES_FILE).write_text(text)
    run_yosys("\n".join(lines) + "\n", folder, "markers")
    modules = json.loads((folder / "markers.json").read_text())["modules"]
    by_marker = [modules[_module(marker)]["cells"] for marker in markers]
    return {
        name: RamMap(name, width, depth, columns, _places(by_marker, name))
        for name, (width, depth, columns) in shapes.items()
    }


def _module(marker: int) -> str:
    return f"marker_{marker + 1}"


def _marked(size: int, marker: int) -> str:
    """Return a bit of each bit's number, that of the highest bit first."""
    if marker < 0:
        return "1" * size
    numbers = np.arange(size)[::-1] >> marker & 1
    return "".join("01"[bit] for bit in numbers.tolist())


def _places(
    by_marker: Sequence[Mapping[str, Any]], name: str
) -> dict[tuple[str, str], npt.NDArray[np.int64]]:
    """Return the number of the bit in each place of the cells of a memory; -1 where none is."""
    found = {}
    cell_name = re.compile(re.escape(name) + r"(\.\d+)+")
    for cell, fields in by_marker[0].items():
        if not cell_name.fullmatch(cell):
            continue
        for parameter in fields["parameters"]:
            if not parameter.startswith("INIT"):
                continue
            texts = [cells[cell]["parameters"][parameter][::-1] for cells in by_marker]
            ones = np.array([[bit == "1" for bit in text] for text in texts])
            weights = 1 << np.arange(len(texts) - 1)
            number = (ones[1:] * weights[:, None]).sum(axis=0)
            found[cell, parameter] = np.where(ones[0], number, -1)
    return found


def _shape(
    text: str, name: str, contents: tuple[int, Sequence[int]]
) -> tuple[int, int, tuple[int, ...]]:
    """Return width and depth of a memory in Yosys's form, and the columns that are left of it."""
    cell = _cell(text, name)[1]
    fields = dict(re.findall(r"^\s*parameter (?:signed )?\\(\w+) (\S+)$", cell, re.M))
    width, depth = int(fields["WIDTH"]), int(fields["SIZE"])
    whole, rows = contents
    varying = [i for i in range(whole) if len({row >> i & 1 for row in rows}) > 1]
    columns = tuple(range(whole) if width == whole else varying)
    found = np.array([bit == "1" for bit in fields["INIT"].split("'")[1][::-1]])
    if len(columns) != width or not np.array_equal(found, _bits(rows, columns)):
        raise SpikeletError(
            f"memory {name} of the build holds something else than its design says",
            remedy="build it again",
        )
    return width, depth, columns


def _cell(text: str, name: str) -> re.Match[str]:
    pattern = rf"^\s*cell \$mem_v2 \\{re.escape(name)}$(.*?)^\s*end$"
    found = re.search(pattern, text, re.M | re.S)
    if not found:
        raise SpikeletError(f"memory {name} is not among those that were synthesised")
    return found


def _bits(rows: Sequence[int], columns: Sequence[int]) -> BoolArray:
    values = np.array(rows, np.uint64)[:, None] >> np.array(columns, np.uint64)
    found: BoolArray = (values & np.uint64(1)).astype(np.bool_).ravel()
    return found
