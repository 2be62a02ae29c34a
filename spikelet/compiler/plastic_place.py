"""From the description of a plastic network to a chip: one core for each population."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.compiler.neuron_parameters import (
    LARGEST_KEY,
    drawing,
    kept_states,
    loaded_parameters,
    scopes,
    with_silent_spares,
)
from spikelet.compiler.plastic import Plastic
from spikelet.description.checks import signed_bits, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined, list_entries
from spikelet.description.chip.image import ChipImage, CoreImage, random_states
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule
from spikelet.network.float_update import rises_alone
from spikelet.network.integers import (
    InputGroup,
    PlacedPopulation,
    PlacedProjection,
    PlasticPopulation,
    PlasticProjection,
    int_in,
)

__all__ = ["CoreShape", "PlasticParts", "compile_plastic"]

_LARGEST_CORE = 4096
_MAX_LIST_ENTRIES = 65536


@dataclass(frozen=True)
class CoreShape:
    """How cores are built; see :meth:`PlasticNetwork.compile`.

    SpikeletError if a field is outside its range.
    """

    lanes: int
    pipelines: int
    weight_memory: str
    draw_key: int

    def __post_init__(self) -> None:
        int_in("compile: lanes", self.lanes, 1, 256)
        int_in("compile: pipelines", self.pipelines, 1, self.lanes)
        for name in ("lanes", "pipelines"):
            if (value := getattr(self, name)) & (value - 1):
                raise SpikeletError(f"compile: {name} must be a power of two, not {value}")
        if self.weight_memory not in ("block", "spram"):
            raise SpikeletError(
                f"compile: weight_memory must be one of block, spram, not {self.weight_memory!r}"
            )
        int_in("compile: draw_key", self.draw_key, 1, LARGEST_KEY)

    def lanes_of(self, size: int) -> int:
        """Return the lanes of a population: fewer where it is small."""
        return min(self.lanes, 1 << (size - 1).bit_length())

    def neurons_of(self, size: int) -> int:
        """Return the neurons of a population's core: whole groups of lanes, 4096 at most."""
        return -(-size // self.lanes_of(size)) * self.lanes_of(size)


@dataclass(frozen=True, eq=False)
class PlasticParts:
    """All that is described of a network.

    Parameters
    ----------
    name : str
    dt : float
        Seconds per tick.
    seed : int
    inputs : tuple of InputGroup
    populations : tuple of PlasticPopulation
    projections : tuple of PlasticProjection
    outputs : tuple of str
        Populations whose neurons, one population after another, are the outputs.
    """

    name: str
    dt: float
    seed: int
    inputs: tuple[InputGroup, ...]
    populations: tuple[PlasticPopulation, ...]
    projections: tuple[PlasticProjection, ...]
    outputs: tuple[str, ...]


def compile_plastic(parts: PlasticParts, shape: CoreShape) -> Plastic:
    """Return the network on a chip; see :meth:`PlasticNetwork.compile`."""
    return _Placer(parts, shape).plastic()


class _Placer:
    def __init__(self, parts: PlasticParts, shape: CoreShape) -> None:
        self.parts = parts
        self.shape = shape
        self.sizes = {group.name: group.size for group in parts.inputs}
        self.sizes.update((p.name, p.size) for p in parts.populations)
        self.core_of = {p.name: index for index, p in enumerate(parts.populations)}
        self.first_axon: dict[int, int] = {}
        self.first_line = _starts({group.name: group.size for group in parts.inputs})
        self.first_output = _starts({name: self.sizes[name] for name in parts.outputs})

    def plastic(self) -> Plastic:
        self._check()
        parts = self.parts
        for population in parts.populations:
            self._place_axons(population)
        cores = [self._core(population) for population in parts.populations]
        width = math.ceil(math.sqrt(len(cores)))
        n_outputs = sum(self.sizes[name] for name in parts.outputs)
        chip = ChipParams(
            tuple(core for core, _ in cores), width, -(-len(cores) // width), n_outputs
        )
        image = ChipImage(tuple(contents for _, contents in cores))
        image.check(chip)
        return Plastic(
            parts.name,
            parts.dt,
            parts.seed,
            chip,
            image,
            self._routes(),
            parts.inputs,
            tuple(
                PlacedPopulation(p.name, p.size, self.core_of[p.name]) for p in parts.populations
            ),
            tuple(
                PlacedProjection(
                    p.source,
                    p.target,
                    self.first_axon[id(p)],
                    self.sizes[p.source],
                    p.delay,
                    p.rule is not None,
                    p.connectivity,
                )
                for p in parts.projections
            ),
            parts.outputs,
        )

    def _into(self, target: str) -> list[PlasticProjection]:
        return [p for p in self.parts.projections if p.target == target]

    def _from(self, source: str) -> list[PlasticProjection]:
        return [p for p in self.parts.projections if p.source == source]

    def _error(self, message: str, remedy: str) -> SpikeletError:
        return SpikeletError(f"network {self.parts.name!r}: {message}", remedy=remedy)

    def _check(self) -> None:
        for what, found in (("inputs", self.parts.inputs), ("populations", self.parts.populations)):
            if not found:
                raise self._error(f"there are no {what}", f"add some with {what.rstrip('s')}()")
        if not self.parts.outputs:
            raise self._error(
                "no population is an output", "name what the host should see with output()"
            )
        for group in self.parts.inputs:
            if not self._from(group.name):
                raise self._error(
                    f"inputs {group.name!r} lead nowhere", "project() them, or leave them out"
                )
        n_outputs = sum(self.sizes[name] for name in self.parts.outputs)
        if n_outputs > _LARGEST_CORE:
            raise self._error(
                f"{n_outputs} outputs, a chip has at most {_LARGEST_CORE}", "leave one out"
            )

    def _place_axons(self, population: PlasticPopulation) -> None:
        """Give the projections into a population their axons, if they fit its core."""
        into = self._into(population.name)
        if not into and not rises_alone(population.neuron, population.parameters):
            raise self._error(
                f"population {population.name!r} gets no input",
                "project() to it, or give it a bias",
            )
        needed = sum(self.sizes[p.source] for p in into)
        if needed > _LARGEST_CORE:
            found = " + ".join(f"{self.sizes[p.source]} from {p.source!r}" for p in into)
            raise self._error(
                f"population {population.name!r} needs {needed} axons ({found}), a core has at "
                f"most {_LARGEST_CORE}",
                "make its sources smaller, or inhibit by inhibition= instead of by axons",
            )
        first = 0
        for projection in into:
            self.first_axon[id(projection)] = first
            first += self.sizes[projection.source]

    def _core(self, population: PlasticPopulation) -> tuple[CoreParams, CoreImage]:
        into = self._into(population.name)
        rule = next((p.rule for p in into if p.rule), None)
        n_neurons = self.shape.neurons_of(population.size)
        weight_bits, weight_format = self._weight_width(population, into)
        found = self._destinations(population)
        try:
            core = CoreParams(
                n_axons=max(1, sum(self.sizes[p.source] for p in into)),  # a core has one
                n_neurons=n_neurons,
                neuron=population.neuron,
                weight_bits=weight_bits,
                weight_format=weight_format,
                weight_exponent=population.weight_exponent,
                potential_bits=population.potential_bits,
                lanes=self.shape.lanes_of(population.size),
                pipelines=min(self.shape.pipelines, self.shape.lanes_of(population.size)),
                delay_slots=self._delay_slots(into),
                list_entries=list_entries(found),
                weight_memory=self.shape.weight_memory,
                parameters=scopes(population.neuron, population.parameters),
                learning=rule,
            )
            if n_neurons > population.size:  # the synapses of spare neurons learn too
                core = with_silent_spares(core)
        except SpikeletError as error:
            raise self._error(
                f"population {population.name!r}: {error.args[0]}", error.remedy
            ) from error
        return core, self._contents(population, core, found)

    def _contents(
        self, population: PlasticPopulation, core: CoreParams, found: npt.NDArray[np.int32]
    ) -> CoreImage:
        into = self._into(population.name)
        rule = core.learning
        marks = [np.full(self.sizes[p.source], p.rule is not None) for p in into]
        weights = [_padded(p.weights, core.n_neurons, p.rule) for p in into]
        weights = weights or [np.zeros((core.n_axons, core.n_neurons), np.int16)]
        shape = (core.n_axons, core.n_neurons)
        index = self.core_of[population.name]
        seed = int(np.random.SeedSequence([self.parts.seed, index]).generate_state(1)[0])

        neurons = np.arange(population.size)
        first = sum(p.size for p in self.parts.populations[:index])
        draw_key, draw_indices = drawing(core, self.shape.draw_key, first, neurons)
        return CoreImage(
            weights=np.concatenate(weights),
            destinations=found,
            parameters=loaded_parameters(core, population.parameters, neurons),
            states=kept_states(core),
            draw_key=draw_key,
            draw_indices=draw_indices,
            plastic=np.concatenate(marks) if rule else np.zeros(0, np.bool_),
            tags=np.zeros(shape if rule and rule.tag_bits else (0, 0), np.int8),
            random=random_states(core.lanes if rule and rule.stochastic else 0, seed),
        )

    def _weight_width(
        self, population: PlasticPopulation, into: Sequence[PlasticProjection]
    ) -> tuple[int, str]:
        """Return bits and format that hold the weights of all projections into a population."""
        ranges = [p.weight_range for p in into] or [(0, 1)]
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        needed = unsigned_bits(high) if low >= 0 else max(2, signed_bits(low, high))
        limit = population.weight_bits or 8
        if needed > limit:
            found = ", ".join(
                f"{r[0]}..{r[1]} in {p.title}" for p, r in zip(into, ranges, strict=True)
            )
            most = (
                f"{-(1 << (limit - 1))}..{(1 << (limit - 1)) - 1}"
                if low < 0
                else f"0..{(1 << limit) - 1}"
            )
            raise self._error(
                f"population {population.name!r}: weights and bounds {low}..{high} ({found}) need "
                f"{needed} bits; {limit} bits hold {most}",
                "narrow the weights or the rule's w_min and w_max, or inhibit by inhibition=",
            )
        return population.weight_bits or needed, "signed" if low < 0 else "unsigned"

    def _delay_slots(self, into: Sequence[PlasticProjection]) -> int:
        # an event of delay 0 is due at the coming tick, as is a spike of delay 1
        needed = [p.delay + (2 if p.source in self.first_line else 1) for p in into]
        return max(2, 1 << (max(needed, default=1) - 1).bit_length())

    def _destinations(self, population: PlasticPopulation) -> npt.NDArray[np.int32]:
        """Return the destinations of a core, as :class:`CoreImage` wants them."""
        neurons = np.arange(population.size)
        parts = [
            destinations(neurons, self.core_of[p.target], self.first_axon[id(p)] + neurons, p.delay)
            for p in self._from(population.name)
        ]
        if population.name in self.first_output:
            parts.append(destinations(neurons, HOST, self.first_output[population.name] + neurons))
        found = joined(*parts)
        needed = list_entries(found)
        if needed > _MAX_LIST_ENTRIES:
            raise self._error(
                f"population {population.name!r} needs {needed} entries in destination lists "
                f"({len(parts)} for each of {population.size} neurons), "
                f"{needed - _MAX_LIST_ENTRIES} more than the {_MAX_LIST_ENTRIES} that a core may "
                "have",
                "project it to fewer populations",
            )
        return found

    def _routes(self) -> npt.NDArray[np.int64]:
        routes = []
        for p in self.parts.projections:
            if p.source in self.first_line:
                lines = np.arange(self.sizes[p.source])
                core = np.full_like(lines, self.core_of[p.target])
                axons = self.first_axon[id(p)] + lines
                due = np.full_like(lines, p.delay)
                routes.append(np.stack([self.first_line[p.source] + lines, core, axons, due], 1))
        return np.concatenate(routes).astype(np.int64)


def _starts(sizes: dict[str, int]) -> dict[str, int]:
    """Return where each part begins if they stand one behind another."""
    ends = itertools.accumulate(sizes.values())
    return {name: end - sizes[name] for name, end in zip(sizes, ends, strict=True)}


def _padded(
    weights: npt.NDArray[np.int16], n_neurons: int, rule: LearningRule | None
) -> npt.NDArray[np.int16]:
    """Return weights with the synapses of the last lanes at 0, or as near as the rule allows."""
    filler = min(max(0, rule.w_min), rule.w_max) if rule else 0
    padded = np.full((len(weights), n_neurons), filler, np.int16)
    padded[:, : weights.shape[1]] = weights
    return padded
