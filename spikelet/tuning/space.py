"""What tuning chooses of a chip: widths of each layer, sizes of cores, how they are built."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from spikelet.description.neurons.model import FRACTION_BITS
from spikelet.description.synapses.formats import synapse_formats
from spikelet.network.leaks import finest_bits
from spikelet.network.limits import AUTO
from spikelet.network.network import Network
from spikelet.placement.core_limits import LARGEST_CORE

__all__ = ["Point", "Space"]

Point = dict[str, int]
"""A choice: a whole number for each of :attr:`Space.ends`."""

_WEIGHT_BITS, _POTENTIAL_BITS = (1, 8), (4, 24)
_MOST_LANES = 8
"""As a power of two; also of pipelines."""

_SMALLEST_CORE = 4
"""Axons or neurons, as a power of two."""

_CORE_SIZES = 4
"""Steps, each by half, from cores that hold the largest layer."""

_LANES, _PIPELINES, _MEMORY = "lanes", "pipelines", "weight memory"
_AXONS, _NEURONS, _SYNAPSES = "axons of a core", "neurons of a core", "synapses"
_OF_WEIGHTS, _OF_POTENTIALS = "weight bits of ", "potential bits of "
_OF_DECAYS = "decay bits of "
_WITHOUT_ORDER = (_MEMORY, _SYNAPSES)
"""Choices of which none is smaller than another."""


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
    synapses : tuple of str
        Formats, as of :class:`PlacementLimits`.
    decays : dict of str to int
        Layers with a leak for which the usual bits of a fraction are too few, and what would do.
    axons, neurons : (int, int) or None
        Smallest and largest limit of cores to choose, as powers of two, above which stands the
        usual limit; None where there is nothing to choose.
    """

    layers: tuple[str, ...]
    most_lanes: int
    memories: tuple[str, ...] = ("block",)
    synapses: tuple[str, ...] = (AUTO,)
    decays: Mapping[str, int] = field(default_factory=dict)
    axons: tuple[int, int] | None = None
    neurons: tuple[int, int] | None = None

    @classmethod
    def of(cls, network: Network, memories: tuple[str, ...]) -> "Space":
        """Return what can be chosen for a network; its largest layer bounds the lanes.

        Layers that are convolutions can have their synapses, and axons of cores, otherwise.
        """
        largest = max(population.size for population in network.populations)
        names = tuple(population.name for population in network.populations)
        maps = any(p.convolution is not None for p in network.projections)
        widest = max(
            sum(p.weights.shape[0] for p in network.into(population.name))
            for population in network.populations
        )
        needed = {p.name: max(finest_bits(p).values(), default=0) for p in network.populations}
        return cls(
            names,
            min(_MOST_LANES, (largest - 1).bit_length()),
            memories,
            (AUTO, *synapse_formats()) if maps else (AUTO,),
            {name: bits for name, bits in needed.items() if bits > FRACTION_BITS},
            _core_sizes(widest) if maps else None,
            _core_sizes(largest),
        )

    @cached_property
    def ends(self) -> dict[str, tuple[int, int]]:
        """Smallest and largest value of each choice; lanes and pipelines as powers of two."""
        found = {f"{_OF_WEIGHTS}{layer}": _WEIGHT_BITS for layer in self.layers}
        found |= {f"{_OF_POTENTIALS}{layer}": _POTENTIAL_BITS for layer in self.layers}
        found |= {f"{_OF_DECAYS}{layer}": (FRACTION_BITS, n) for layer, n in self.decays.items()}
        found |= {_LANES: (0, self.most_lanes), _PIPELINES: (0, self.most_lanes)}
        found |= {_MEMORY: (0, len(self.memories) - 1)}
        if len(self.synapses) > 1:
            found[_SYNAPSES] = (0, len(self.synapses) - 1)
        sizes = {_AXONS: self.axons, _NEURONS: self.neurons}
        return found | {name: (ends[0], ends[1] + 1) for name, ends in sizes.items() if ends}

    def uniform(self, weight_bits: int, potential_bits: int, lanes: int) -> Point:
        """Return the choice of the same widths in all layers, one pipeline, and the usual cores."""
        widths = {_OF_WEIGHTS: weight_bits, _OF_POTENTIALS: potential_bits}
        point = {f"{of}{layer}": bits for of, bits in widths.items() for layer in self.layers}
        point |= {_LANES: lanes, _PIPELINES: 0, _MEMORY: 0, _SYNAPSES: 0}
        point |= {f"{_OF_DECAYS}{layer}": bits for layer, bits in self.decays.items()}
        point |= {name: self.ends[name][1] for name in (_AXONS, _NEURONS) if name in self.ends}
        return self.usable({**point, _LANES: min(lanes, self.most_lanes)})

    def usable(self, point: Point) -> Point:
        """Return a choice with no more pipelines than lanes, and no more lanes than neurons.

        In the order of :attr:`ends`.
        """
        found = {name: point[name] for name in self.ends}
        found[_LANES] = min(found[_LANES], found.get(_NEURONS, _MOST_LANES))
        found[_PIPELINES] = min(found[_PIPELINES], found[_LANES])
        return found

    def steps(self, point: Point, *, up: bool) -> Iterator[Point]:
        """Yield neighbours of a choice: a step down, with ``up`` a step up, or one of each.

        Of the memories, and of the formats of synapses, every other is a step down.
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
            every = name in _WITHOUT_ORDER
            for value in range(low, high + 1) if every else range(low, point[name])[-1:]:
                if value != point[name]:
                    yield self.usable({**point, name: value})

    def _up(self, point: Point) -> Iterator[Point]:
        for name, (_, high) in self.ends.items():
            if point[name] < high and name not in _WITHOUT_ORDER:
                raised = self.usable({**point, name: point[name] + 1})
                if raised != point:
                    yield raised

    def options(self, point: Point) -> dict[str, Any]:
        """Return a choice as options of :func:`spikelet.compile`."""
        return {
            "weight_bits": self._of_layers(_OF_WEIGHTS, point),
            "potential_bits": self._of_layers(_OF_POTENTIALS, point),
            **self._decays(point),
            "limits": self._limits(point),
        }

    def words(self, point: Point) -> list[str]:
        """Return a choice as options of ``spikelet compile``."""
        options = self.options(point)
        found = []
        for name in ("weight_bits", "potential_bits", "decay_bits"):
            bits: Mapping[str, int] = options.get(name, {})
            option = f"--{name.replace('_', '-')}"
            same = len(bits) == len(self.layers) and len(set(bits.values())) == 1
            texts = [str(bits[self.layers[0]])] if same else [f"{k}={n}" for k, n in bits.items()]
            found += [word for text in texts for word in (option, text)]
        for name, value in options["limits"].items():
            found += [f"--{name.replace('_', '-')}", str(value)]
        return found

    def _decays(self, point: Point) -> dict[str, dict[str, int]]:
        bits = {layer: point[f"{_OF_DECAYS}{layer}"] for layer in self.decays}
        return {"decay_bits": bits} if bits else {}

    def _of_layers(self, what: str, point: Point) -> dict[str, int]:
        return {layer: point[f"{what}{layer}"] for layer in self.layers}

    def _limits(self, point: Point) -> dict[str, Any]:
        found: dict[str, Any] = {
            "lanes": 1 << point[_LANES],
            "pipelines": 1 << point[_PIPELINES],
            "weight_memory": self.memories[point[_MEMORY]],
        }
        if _SYNAPSES in point:
            found["synapses"] = self.synapses[point[_SYNAPSES]]
        sizes = {"max_axons": _AXONS, "max_neurons": _NEURONS}
        chosen = {n: of for n, of in sizes.items() if of in point and point[of] < self.ends[of][1]}
        return found | {name: 1 << point[of] for name, of in chosen.items()}


def _core_sizes(largest: int) -> tuple[int, int] | None:
    """Return the smallest and largest core to try, as powers of two; None if all are too small."""
    high = (min(largest, LARGEST_CORE) - 1).bit_length()
    return (max(_SMALLEST_CORE, high - _CORE_SIZES), high) if high > _SMALLEST_CORE else None
