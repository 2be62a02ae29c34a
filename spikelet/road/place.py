"""From integers to a chip: layers on cores, routing tables, memory contents.

Layers run one tick apart: a population at depth k (the longest way from the input) runs k ticks
late, so that a spike, which takes at least one tick from core to core, is always in time. A
projection from depth a to depth b has delay b - a, and inputs into depth k are sent k ticks ahead.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.image import HOST, NO_DESTINATION, ChipImage, CoreImage
from spikelet.description.params import ChipParams, CoreParams
from spikelet.errors import SpikeletError
from spikelet.road.network import INPUT
from spikelet.road.quantise import QuantisedNetwork, QuantisedPopulation, QuantisedProjection

__all__ = ["PlacedLayer", "Placement", "PlacementLimits", "Slice", "place"]

_MAX_DELAY_SLOTS = 16
_MAX_FAN_OUT = 256
_MAX_OUTPUTS = 4096


@dataclass(frozen=True)
class PlacementLimits:
    """The largest core to generate.

    Parameters
    ----------
    max_axons, max_neurons : int
        1..4096.
    lanes : int
        Lanes of a core; a smaller layer gets fewer. A power of two, 1..256.
    pipelines : int
        Neuron-update pipelines, at most ``lanes``; a power of two.
    weight_memory : str
        As for :class:`CoreParams`: ``"block"`` or ``"spram"``.
    """

    max_axons: int = 1024
    max_neurons: int = 256
    lanes: int = 16
    pipelines: int = 1
    weight_memory: str = "block"

    def __post_init__(self) -> None:
        highest = {"max_axons": 4096, "max_neurons": 4096, "lanes": 256, "pipelines": self.lanes}
        for name, high in highest.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= high:
                raise SpikeletError(f"limits: {name} must be an int in 1..{high}, not {value!r}")
            if name in ("lanes", "pipelines") and value & (value - 1):
                raise SpikeletError(f"limits: {name} must be a power of two, not {value}")


@dataclass(frozen=True)
class Slice:
    """Neurons ``first`` up to ``first + count`` of a layer, which are neurons 0.. of ``core``."""

    core: int
    first: int
    count: int


@dataclass(frozen=True)
class PlacedLayer:
    """Where a population went; its slices cover it in ascending order."""

    name: str
    depth: int
    size: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True, eq=False)
class Placement:
    """A network on a chip.

    Parameters
    ----------
    chip : ChipParams
    image : ChipImage
    routes : array of int64, shape (routes, 4)
        (input, core, axon, delay): where each input's spikes are sent.
    layers : tuple of PlacedLayer
        In the order of the populations.
    output_latency : int
        Ticks from an input to the outputs it can cause: the depth of the output populations.
    neurons : tuple of int
        Neurons in use in each core; those behind them fill the last lanes. They have no
        destination and weights of 0 (binary cores know no 0: +1, and a threshold out of reach
        where thresholds are per neuron).
    """

    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    layers: tuple[PlacedLayer, ...]
    output_latency: int
    neurons: tuple[int, ...]


def place(quantised: QuantisedNetwork, limits: PlacementLimits | None = None) -> Placement:
    """Place a network on as few cores as the limits allow, on a near-square mesh.

    Layers larger than ``max_neurons`` are split by neurons; each part gets all axons, and each
    source neuron one destination for each part.

    Raises
    ------
    SpikeletError
        If a layer needs more axons than a core may have, outputs are of different depths, or a
        connection skips more layers than there are delay slots.
    """
    return _Placer(quantised, limits or PlacementLimits()).placement()


class _Placer:
    def __init__(self, quantised: QuantisedNetwork, limits: PlacementLimits) -> None:
        self.quantised = quantised
        self.network = quantised.network
        self.limits = limits
        self._check()
        parts = [self._parts(population.size) for population in quantised.populations]
        positions = iter(_snake(sum(len(p) for p in parts)))
        self.layers = {
            population.name: PlacedLayer(
                population.name,
                self.network.depth(population.name),
                population.size,
                tuple(Slice(next(positions), first, count) for first, count in layer_parts),
            )
            for population, layer_parts in zip(quantised.populations, parts, strict=True)
        }

    def placement(self) -> Placement:
        n_cores = sum(len(layer.slices) for layer in self.layers.values())
        cores: list[tuple[CoreParams, CoreImage, int] | None] = [None] * n_cores
        for population in self.quantised.populations:
            for part in self.layers[population.name].slices:
                cores[part.core] = (*self._core(population, part), part.count)
        placed = [core for core in cores if core is not None]
        width, height = _mesh(n_cores)
        chip = ChipParams(tuple(c[0] for c in placed), width, height, self.network.n_outputs)
        image = ChipImage(tuple(c[1] for c in placed))
        image.check(chip)
        return Placement(
            chip,
            image,
            self._routes(),
            tuple(self.layers.values()),
            self.network.depth(self.network.outputs[0]),
            tuple(c[2] for c in placed),
        )

    def _error(self, message: str, remedy: str) -> SpikeletError:
        return SpikeletError(f"network {self.network.name!r}: {message}", remedy=remedy)

    def _check(self) -> None:
        for population in self.quantised.populations:
            self._check_axons(population)
            self._check_delays(population)
        depths = {name: self.network.depth(name) for name in self.network.outputs}
        if len(set(depths.values())) > 1:
            found = ", ".join(f"{name!r} at depth {depth}" for name, depth in depths.items())
            raise self._error(
                f"all outputs must be equally deep, found {found}",
                "end the network in one layer, or in layers with equally long ways from the input",
            )
        if self.network.n_outputs > _MAX_OUTPUTS:
            raise self._error(
                f"{self.network.n_outputs} outputs, a chip has at most {_MAX_OUTPUTS}",
                "make the output layer smaller",
            )

    def _check_axons(self, population: QuantisedPopulation) -> None:
        sources = {s: self.network.sizes[s] for s in self.network.sources(population.name)}
        needed, limit = sum(sources.values()), self.limits.max_axons
        if needed > limit:
            found = " + ".join(f"{size} from {name!r}" for name, size in sources.items())
            raise self._error(
                f"layer {population.name!r} needs {needed} axons ({found}), {needed - limit} more "
                f"than the {limit} that a core may have",
                f"allow cores of {needed} axons (--max-axons {needed})"
                if needed <= 4096
                else f"make its sources smaller: a core has at most 4096 axons, {needed - 4096} "
                "fewer than needed",
            )

    def _check_delays(self, population: QuantisedPopulation) -> None:
        needed = self._slots_needed(population.name)
        if needed > _MAX_DELAY_SLOTS:
            raise self._error(
                f"layer {population.name!r} at depth {self.network.depth(population.name)} is fed "
                f"over a skip connection that needs {needed} delay slots, a core has at most "
                f"{_MAX_DELAY_SLOTS}",
                "shorten the skip connection by feeding the layer from a later one",
            )

    def _delay(self, source: str, target: str) -> int:
        """Return the delay of a projection; from the input, of its events."""
        if source == INPUT:
            return self.network.depth(target)
        return self.network.depth(target) - self.network.depth(source)

    def _slots_needed(self, target: str) -> int:
        # an event with delay 0 is due at the coming tick, a spike with delay 1 too
        longest = [
            self._delay(source, target) + (2 if source == INPUT else 1)
            for source in self.network.sources(target)
        ]
        return 1 << (max(longest) - 1).bit_length()

    def _lanes(self, size: int) -> int:
        most = min(self.limits.lanes, 1 << (self.limits.max_neurons.bit_length() - 1))
        return min(most, 1 << (size - 1).bit_length())

    def _parts(self, size: int) -> list[tuple[int, int]]:
        """Return (first, count) of each part, as even as whole groups of lanes allow."""
        lanes = self._lanes(size)
        groups = -(-size // lanes)
        n_parts = -(-groups // (self.limits.max_neurons // lanes))
        ends = [min(size, lanes * (groups * (i + 1) // n_parts)) for i in range(n_parts)]
        return [(a, b - a) for a, b in zip([0, *ends[:-1]], ends, strict=True)]

    def _core(self, population: QuantisedPopulation, part: Slice) -> tuple[CoreParams, CoreImage]:
        lanes = self._lanes(population.size)
        n_neurons = -(-part.count // lanes) * lanes
        weights = np.concatenate([p.weights for p in self._into(population.name)])
        destinations = self._destinations(population.name, part, n_neurons)
        value_reset = self.network.profile.reset == "value"
        params = CoreParams(
            n_axons=len(weights),
            n_neurons=n_neurons,
            profile=self.network.profile,
            weight_bits=self.quantised.weight_bits,
            weight_format=self.quantised.weight_format,
            weight_exponent=population.weight_exponent,
            potential_bits=self.quantised.potential_bits,
            lanes=lanes,
            pipelines=min(self.limits.pipelines, lanes),
            delay_slots=max(2, self._slots_needed(population.name)),
            fan_out=destinations.shape[1],
            weight_memory=self.limits.weight_memory,
            threshold=_scope(population.threshold),
            decay=_scope(population.decay),
            bias=_scope(population.bias),
            reset_potential=_scope(population.reset_potential) if value_reset else "none",
            # an idle neuron of another kind stays at 0 whenever it starts
            first_tick=0 if population.bias is None else self.network.depth(population.name),
        )
        filler = 1 if params.weight_format == "binary" else 0
        padded = np.full((len(weights), n_neurons), filler, np.int16)
        padded[:, : part.count] = weights[:, part.first : part.first + part.count]
        image = CoreImage(
            weights=padded,
            threshold=_part_of(population.threshold, part, n_neurons, filler=params.v_max),
            destinations=destinations,
            decay=_part_of(population.decay, part, n_neurons),
            bias=_part_of(population.bias, part, n_neurons),
            reset_potential=_part_of(population.reset_potential, part, n_neurons),
        )
        return params, image

    def _into(self, target: str) -> list[QuantisedProjection]:
        return [p for p in self.quantised.projections if p.target == target]

    def _first_axon(self, source: str, target: str) -> int:
        """Return the axon of a source's first neuron in each core of a target."""
        sources = self.network.sources(target)
        return sum(self.network.sizes[s] for s in sources[: sources.index(source)])

    def _destinations(self, name: str, part: Slice, n_neurons: int) -> npt.NDArray[np.int32]:
        """Return the destinations of a part, shape (n_neurons, fan_out, 3)."""
        neurons = np.arange(part.first, part.first + part.count)
        lists = []
        for projection in self.quantised.projections:
            if projection.source == name:
                axons = self._first_axon(name, projection.target) + neurons
                delay = self._delay(name, projection.target)
                for target in self.layers[projection.target].slices:
                    lists.append((target.core, axons, delay))
        if name in self.network.outputs:
            before = self.network.outputs[: self.network.outputs.index(name)]
            lists.append((HOST, sum(self.network.sizes[o] for o in before) + neurons, 1))
        if len(lists) > _MAX_FAN_OUT:
            raise self._error(
                f"each neuron of layer {name!r} has {len(lists)} destinations, a core has at most "
                f"{_MAX_FAN_OUT} for a neuron",
                "allow larger cores (--max-neurons), so that the layers behind it are split less",
            )
        destinations = np.zeros((n_neurons, len(lists), 3), np.int32)
        destinations[..., 0] = NO_DESTINATION
        for k, (core, axons, delay) in enumerate(lists):
            destinations[: part.count, k, 0] = core
            destinations[: part.count, k, 1] = axons
            destinations[: part.count, k, 2] = delay
        return destinations

    def _routes(self) -> npt.NDArray[np.int64]:
        inputs = np.arange(self.network.n_inputs)
        routes = []
        for projection in self.quantised.projections:
            if projection.source == INPUT:
                axons = self._first_axon(INPUT, projection.target) + inputs
                delay = self._delay(INPUT, projection.target)
                for part in self.layers[projection.target].slices:
                    core, due = np.full_like(inputs, part.core), np.full_like(inputs, delay)
                    routes.append(np.stack([inputs, core, axons, due], axis=1))
        return np.concatenate(routes).astype(np.int64)


def _scope(values: npt.NDArray[np.int32] | None) -> str:
    return "none" if values is None else "shared" if len(values) == 1 else "neuron"


def _part_of(
    values: npt.NDArray[np.int32] | None, part: Slice, n_neurons: int, filler: int = 0
) -> npt.NDArray[np.int32]:
    """Return the values of a part's neurons, filled up; shared ones as they are."""
    if values is None:
        return np.zeros(1, np.int32)
    if len(values) == 1:
        return values
    padded = np.full(n_neurons, filler, np.int32)
    padded[: part.count] = values[part.first : part.first + part.count]
    return padded


def _mesh(n_cores: int) -> tuple[int, int]:
    """Return width and height of a near-square mesh."""
    width = int(np.ceil(np.sqrt(n_cores)))
    return width, -(-n_cores // width)


def _snake(n_cores: int) -> list[int]:
    """Return the cores so that each is beside the next, but for a last row that is not full."""
    width, height = _mesh(n_cores)
    order = []
    for y in range(height):
        row = list(range(y * width, min((y + 1) * width, n_cores)))
        order += row if y % 2 == 0 else row[::-1]
    return order
