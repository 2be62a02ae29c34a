"""The structure of a chip: what the generator builds, without what is later loaded into it."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.profile import ExecutionProfile
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import Adaptation, LearningRule
from spikelet.description.summary import summary

__all__ = [
    "BARRIER_FAN",
    "TOPOLOGIES",
    "ChipParams",
    "CoreParams",
    "check_range",
    "signed_bits",
    "unsigned_bits",
]

BARRIER_FAN = 8
"""Signals that one register of the barrier stands for."""

TOPOLOGIES = ("mesh", "torus", "line", "ring", "tree")
"""How the routers of a chip can be joined."""


def unsigned_bits(largest: int) -> int:
    """Return the bits that hold 0..``largest``; at least 1."""
    return max(1, int(largest).bit_length())


def signed_bits(low: int, high: int) -> int:
    """Return the two's complement bits that hold ``low``..``high``."""
    return max((~end if end < 0 else end).bit_length() for end in (low, high)) + 1


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def check_range(name: str, values: npt.NDArray[np.integer], low: int, high: int) -> None:
    """Raise SpikeletError, with the first offending value, unless all are in low..high."""
    wrong = (values < low) | (values > high)
    if wrong.any():
        raise SpikeletError(f"{name} must be in {low}..{high}, found {values[wrong].flat[0]}")


