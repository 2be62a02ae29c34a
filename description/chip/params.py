"""The structure of a chip: its cores, and the network that joins them."""

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary

__all__ = ["BARRIER_FAN", "REGISTERED_POSITIONS", "TOPOLOGIES", "ChipParams"]

BARRIER_FAN = 8
"""Signals that one register of the barrier stands for."""

REGISTERED_POSITIONS = 8
"""Positions of a chip up to which its links are wires."""

TOPOLOGIES = ("mesh", "torus", "line", "ring", "tree")
"""How the routers of a chip can be joined."""


@dataclass(frozen=True)
class ChipParams:
    """Structure of a chip: cores, and the network on chip that joins them and the host.

    Core ``i`` sits at ``x = i % width``, ``y = i // width``; positions past the last core hold a
    router only. The host is at position (0, 0).

    Parameters
    ----------
    cores : tuple of CoreParams
    width, height : int
        Columns and rows of positions, 1..4096 in all.
    n_outputs : int
        Output lines that the host can tell apart, 1..4096.
    topology : str
        ``"mesh"``; ``"torus"``, whose rows and columns are rings; or, with a height of 1,
        ``"line"``, ``"ring"``, or ``"tree"``, a binary tree whose leaves are the positions.
    multicast : bool
        Whether a packet can go to a rectangle of cores, forking in the routers.
    fifo_depth : int
        Flits that wait at each input of a router, 2..16.
    arbitration_seed : int
        Decides the order in which the inputs of a router take turns, 0..65535.
    chip_columns, chip_rows : int
        Chips, side by side and one below the other, into which a mesh or line is cut, joined at
        their edges; they divide ``width`` and ``height``.
    early_stop : bool
        Whether the chip can stop after the tick in which a spike reached the host: see
        :data:`spikelet.description.chip.memory_map.EARLY_STOP_REGISTERS`.
    tick_timer : bool
        Whether the chip can start ticks by itself, and has
        :data:`spikelet.description.chip.memory_map.TIMER_REGISTERS`; else each begins by a strobe.

    Raises
    ------
    SpikeletError
        If a field is outside its range or the cores do not fit the positions.
    """

    __repr__ = summary

    cores: tuple[CoreParams, ...]
    width: int = 1
    height: int = 1
    n_outputs: int = 1
    topology: str = "mesh"
    multicast: bool = False
    fifo_depth: int = 4
    arbitration_seed: int = 0
    chip_columns: int = 1
    chip_rows: int = 1
    early_stop: bool = False
    tick_timer: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (
            ("width", 1, 4096),
            ("height", 1, 4096),
            ("n_outputs", 1, 4096),
            ("fifo_depth", 2, 16),
            ("arbitration_seed", 0, 65535),
            ("chip_columns", 1, self.width),
            ("chip_rows", 1, self.height),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SpikeletError(f"chip: {name} must be an int in {low}..{high}, not {value!r}")
        for name in ("multicast", "early_stop", "tick_timer"):
            if type(getattr(self, name)) is not bool:
                raise SpikeletError(f"chip: {name} must be a bool, not {getattr(self, name)!r}")
        positions = self.width * self.height
        if positions > 4096:
            raise SpikeletError(
                f"chip: {self.width} x {self.height} are {positions} positions, "
                f"{positions - 4096} more than the 4096 there can be"
            )
        if not 1 <= len(self.cores) <= positions:
            raise SpikeletError(
                f"chip: {self.width} x {self.height} positions hold 1..{positions} cores, "
                f"not {len(self.cores)}"
            )
        self._check_topology()

    def _check_topology(self) -> None:
        if self.topology not in TOPOLOGIES:
            raise SpikeletError(
                f"chip: topology must be one of {', '.join(TOPOLOGIES)}, not {self.topology!r}"
            )
        if self.topology in ("line", "ring", "tree") and self.height != 1:
            raise SpikeletError(
                f"chip: a {self.topology} has a height of 1, not {self.height}",
                remedy=f"make its width {self.width * self.height}",
            )
        for name, size in (("chip_columns", "width"), ("chip_rows", "height")):
            chips = getattr(self, name)
            if chips > 1 and self.topology not in ("mesh", "line"):
                raise SpikeletError(
                    f"chip: only a mesh or a line can be cut into chips, not a {self.topology}"
                )
            if getattr(self, size) % chips:
                raise SpikeletError(
                    f"chip: {name} must divide the {size} of {getattr(self, size)}, not {chips}"
                )

    def plastic_cores(self, core: int | None = None) -> list[int]:
        """Return the cores that can learn, or, if it can, only ``core``.

        SpikeletError if there are none, or ``core`` cannot.
        """
        plastic = [index for index, params in enumerate(self.cores) if params.learning]
        if not plastic:
            raise SpikeletError("learn: the chip has no plastic core")
        if core is None:
            return plastic
        if core not in plastic:
            names = ", ".join(map(str, plastic))
            raise SpikeletError(f"learn: core {core} is not plastic; plastic cores are {names}")
        return [core]

    def check_early_stop(self, clear: bool) -> None:
        """Raise SpikeletError if a run cannot stop at outputs: on this chip, or if not cleared."""
        if not self.early_stop:
            raise SpikeletError(
                "the chip has no early stop", remedy="compile the network with --early-stop"
            )
        if not clear:
            raise SpikeletError(
                "early stop: each sample must start from a cleared state; until then the chip "
                "stays stopped",
                remedy="leave clear=False out",
            )

    def position(self, core: int) -> tuple[int, int]:
        """Return (x, y) of a core."""
        return core % self.width, core // self.width

    @property
    def registered_links(self) -> bool:
        """Whether links between routers, and from routers to cores, have registers.

        Wires of a large chip need a cycle for themselves; of a small one, cells count more.
        """
        return self.width * self.height > REGISTERED_POSITIONS * self.chip_columns * self.chip_rows

    @property
    def barrier_latency(self) -> int:
        """Clock cycles from the tick control of a chip to its cores, and back: registers in a tree.

        Each stands for up to :data:`BARRIER_FAN` signals, of a core and a router at each position.
        """
        places = 2 * self.width * self.height // (self.chip_columns * self.chip_rows)
        latency = 0
        while places > (BARRIER_FAN if latency else BARRIER_FAN // 2):
            places = -(-places // BARRIER_FAN)
            latency += 1
        return latency

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, usual in (("early_stop", False), ("tick_timer", True)):
            if values[name] == usual:  # named only where it is not
                del values[name]
        return {**values, "cores": [core.to_dict() for core in self.cores]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ChipParams":
        """Inverse of :meth:`to_dict`."""
        cores = tuple(CoreParams.from_dict(core) for core in values["cores"])
        return cls(**{**values, "cores": cores})

    @cached_property
    def count_bits(self) -> int:
        """Bits of the count in a packet: graded spikes; 1 where no packet has one."""
        return max(max(core.spike_bits, core.fired_bits) for core in self.cores)

    @cached_property
    def reach(self) -> npt.NDArray[np.int64]:
        """Axons, and delay slots, of each core: shape (2, cores)."""
        return np.array([(core.n_axons, core.delay_slots) for core in self.cores], np.int64).T

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the structure, in hexadecimal; equal chips have equal digests."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
