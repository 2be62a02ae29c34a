"""The registers of a design by name, and where synthesis and placement left each bit of them."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikelet.description.yosys import run_yosys

__all__ = ["RegisterBit", "bits_of", "netlist_names", "placed_names", "register_bits"]

_FLATTEN = """\
read_verilog design.v
hierarchy -top {top}
proc
flatten
memory_dff
write_json flat.json
"""
_FLIP_FLOPS = ("$dff", "$dffe", "$sdff", "$sdffe", "$sdffce", "$adff", "$adffe", "$aldff")
_NET = re.compile(r"^  (?:wire|reg|input|output) (\\\S+ |\w+);", re.M)


@dataclass(frozen=True)
class RegisterBit:
    """A bit of a register of a design.

    Parameters
    ----------
    name : str
        Path from the top, such as ``"self_test.chip.busy[3]"``; without a number if the register
        has one bit.
    path : tuple of str
        Instances down to the register.
    index : int
        Of the bit; -1 if the register has one bit.
    """

    name: str
    path: tuple[str, ...]
    index: int

    def reference(self, instance: str) -> str:
        """Return how Verilog refers to it from outside of an instance of the design."""
        # always escaped: Yosys writes names such as `table` so, too
        path = ".".join(f"\\{part} " for part in self.path)
        return f"{instance}.{path}" + (f"[{self.index}]" if self.index >= 0 else "")


def register_bits(verilog: str, top: str) -> tuple[RegisterBit, ...]:
    """Return each bit of each register that has a name, once, in Yosys's order.

    What a memory's port keeps of the last read is no register here: it becomes part of a RAM cell,
    which may hold something else while nothing uses it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "design.v").write_text(verilog)
        run_yosys(_FLATTEN.format(top=top), folder)
        module = json.loads((folder / "flat.json").read_text())["modules"][top]
    stored = {
        bit
        for cell in module["cells"].values()
        if cell["type"] in _FLIP_FLOPS
        for bit in cell["connections"]["Q"]
    }
    found = []
    for name, entry in module["netnames"].items():
        if name.startswith("$") or entry.get("hide_name"):
            continue
        bits, first = entry["bits"], entry.get("offset", 0)
        for index, bit in enumerate(bits):
            if bit in stored:
                stored.remove(bit)  # the same bit under another name is not another register
                at = -1 if len(bits) == 1 else index + first
                full = f"{name}[{at}]" if at >= 0 else name
                found.append(RegisterBit(full, tuple(name.split(".")), at))
    return tuple(found)


def netlist_names(netlist: Mapping[str, Any], text: str) -> dict[str, str]:
    """Return how Verilog refers to each bit of a signal that something in a netlist drives.

    Parameters
    ----------
    netlist : mapping
        The top module of Yosys's ``netlist.json``.
    text : str
        The same as Verilog, its nets split into bits.
    """
    driven = {
        bit
        for cell in netlist["cells"].values()
        for port, way in cell["port_directions"].items()
        if way == "output"
        for bit in cell["connections"][port]
    }
    there = {name.strip().removeprefix("\\"): name for name in _NET.findall(text)}
    return {name: there[name] for name, bit in bits_of(netlist) if bit in driven and name in there}


def bits_of(netlist: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of each bit of each signal that is not constant."""
    for name, entry in netlist["netnames"].items():
        bits, first = entry["bits"], entry.get("offset", 0)
        for index, bit in enumerate(bits):
            if isinstance(bit, int):
                yield f"{name}[{index + first}]" if len(bits) > 1 else name, bit


def placed_names(netlist: Mapping[str, Any], placed: Mapping[str, str]) -> dict[str, str]:
    """Return where each bit of each signal went, by its name in the design.

    Parameters
    ----------
    netlist : mapping
        The top module of Yosys's ``netlist.json``, in which a net has all of its names.
    placed : mapping of str to str
        Where each net is, by the one name that placement kept of it.

    Returns
    -------
    dict of str to str
        Without signals that are constant, or whose names placement put in two places.
    """
    names: dict[int, list[str]] = {}
    for name, bit in bits_of(netlist):
        names.setdefault(bit, []).append(name)
    found: dict[str, str] = {}
    for group in names.values():
        places = {placed[name] for name in group if name in placed}
        if len(places) == 1:
            found |= dict.fromkeys(group, places.pop())
    return found
