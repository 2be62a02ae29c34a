"""Packet layouts: which bits of an event mean what."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = [
    "COUNT",
    "MULTICAST_FIELDS",
    "Field",
    "Packet",
    "destination_packet",
    "flit_packet",
    "output_bits",
]

MULTICAST_FIELDS = ("x_last", "y_last")
"""Fields of a flit that only a chip with multicast has."""

COUNT = "count"
"""Field of a flit, its highest bits, that only a chip with graded spikes has."""


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

    def only(self, *names: str) -> "Packet":
        """Return this packet with only the fields of these names, in their order here."""
        return Packet(self.name, tuple(field for field in self.fields if field.name in names))

    def without(self, *names: str) -> "Packet":
        """Return this packet without the fields of these names."""
        return Packet(self.name, tuple(field for field in self.fields if field.name not in names))

    def pack(self, **values: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """Return the packets as ``uint32``; fields are integers or arrays, by default 0.

        SpikeletError if one does not fit its width, or is none of this packet.
        """
        word = np.zeros(np.broadcast_shapes(*(np.shape(v) for v in values.values())), np.uint32)
        shift = 0
        for field in self.fields:
            value = np.asarray(values.pop(field.name, 0), np.int64)
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
    """Return the layout of the chip's flits: an event on its way to axons or to the host.

    SpikeletError if it has more than 30 bits.
    """
    axons, slots = (int(most) for most in chip.reach.max(axis=1))
    largest_axon, longest_delay = max(chip.n_outputs, axons) - 1, slots - 1
    x_bits, y_bits = (chip.width - 1).bit_length(), (chip.height - 1).bit_length()
    first = "first " if chip.multicast else ""
    fields: tuple[Field, ...] = (
        Field("axon", unsigned_bits(largest_axon), "axon of the core, or output line of the host"),
        Field("delay", unsigned_bits(longest_delay - 1), "ticks after the coming tick; delay - 1"),
        Field("host", 1, "1: to the host, x and y are 0; 0: to cores"),
        Field("x", x_bits, f"{first}column"),
        Field("y", y_bits, f"{first}row"),
    )
    if chip.multicast:
        last = (Field("x_last", x_bits, "last column"), Field("y_last", y_bits, "last row"))
        fields = (*fields, *last)
    if chip.count_bits > 1:
        fields = (*fields, Field(COUNT, chip.count_bits, "spikes that it stands for, 1 or more"))
    packet = Packet("flit", fields)
    if packet.width > 30:
        widths = ", ".join(f"{field.name} {field.width}" for field in fields)
        raise SpikeletError(
            f"chip: a flit of {packet.width} bits ({widths}) does not fit the 30 bits there are",
            remedy="build fewer positions, axons or delay slots, or leave multicast"
            + (" or graded spikes out" if chip.count_bits > 1 else " out"),
        )
    return packet


def output_bits(chip: ChipParams) -> tuple[int, int]:
    """Return how a flit for the host is read.

    Returns
    -------
    mask : int
        The bits that hold the output line.
    shift : int
        The bit from which on it holds a count of spikes; 0: it stands for one.
    """
    flit = flit_packet(chip)
    shift = flit.without(COUNT).width
    return (1 << flit.fields[0].width) - 1, shift if shift < flit.width else 0


def destination_packet(chip: ChipParams, core: CoreParams) -> Packet:
    """Return the layout of a word of a core's destination table.

    With ``valid`` it is a destination, and ``list_ends`` says that it is the last of its neuron.
    Without, ``list_ends`` says that the neuron has none; else the lowest bits are the word at which
    its list begins. How many spikes a packet stands for comes from the neuron.
    """
    flit = flit_packet(chip).without(COUNT)
    address_bits = unsigned_bits(core.n_neurons + core.list_entries - 1)
    unused = max(0, address_bits - flit.width)
    return Packet(
        "destination",
        (
            *flit.fields,
            *([Field("unused", unused, "0")] if unused else []),
            Field("list_ends", 1, "1: no further destination of this neuron"),
            Field("valid", 1, "1: a destination; 0: none, or where the list begins"),
        ),
    )
