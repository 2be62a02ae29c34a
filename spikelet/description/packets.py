"""Packet layouts: which bits of an event mean what."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.params import ChipParams, unsigned_bits
from spikelet.errors import SpikeletError

__all__ = ["HOST_ROW", "Field", "Packet", "destination_packet", "flit_packet"]

HOST_ROW = 0
"""Row of the host in a flit; mesh row y is written y + 1."""


@dataclass(frozen=True)
class Field:
    """One unsigned field of a packet; ``width`` in bits, ``meaning`` for the generated tables."""

    name: str
    width: int
    meaning: str


@dataclass(frozen=True)
class Packet:
    """Fields packed from bit 0 upwards."""

    name: str
    fields: tuple[Field, ...]

    @property
    def width(self) -> int:
        """Total bits."""
        return sum(field.width for field in self.fields)

    def pack(self, **values: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """Return the packets as ``uint32``; every field is an integer or an array (broadcast).

        SpikeletError if a field does not fit its width.
        """
        word = np.zeros(np.broadcast_shapes(*(np.shape(v) for v in values.values())), np.uint32)
        shift = 0
        for field in self.fields:
            value = np.asarray(values.pop(field.name), np.int64)
            if value.size and not (value.min() >= 0 and value.max() < 1 << field.width):
                bad = value[(value < 0) | (value >= 1 << field.width)].flat[0]
                raise SpikeletError(
                    f"{self.name}: {field.name} must be in 0..{(1 << field.width) - 1}, not {bad}"
                )
            word = word | (value.astype(np.uint32) << np.uint32(shift))
            shift += field.width
        if values:
            raise SpikeletError(f"{self.name} has no field {', '.join(values)}")
        return word

    def unpack(self, words: npt.ArrayLike) -> dict[str, npt.NDArray[np.int64]]:
        """Return each field of ``words`` as int64."""
        rest = np.asarray(words, np.int64)
        fields = {}
        for field in self.fields:
            fields[field.name] = rest & ((1 << field.width) - 1)
            rest = rest >> field.width
        return fields


def flit_packet(chip: ChipParams) -> Packet:
    """Return the layout of the chip's flits: an event on its way to an axon or to the host."""
    largest_axon = max(chip.n_outputs, *(core.n_axons for core in chip.cores)) - 1
    longest_delay = max(core.delay_slots for core in chip.cores) - 1
    packet = Packet(
        "flit",
        (
            Field(
                "axon", unsigned_bits(largest_axon), "axon of the core, or output line of the host"
            ),
            Field(
                "delay", unsigned_bits(longest_delay - 1), "ticks after the coming tick; delay - 1"
            ),
            Field("x", unsigned_bits(chip.mesh_width - 1), "mesh column"),
            Field("y", unsigned_bits(chip.mesh_height), f"{HOST_ROW}: host, else mesh row + 1"),
        ),
    )
    if packet.width > 30:
        raise SpikeletError(
            f"chip: a flit of {packet.width} bits does not fit the 30 bits there are"
        )
    return packet


def destination_packet(chip: ChipParams) -> Packet:
    """Return the layout of a destination table entry: a flit, and the two marks of a list."""
    return Packet(
        "destination",
        (
            *flit_packet(chip).fields,
            Field("last", 1, "1: no further destination of this neuron"),
            Field("valid", 1, "0: no destination here, nothing is sent"),
        ),
    )
