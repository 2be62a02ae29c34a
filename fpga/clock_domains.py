"""Clocks of a design, and what crosses from one to another or comes from a pin: by analysis.

The design is flattened, and every flip-flop and memory is followed back through logic to the
flip-flops and pins that it depends on. A cell of logic counts as if each bit of its output depended
on each bit of its inputs, so that more may be listed than there is, and never less. What an
instance of another cell drives, such as a PLL, has no clock, as a pin.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikelet.description.yosys import run_yosys

__all__ = ["Clocking", "Crossing", "clocking"]

_SCRIPT = """\
read_verilog design.v
hierarchy -top {top}
proc
flatten
opt_clean
write_json flat.json
"""
_STORED = ("$dff", "$dffe", "$sdff", "$sdffe", "$sdffce", "$adff", "$adffe", "$aldff")
_MOST_STAGES = 4


@dataclass(frozen=True)
class Crossing:
    """What a register takes from another clock, or from a pin that has none.

    Parameters
    ----------
    source : str
        The other clock, or the pin.
    register : str
        That takes it first.
    stages : int
        Flip-flops in a row, of which each but the last feeds nothing but the next: 2 or more are a
        synchroniser.
    """

    source: str
    register: str
    stages: int


@dataclass(frozen=True)
class Clocking:
    """Clocks and crossings of a design.

    Parameters
    ----------
    clocks : dict of str to int
        Bits that each clock stores, memories not counted.
    crossings : tuple of Crossing
    """

    clocks: dict[str, int]
    crossings: tuple[Crossing, ...]

    @property
    def unsynchronised(self) -> tuple[Crossing, ...]:
        """Crossings without a synchroniser."""
        return tuple(crossing for crossing in self.crossings if crossing.stages < 2)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {"clocks": self.clocks, "crossings": [vars(one) for one in self.crossings]}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Clocking":
        """Inverse of :meth:`to_dict`."""
        return cls(fields["clocks"], tuple(Crossing(**one) for one in fields["crossings"]))


def clocking(verilog: str, top: str) -> Clocking:
    """Return the clocks and crossings of the module ``top``; SpikeletError if Yosys fails."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "design.v").write_text(verilog)
        run_yosys(_SCRIPT.format(top=top), folder)
        module = json.loads((folder / "flat.json").read_text())["modules"][top]
    return _Graph(module).clocking()


class _Graph:
    """Who drives and who uses each bit of a flattened module."""

    def __init__(self, module: dict[str, Any]) -> None:
        self._pins = {
            bit: f"{name}[{at}]" if len(port["bits"]) > 1 else name
            for name, port in module["ports"].items()
            if port["direction"] == "input"
            for at, bit in enumerate(port["bits"])
        }
        self._names = _names(module)
        self._clock_of: dict[int, int] = {}  # of each bit that a clock stores
        self._data: dict[int, int] = {}  # what a plain flip-flop takes, of its output
        self._into: dict[int, list[int]] = {}  # all that decides what a bit becomes
        self._through: dict[int, list[int]] = {}  # all that a bit of logic depends on
        self._users: dict[int, int] = {}
        self._memories: dict[str, list[int]] = {}  # numbers that stand for each write port
        known = [cell for cell in module["cells"].values() if "port_directions" in cell]
        for cell in sorted(known, key=lambda cell: not _writes(cell)):
            self._add(cell)
        driven = {*self._pins, *self._through, *self._clock_of}
        for name, cell in module["cells"].items():
            if "port_directions" not in cell:  # such as a PLL, of which only the ports are known
                for port, bits in cell["connections"].items():
                    for bit in bits:
                        if bit not in driven:
                            self._pins[bit] = f"{name}.{port}"
        self._followers = {data: bit for bit, data in self._data.items()}

    def _add(self, cell: dict[str, Any]) -> None:
        ports = {
            name: [bit for bit in bits if isinstance(bit, int)]
            for name, bits in cell["connections"].items()
        }
        outputs = [name for name, way in cell["port_directions"].items() if way == "output"]
        inputs = [bit for name in ports if name not in (*outputs, "CLK") for bit in ports[name]]
        memory = cell["parameters"].get("MEMID", "").removeprefix("\\")
        for bit in inputs:
            self._users[bit] = self._users.get(bit, 0) + 1
        if cell["type"] in _STORED:
            self._store(cell, ports)
        elif _writes(cell):
            number = -1 - len(self._into)
            self._names[number] = memory
            self._memories.setdefault(memory, []).append(number)
            self._into[number] = inputs
            self._clock_of[number] = ports["CLK"][0]
        else:
            for name in outputs:
                for bit in ports[name]:
                    self._through[bit] = inputs + self._memories.get(memory, [])

    def _store(self, cell: dict[str, Any], ports: dict[str, list[int]]) -> None:
        (clock,) = ports["CLK"]
        others = [bit for name in ("EN", "SRST", "ARST", "ALOAD") for bit in ports.get(name, ())]
        pairs = zip(cell["connections"]["Q"], cell["connections"]["D"], strict=True)
        for stored, data in pairs:
            taken = [data] if isinstance(data, int) else []
            self._clock_of[stored] = clock
            self._into[stored] = taken + others
            if taken and not others:
                self._data[stored] = data

    def clocking(self) -> Clocking:
        """Return what the module says."""
        counts: dict[str, int] = {}
        found: dict[Crossing, None] = {}
        for stored, clock in self._clock_of.items():
            own = self._clock(clock)
            if stored >= 0:
                counts[own] = counts.get(own, 0) + 1
            for source in self._sources(self._into[stored]):
                if source != own:
                    name = self._names.get(stored, "a memory")
                    found[Crossing(source, name, self._stages(stored))] = None
        return Clocking(counts, tuple(sorted(found, key=lambda one: (one.source, one.register))))

    def _clock(self, bit: int) -> str:
        """Return the name of a clock."""
        return self._names.get(bit) or self._pins.get(bit, f"net {bit}")

    def _sources(self, bits: Iterable[int]) -> Iterator[str]:
        """Yield the clocks and pins that bits depend on through logic."""
        todo, seen = list(bits), set()
        while todo:
            bit = todo.pop()
            if bit in seen:
                continue
            seen.add(bit)
            if bit in self._clock_of:
                yield self._clock(self._clock_of[bit])
            elif bit in self._pins:
                yield self._pins[bit]
            else:
                todo += self._through.get(bit, ())

    def _stages(self, stored: int) -> int:
        """Return how many flip-flops stand in a row from this one on."""
        stages = 1
        while stages < _MOST_STAGES and self._users.get(stored) == 1:
            if stored not in self._followers:
                break
            stored = self._followers[stored]
            stages += 1
        return stages


def _writes(cell: dict[str, Any]) -> bool:
    """Return whether a cell is the write port of a memory."""
    return str(cell["type"]).startswith("$memwr")


def _names(module: dict[str, Any]) -> dict[int, str]:
    """Return the shortest name of each bit."""
    names: dict[int, str] = {}
    for name, entry in module["netnames"].items():
        if name.startswith("$"):
            continue
        bits, first = entry["bits"], entry.get("offset", 0)
        for at, bit in enumerate(bits):
            full = f"{name}[{at + first}]" if len(bits) > 1 else name
            if isinstance(bit, int) and len(full) < len(names.get(bit, full + " ")):
                names[bit] = full
    return names
