"""The structure of a chip: what the generator builds, without what is later loaded into it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.learning import Adaptation, LearningRule
from spikelet.description.profile import ExecutionProfile
from spikelet.errors import SpikeletError

__all__ = ["ChipParams", "CoreParams", "check_range", "signed_bits", "unsigned_bits"]


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
        Ticks of arrivals that the axon bitmap holds: 2, 4, 8 or 16. The longest delay is one less.
    fan_out : int
        Destinations a neuron can have, 1..256.
    profile : ExecutionProfile
    threshold, decay, bias, reset_potential : str
        ``"shared"`` (a register) or ``"neuron"`` (a memory); ``decay`` and ``bias`` may be
        ``"none"``; ``reset_potential`` is ``"none"`` unless the profile resets to a value.
    weight_memory : str
        ``"block"`` (block RAM) or ``"spram"`` (the large single-port RAM of iCE40 UltraPlus, which
        has no initial contents). The behaviour is the same.
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
    fan_out: int = 1
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
            ("delay_slots", 2, 16),
            ("fan_out", 1, 256),
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
    """Structure of a chip: cores on a mesh, row by row from (0, 0), and the width of its outputs.

    Core ``i`` sits at ``x = i % mesh_width``, ``y = i // mesh_width``; positions past the last core
    hold a router only. The host is at the north edge of (0, 0).

    Parameters
    ----------
    cores : tuple of CoreParams
    mesh_width, mesh_height : int
        1..64 each.
    n_outputs : int
        Output lines that the host can tell apart, 1..4096.

    Raises
    ------
    SpikeletError
        If a field is outside its range or the cores do not fit the mesh.
    """

    cores: tuple[CoreParams, ...]
    mesh_width: int = 1
    mesh_height: int = 1
    n_outputs: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("mesh_width", 1, 64),
            ("mesh_height", 1, 64),
            ("n_outputs", 1, 4096),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SpikeletError(f"chip: {name} must be an int in {low}..{high}, not {value!r}")
        if not 1 <= len(self.cores) <= self.mesh_width * self.mesh_height:
            raise SpikeletError(
                f"chip: a {self.mesh_width}x{self.mesh_height} mesh holds 1.."
                f"{self.mesh_width * self.mesh_height} cores, not {len(self.cores)}"
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
        return core % self.mesh_width, core // self.mesh_width

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-compatible values."""
        return {
            "cores": [core.to_dict() for core in self.cores],
            "mesh_width": self.mesh_width,
            "mesh_height": self.mesh_height,
            "n_outputs": self.n_outputs,
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "ChipParams":
        """Inverse of :meth:`to_dict`."""
        cores = tuple(CoreParams.from_dict(core) for core in fields["cores"])
        return cls(**{**fields, "cores": cores})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the structure, in hexadecimal; equal chips have equal digests."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()
