"""What a processor sees of a chip on its bus: the memory map, and the registers behind it.

A bus window is ``2 << address_bits`` words of 32 bits. Its lower half is the memory map of
``memory_map.py``; its upper half begins with the registers of :data:`BUS_REGISTERS`.
"""

from dataclasses import dataclass
from typing import Self

from spikelet.description.checks import check_int
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams

__all__ = ["BUS_REGISTERS", "EVENT_WAITS", "BusParams", "BusRegister"]


@dataclass(frozen=True)
class BusRegister:
    """A register in the upper half of a bus window.

    Parameters
    ----------
    name : str
    read, write : tuple of str
        What its bits mean, from bit 0 on; empty where it cannot be read, or written.
    """

    name: str
    read: tuple[str, ...]
    write: tuple[str, ...]


BUS_REGISTERS = (
    BusRegister(
        "control",
        (
            "busy: a tick or a clear runs",
            "done: a tick or a clear has ended since this bit was last cleared",
            "spike: a spike waits at `event`",
        ),
        ("start a tick", "clear the chip", "clear `done`"),
    ),
    BusRegister(
        "event",
        ("a spike that leaves the chip, as a flit; it is taken. Bit 31: there was one",),
        ("an event, as a flit, for the coming tick",),
    ),
    BusRegister(
        "interrupts",
        ("enabled: `done` interrupts", "enabled: `spike` interrupts"),
        ("enable: `done` interrupts", "enable: `spike` interrupts"),
    ),
)
"""By word, in order. All other words of the upper half read and write with an error."""

EVENT_WAITS = 31
"""The bit of ``event`` that is set where a spike was read."""


@dataclass(frozen=True)
class BusParams:
    """Sizes of a chip's bus window.

    Parameters
    ----------
    flit_bits : int
        Of a flit, 1 to 31.
    address_bits : int
        Of a word address of the memory map, 2 to 29.
    """

    flit_bits: int
    address_bits: int

    def __post_init__(self) -> None:
        check_int("bus: flit_bits", self.flit_bits, 1, 31)
        check_int("bus: address_bits", self.address_bits, 2, 29)

    @classmethod
    def of(cls, chip: ChipParams) -> Self:
        """Return the sizes of a chip's bus window."""
        return cls(flit_packet(chip).width, ChipMap(chip).address_bits)

    @property
    def word_bits(self) -> int:
        """Bits of a word address in the window."""
        return self.address_bits + 1

    @property
    def event_bytes(self) -> int:
        """Bytes of an event on a stream, which holds a flit in its lowest bits."""
        return (self.flit_bits + 7) // 8

    @property
    def spike_bytes(self) -> int:
        """Bytes of a spike on a stream: a flit, and at least a bit more, for the mark."""
        return (self.flit_bits + 8) // 8

    def address(self, register: str) -> int:
        """Return the word address of a register of :data:`BUS_REGISTERS`."""
        return (1 << self.address_bits) + [r.name for r in BUS_REGISTERS].index(register)
