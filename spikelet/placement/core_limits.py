"""How large a core may be."""

from dataclasses import dataclass

from spikelet.description.errors import SpikeletError

__all__ = ["LARGEST_CORE", "CoreLimits"]

LARGEST_CORE = 4096
"""Axons, and neurons, that a core may have."""


@dataclass(frozen=True)
class CoreLimits:
    """What a core may hold.

    Parameters
    ----------
    max_axons, max_neurons : int or None
        1..4096. None: 1024 and 256, and 4096 for a population that learns or inhibits itself.
    lanes : int
        Of a core; smaller populations get fewer. A power of two, 1..256. Parts are cut at multiples
        of so many neurons where that costs nothing else, because the last group is then full.
    narrow : bool
        Whether a core that is alone with its population has axons only where there are weights.
    """

    max_axons: int | None = None
    max_neurons: int | None = None
    lanes: int = 1
    narrow: bool = False

    def __post_init__(self) -> None:
        for name in ("max_axons", "max_neurons"):
            if getattr(self, name) is not None:
                self.check(name, 1, LARGEST_CORE)
        self.check("lanes", 1, 256, power_of_two=True)

    def check(self, name: str, low: int, high: int, *, power_of_two: bool = False) -> None:
        """Raise SpikeletError unless a field is an int in low..high, or one of its powers of 2."""
        value = getattr(self, name)
        if type(value) is not int or not low <= value <= high:
            raise SpikeletError(f"limits: {name} must be an int in {low}..{high}, not {value!r}")
        if power_of_two and value & (value - 1):
            raise SpikeletError(f"limits: {name} must be a power of two, not {value}")

    def axons(self, whole: bool = False) -> int:
        """Return the most axons of a core; ``whole``: of a population kept in one if it can be."""
        return self.max_axons or (LARGEST_CORE if whole else 1024)

    def neurons(self, whole: bool = False) -> int:
        """Return the most neurons of a core, as :meth:`axons`."""
        return self.max_neurons or (LARGEST_CORE if whole else 256)

    def lanes_of(self, size: int, whole: bool = False) -> int:
        """Return the lanes of the cores of a population."""
        largest = 1 << (self.neurons(whole).bit_length() - 1)
        return min(self.lanes, largest, 1 << (size - 1).bit_length())

    def most_of(self, size: int, whole: bool = False) -> int:
        """Return the neurons of the largest part of a population: as many groups as fit."""
        lanes = self.lanes_of(size, whole)
        return self.neurons(whole) // lanes * lanes
