"""What tuning chooses of a chip: widths of each layer, lanes, pipelines, and the kind of memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from spikelet.network.network import Network

__all__ = ["Point", "Space"]

Point = dict[str, int]
"""A choice: a whole number for each of :attr:`Space.ends`."""

_WEIGHT_BITS, _POTENTIAL_BITS = (1, 8), (4, 24)
_MOST_LANES = 8
"""As a power of two; also of pipelines."""

_LANES, _PIPELINES, _MEMORY = "lanes", "pipelines", "weight memory"
_OF_WEIGHTS, _OF_POTENTIALS = "weight bits of ", "potential bits of "


@dataclass(frozen=True)
class Space:
    """All that can be chosen.

    Parameters
    ----------
    layers : tuple of str
    most_lanes : int
        As a power of two, 0..8.
    memories : tuple of str
        Kinds of memory for weights, as of :class:`PlacementLimits`.
    """

    layers: tuple[str, ...]
    most_lanes: int
    memories: tuple[str, ...] = ("block",)

    @classmethod
    def of(cls, network: Network, memories: tuple[str, ...]) -> "Space":
        """Return what can be chosen for a network; its largest layer bounds the lanes."""
        largest = max(population.size for population in network.populations)
        names = tuple(population.name for population in network.populations)
        return cls(names, min(_MOST_LANES, (largest - 1).bit_length()), memories)

    @cached_property
    def ends(self) -> dict[str, tuple[int, int]]:
        """Smallest and largest value of each choice; lanes and pipelines as powers of two."""
        found = {f"{_OF_WEIGHTS}{layer}": _WEIGHT_BITS for layer in self.layers}
        found |= {f"{_OF_POTENTIALS}{layer}": _POTENTIAL_BITS for layer in self.layers}
        found |= {_LANES: (0, self.most_lanes), _PIPELINES: (0, self.most_lanes)}
        return found | {_MEMORY: (0, len(self.memories) - 1)}

    def uniform(self, weight_bits: int, potential_bits: int, lanes: int) -> Point:
        """Return the choice of the same widths in all layers, and one pipeline."""
        widths = {_OF_WEIGHTS: weight_bits, _OF_POTENTIALS: potential_bits}
        point = {f"{of}{layer}": bits for of, bits in widths.items() for layer in self.layers}
        return {**point, _LANES: min(lanes, self.most_lanes), _PIPELINES: 0, _MEMORY: 0}

    def usable(self, point: Point) -> Point:
        """Return a choice with no more pipelines than lanes, in the order of :attr:`ends`."""
        found = {name: point[name] for name in self.ends}
        return {**found, _PIPELINES: min(found[_PIPELINES], found[_LANES])}

    def steps(self, point: Point, *, up: bool) -> Iterator[Point]:
        """Yield neighbours of a choice: a step down, with ``up`` a step up, or one of each.

        Of the memories, every other is a step down.
        """
        down = list(self._down(point))
        raised = list(self._up(point))
        yield from down
        if up:
            yield from raised
        for lower, higher in product(down, raised):
            change = {name: n for name, n in higher.items() if n != point[name]}
            if not any(lower[name] != point[name] for name in change):
                yield self.usable({**lower, **change})

    def _down(self, point: Point) -> Iterator[Point]:
        for name, (low, high) in self.ends.items():
            values = range(low, high + 1) if name == _MEMORY else range(low, point[name])[-1:]
            for value in values:
                if value != point[name]:
                    yield self.usable({**point, name: value})

    def _up(self, point: Point) -> Iterator[Point]:
        for name, (_, high) in self.ends.items():
            if point[name] < high and name != _MEMORY:
                raised = self.usable({**point, name: point[name] + 1})
                if raised != point:
                    yield raised

    def options(self, point: Point) -> dict[str, Any]:
        """Return a choice as options of :func:`spikelet.compile`."""
        return {
            "weight_bits": self._of_layers(_OF_WEIGHTS, point),
            "potential_bits": self._of_layers(_OF_POTENTIALS, point),
            "limits": self._limits(point),
        }

    def words(self, point: Point) -> list[str]:
        """Return a choice as options of ``spikelet compile``."""
        options = self.options(point)
        found = []
        for name in ("weight_bits", "potential_bits"):
            bits: Mapping[str, int] = options[name]
            option = f"--{name.replace('_', '-')}"
            same = len(set(bits.values())) == 1
            texts = [str(bits[self.layers[0]])] if same else [f"{k}={n}" for k, n in bits.items()]
            found += [word for text in texts for word in (option, text)]
        for name, value in options["limits"].items():
            found += [f"--{name.replace('_', '-')}", str(value)]
        return found

    def _of_layers(self, what: str, point: Point) -> dict[str, int]:
        return {layer: point[f"{what}{layer}"] for layer in self.layers}

    def _limits(self, point: Point) -> dict[str, Any]:
        return {
            "lanes": 1 << point[_LANES],
            "pipelines": 1 << point[_PIPELINES],
            "weight_memory": self.memories[point[_MEMORY]],
        }
