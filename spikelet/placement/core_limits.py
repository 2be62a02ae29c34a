"""How large a core may be."""

from collections.abc import Mapping
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
    layer_cores : tuple of (str, int), or mapping of str to int
        Cores over which the neurons of some populations are spread, 1 or more: at least so many. A
        core of fewer neurons has fewer groups of ``lanes`` to sum one after the other.
    """

    max_axons: int | None = None
    max_neurons: int | None = None
    lanes: int = 1
    narrow: bool = False
    layer_cores: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layer_cores", _pairs(self.layer_cores))
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

    def cores_of(self, population: str) -> int:
        """Return over how many cores a population is spread at least."""
        return dict(self.layer_cores).get(population, 1)

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


def _pairs(given: object) -> tuple[tuple[str, int], ...]:
    """Return names and cores; SpikeletError if they are something else."""
    pairs = tuple(given.items()) if isinstance(given, Mapping) else given
    if isinstance(pairs, tuple | list) and all(
        isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs
    ):
        found = tuple((name, cores) for name, cores in pairs)
        if len({str(name) for name, _ in found}) == len(found) and all(
            isinstance(name, str) and type(cores) is int and cores >= 1 for name, cores in found
        ):
            return found
    raise SpikeletError(
        f"limits: layer_cores must name populations, once each, with 1 core or more, not {given!r}",
        remedy='such as {"hidden": 4}',
    )