@dataclass(frozen=True)
class CoreParams:
    """Structure of one core: a crossbar of ``n_axons`` by ``n_neurons``, and LIF neurons.

    Potentials, thresholds, biases and reset potentials are in potential LSBs; one weight LSB is
    ``2**weight_exponent`` potential LSBs.

    Parameters
    ----------
    n_axons : int
        Rows of the crossbar, 1..4096.
    n_neurons : int
        Columns of the crossbar, a multiple of ``lanes``, at most 4096.
    weight_bits : int
        Width of a stored weight, 1..8.
    weight_format : str
        ``"signed"`` (two's complement, 2 bits or more), ``"unsigned"``, or ``"binary"`` (1 bit:
        0 stands for +1, 1 for -1).
    weight_exponent : int
        Left shift from weight units to potential units, 0..16.
    potential_bits : int
        Width of a membrane potential (two's complement), 4..24.
    lanes : int
        Neurons whose synapses are accumulated in the same clock cycle; a power of two, 1..256.
    pipelines : int
        Neuron-update pipelines; a power of two, at most ``lanes``.
    delay_slots : int
        Ticks of arrivals that the axon bitmap holds, a power of two, 2..64. The longest delay is
        one less.
    list_entries : int
        Entries, 0..65536, of the lists that hold the destinations of neurons with more than one.
    profile : ExecutionProfile
    threshold, decay, bias, reset_potential : str
        ``"shared"`` (a register) or ``"neuron"`` (a memory); ``decay`` and ``bias`` may be
        ``"none"``; ``reset_potential`` is ``"none"`` unless the profile resets to a value.
    weight_memory : str
        ``"block"`` (block RAM) or ``"spram"`` (a large RAM of one port without initial contents,
        where an FPGA family has such). The behaviour is the same.
    first_tick : int
        First tick (from 0) in which neurons are updated, 0..255; deeper layers with a bias start
        later.
    inhibition : str
        ``"shared"``: a spike of any neuron lowers the potentials of the core's others in the next
        tick (winner take all); or ``"none"``.
    adaptation : Adaptation or None
        Homeostatic threshold of each neuron; only in a core that learns.
    learning : LearningRule or None
        Makes the core plastic: not with binary weights or a ``first_tick``.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    __repr__ = summary

    n_axons: int
    n_neurons: int
    profile: ExecutionProfile
    weight_bits: int = 4
    weight_format: str = "signed"
    weight_exponent: int = 0
    potential_bits: int = 16
    lanes: int = 16
    pipelines: int = 1
    delay_slots: int = 2
    list_entries: int = 0
    threshold: str = "shared"
    decay: str = "shared"
    bias: str = "none"
    reset_potential: str = "none"
    weight_memory: str = "block"
    first_tick: int = 0
    inhibition: str = "none"
    adaptation: Adaptation | None = None
    learning: LearningRule | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("n_axons", 1, 4096),
            ("n_neurons", 1, 4096),
            ("weight_bits", 1, 8),
            ("weight_exponent", 0, 16),
            ("potential_bits", 4, 24),
            ("lanes", 1, 256),
            ("pipelines", 1, self.lanes),
            ("delay_slots", 2, 64),
            ("list_entries", 0, 65536),
            ("first_tick", 0, 255),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SpikeletError(f"core: {name} must be an int in {low}..{high}, not {value!r}")
        for name in ("lanes", "pipelines", "delay_slots"):
            if not _power_of_two(getattr(self, name)):
                raise SpikeletError(
                    f"core: {name} must be a power of two, not {getattr(self, name)}"
                )
        if self.n_neurons % self.lanes:
            raise SpikeletError(
                f"core: n_neurons must be a multiple of lanes ({self.lanes}), not {self.n_neurons}"
            )
        value_reset = ("shared", "neuron") if self.profile.reset == "value" else ("none",)
        for name, valid in (
            (
                "weight_format",
                ("binary", "unsigned") if self.weight_bits == 1 else ("signed", "unsigned"),
            ),
            ("threshold", ("shared", "neuron")),
            ("decay", ("none", "shared", "neuron")),
            ("bias", ("none", "shared", "neuron")),
            ("reset_potential", value_reset),
            ("weight_memory", ("block", "spram")),
            ("inhibition", ("none", "shared")),
        ):
            if getattr(self, name) not in valid:
                raise SpikeletError(
                    f"core: {name} must be one of {', '.join(valid)}, not {getattr(self, name)!r}"
                )
        if self.learning:
            if self.weight_format == "binary":
                raise SpikeletError(
                    "core: weights that learn must be signed or unsigned, not binary",
                    remedy="with 1 bit, use unsigned: 0 and 1",
                )
            if self.first_tick:
                raise SpikeletError(f"core: first_tick must be 0 to learn, not {self.first_tick}")
            self.learning.check(self.weight_min, self.weight_max, self.potential_bits)
        elif self.adaptation:
            raise SpikeletError("core: an adaptation needs a learning rule, which switches it on")

    @property
    def weight_min(self) -> int:
        """Smallest weight."""
        return {"signed": -(1 << (self.weight_bits - 1)), "unsigned": 0, "binary": -1}[
            self.weight_format
        ]

    @property
    def weight_max(self) -> int:
        """Largest weight."""
        if self.weight_format == "signed":
            return (1 << (self.weight_bits - 1)) - 1
        return 1 if self.weight_format == "binary" else (1 << self.weight_bits) - 1

    @property
    def v_min(self) -> int:
        """Lowest membrane potential."""
        return -(1 << (self.potential_bits - 1))

    @property
    def v_max(self) -> int:
        """Highest membrane potential."""
        return (1 << (self.potential_bits - 1)) - 1

    @property
    def current_bits(self) -> int:
        """Width of a synaptic sum that no set of spikes can overflow."""
        return signed_bits(self.n_axons * self.weight_min, self.n_axons * self.weight_max)

    @property
    def groups(self) -> int:
        """Neuron groups, each ``lanes`` neurons, that share a weight word."""
        return self.n_neurons // self.lanes

    @property
    def rows(self) -> int:
        """Rows of the neuron memories, each ``pipelines`` neurons."""
        return self.n_neurons // self.pipelines

    @property
    def scan_bits(self) -> int:
        """Axons in one word of the axon bitmap: 16, or fewer in a core of fewer axons."""
        return min(16, 1 << (self.n_axons - 1).bit_length())

    @property
    def scan_words(self) -> int:
        """Words of the axon bitmap in each delay slot."""
        return -(-self.n_axons // self.scan_bits)

    @property
    def weight_rows(self) -> int:
        """Rows of the weight memory, each ``lanes`` weights; row ``group * n_axons + axon``."""
        return self.n_axons * self.groups

    @property
    def weight_banks(self) -> int:
        """Banks of at most 32 bits that make up a weight row."""
        return -(-self.lanes * self.weight_bits // 32)

    @property
    def trace_lanes(self) -> int:
        """Axons whose traces decay in the same clock cycle."""
        return min(4, self.scan_bits)

    @property
    def trace_rows(self) -> int:
        """Rows of the pre traces, each ``trace_lanes`` axons."""
        return self.scan_words * self.scan_bits // self.trace_lanes

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values; profile and rule as nested objects."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "CoreParams":
        """Inverse of :meth:`to_dict`."""
        nested: dict[str, Any] = {"profile": ExecutionProfile(**fields["profile"])}
        if fields.get("adaptation"):
            nested["adaptation"] = Adaptation(**fields["adaptation"])
        if fields.get("learning"):
            nested["learning"] = LearningRule.from_dict(fields["learning"])
        return cls(**{**fields, **nested})


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
        if type(self.multicast) is not bool:
            raise SpikeletError(f"chip: multicast must be a bool, not {self.multicast!r}")
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

    def position(self, core: int) -> tuple[int, int]:
        """Return (x, y) of a core."""
        return core % self.width, core // self.width

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
        return {
            "cores": [core.to_dict() for core in self.cores],
            **{f.name: getattr(self, f.name) for f in fields(self) if f.name != "cores"},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ChipParams":
        """Inverse of :meth:`to_dict`."""
        cores = tuple(CoreParams.from_dict(core) for core in values["cores"])
        return cls(**{**values, "cores": cores})

    @cached_property
    def reach(self) -> npt.NDArray[np.int64]:
        """Axons, and delay slots, of each core: shape (2, cores)."""
        return np.array([(core.n_axons, core.delay_slots) for core in self.cores], np.int64).T

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the structure, in hexadecimal; equal chips have equal digests."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
