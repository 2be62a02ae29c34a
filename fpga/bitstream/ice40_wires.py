"""The wires of a configured iCE40: closed switches, what drives a wire, and what bits take part."""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream.circuit import OWN, Circuit, Net
from spikelet.fpga.bitstream.ice40_configuration import Configuration
from spikelet.fpga.bitstream.ice40_database import Bel, Bit, Database

__all__ = ["ONE", "ZERO", "Ice40Wires", "NotModelledError"]

ZERO, ONE = "1'b0", "1'b1"
"""Levels of what nothing drives."""

_HIGH_IF_OPEN = ("CE", "RCLKE", "WCLKE", "CEN")


class NotModelledError(SpikeletError):
    """A pin depends on something that a configuration should not hold, or that has no model."""


class Ice40Wires:
    """The nets that closed switches make of wires, and the circuit that they are described in.

    Parameters
    ----------
    database : Database
    configuration : Configuration

    Attributes
    ----------
    circuit : Circuit
        Grows with each cell that is described.
    todo : list of int
        Wires whose drivers are to be described.
    done : set of int
        Those whose drivers are.
    """

    def __init__(self, database: Database, configuration: Configuration) -> None:
        self.data = database
        self.bits = configuration
        self.circuit = Circuit()
        self.todo: list[int] = []
        self.done: set[int] = set()
        self._sources, self._switches = self._closed_switches()
        self._roots: dict[int, int] = {}

    def _closed_switches(self) -> tuple[dict[int, list[int]], dict[tuple[int, int], int]]:
        """Return the wires that lead to each wire, and the switch between."""
        data = self.data
        switches, tiles = data.switches, self.bits.tiles
        x, y = switches["xy"][:, 0], switches["xy"][:, 1]
        value = np.zeros(len(switches), np.int64)
        for place in range(5):
            has = switches["bits"] > place
            bit = tiles[y, x, switches["at"][:, place, 0], switches["at"][:, place, 1]]
            value = np.where(has, value << 1 | bit, value)
        pips = data.pips
        closed = (switches["bel"][pips["switch"]] < 0) & (value[pips["switch"]] == pips["mask"])
        sources: dict[int, list[int]] = {}
        between = {}
        for pip in pips[closed]:
            source, target = int(pip["source"]), int(pip["target"])
            sources.setdefault(target, []).append(source)
            between[source, target] = int(pip["switch"])
        return sources, between

    def setting(self, x: int, y: int, name: str) -> list[Bit]:
        """Return the bits of a setting of a tile."""
        return self.data.setting(x, y, name)

    def field(self, x: int, y: int, name: str, width: int) -> int:
        """Return the number that several settings of one bit make, the lowest first."""
        bits = [bit for at in range(width) for bit in self.setting(x, y, f"{name}{at}")]
        return self.bits.value(bits)

    def uses(self, bits: list[Bit], what: str) -> None:
        """Note that bits take part, and what they belong to."""
        for bit in bits:
            self.circuit.bits.setdefault(bit, what)

    def root(self, wire: int) -> int:
        """Follow the closed switches back to the wire that drives this one."""
        seen = []
        while wire not in self._roots:
            seen.append(wire)
            sources = self._sources.get(wire, [])
            drivers = len(sources) + (wire in self.data.outputs)
            if drivers > 1:
                raise NotModelledError(f"{self.data.wire_name(wire)} has {drivers} drivers")
            if not sources:
                self._roots[wire] = wire
                break
            if sources[0] in seen:
                raise NotModelledError(f"{self.data.wire_name(wire)} drives itself")
            wire = sources[0]
        root = self._roots[wire]
        for other in seen:
            self._roots[other] = root
        return root

    def wire(self, wire: int, open_is: str = ZERO) -> str:
        """Return the net of a wire, or its level if nothing drives it."""
        root = self.root(wire)
        while wire != root:
            source = self._sources[wire][0]
            switch = self.data.switches[self._switches[source, wire]]
            x, y = (int(at) for at in switch["xy"])
            at = switch["at"][: int(switch["bits"])]
            self.uses([(x, y, int(r), int(c)) for r, c in at], f"switch to wire {wire}")
            wire = source
        if root not in self.data.outputs:
            return open_is
        self.todo.append(root)
        return f"n{root}"

    def net(self, wire: int, expression: str, needs: tuple[str, ...] = (), cell: str = "") -> str:
        """Describe the net of a wire, and return its name."""
        needs = tuple(name for name in needs if name[0] == "n")
        self.circuit.nets[f"n{wire}"] = Net(expression, needs, cell)
        return f"n{wire}"

    def levels(self, bel: Bel, name: str, width: int) -> str:
        """Return the nets of a bus of inputs, in braces."""
        wires = [self.wire(bel.inputs[f"{name}{at}"]) for at in reversed(range(width))]
        return f"{{{', '.join(wires)}}}"

    def level(self, bel: Bel, port: str) -> str:
        """Return the net of a cell's input, or its level if nothing drives it."""
        return self.wire(bel.inputs[port], ONE if port in _HIGH_IF_OPEN else ZERO)

    def drive(self, bel: Bel, cell: str, port: str, width: int, needs: tuple[str, ...]) -> None:
        """Let nets be the bits of a cell's output."""
        for at in range(width):
            wire = bel.outputs[f"{port}{at}"]
            self.done.add(wire)
            self.net(wire, f"{cell}{OWN}[{at}]", needs, cell)
