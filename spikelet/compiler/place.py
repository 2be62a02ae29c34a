"""From integers to a chip: layers on cores, routing tables, memory contents.

Layers run one tick apart: a population at depth k (the longest way from the input) runs k ticks
late, so that a spike, which takes at least one tick from core to core, is always in time. A
projection from depth a to depth b has delay b - a, one of a population to itself delay 1, and
inputs into depth k are sent k ticks ahead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from spikelet.description.checks import check_int
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import list_entries
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.float_update import at_rest
from spikelet.network.network import INPUT
from spikelet.network.quantise import QuantisedNetwork, QuantisedPopulation
from spikelet.placement.network import Connection, PlacementNetwork
from spikelet.placement.partition import CoreLimits, Part
from spikelet.placement.place import PlacedNetwork, PlacementQuality, place_network

__all__ = ["PlacedLayer", "Placement", "PlacementLimits", "Slice", "place"]

_MAX_DELAY_SLOTS = 64


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
    fifo_depth : int
        Flits that wait at each input of a router, 2..16. They are registers in a family without
        distributed RAM.
    """

    max_axons: int = 1024
    max_neurons: int = 256
    lanes: int = 16
    pipelines: int = 1
    weight_memory: str = "block"
    fifo_depth: int = 4

    def __post_init__(self) -> None:
        for name, low, high in (
            ("max_axons", 1, 4096),
            ("max_neurons", 1, 4096),
            ("lanes", 1, 256),
            ("pipelines", 1, self.lanes),
            ("fifo_depth", 2, 16),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise SpikeletError(
                    f"limits: {name} must be an int in {low}..{high}, not {value!r}"
                )
            if name in ("lanes", "pipelines") and value & (value - 1):
                raise SpikeletError(f"limits: {name} must be a power of two, not {value}")


@dataclass(frozen=True)
class Slice:
    """Places ``first`` up to ``first + count`` in a layer's order; neurons 0.. of ``core``."""

    core: int
    first: int
    count: int


@dataclass(frozen=True)
class PlacedLayer:
    """Where a population went; its slices cover its order, one after another.

    Parameters
    ----------
    name : str
    depth : int
    size : int
    slices : tuple of Slice
    order : tuple of int, or None
        The neuron at each place, where a layer is split by receptive fields; None where neurons are
        in ascending order.
    """

    name: str
    depth: int
    size: int
    slices: tuple[Slice, ...]
    order: tuple[int, ...] | None = None

    def assembled(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return the values of all neurons, last axis, from those of each slice."""
        values = np.concatenate(parts, axis=-1)
        return values if self.order is None else values[..., np.argsort(self.order)]

    def neurons(self, part: Slice) -> npt.NDArray[np.int64]:
        """Return the neurons of a slice, as the layer numbers them."""
        places = np.arange(part.first, part.first + part.count)
        return places if self.order is None else np.array(self.order)[places]


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
    quality : PlacementQuality
        Link loads, and what random placements come to.
    """

    __repr__ = summary

    chip: ChipParams
    image: ChipImage
    routes: npt.NDArray[np.int64]
    layers: tuple[PlacedLayer, ...]
    output_latency: int
    neurons: tuple[int, ...]
    quality: PlacementQuality


def place(
    quantised: QuantisedNetwork,
    limits: PlacementLimits | None = None,
    *,
    topology: str = "mesh",
    multicast: bool | None = None,
    seed: int = 0,
    rates: Mapping[str, npt.NDArray[np.float64]] | None = None,
    draw_key: int = 1,
) -> Placement:
    """Place a network on as few cores as the limits allow, so that heavy traffic stays near.

    Layers larger than ``max_neurons`` are split by neurons, and those whose axons do not fit a core
    by receptive fields; see :func:`spikelet.placement.place.place_network`.

    Parameters
    ----------
    quantised : QuantisedNetwork
    limits : PlacementLimits or None
    topology : str
        As for :class:`ChipParams`.
    multicast : bool or None
        Whether packets may go to several cores; None for where it is of use.
    seed : int
        Of the placement.
    rates : mapping of str to array of float, or None
        Spikes a tick of each neuron of a layer, or of each input under :data:`INPUT`.
    draw_key : int
        What the draws of neurons start from, 1..2**32 - 1.

    Raises
    ------
    SpikeletError
        If a neuron needs more axons than a core may have, a table is too large, outputs are of
        different depths, a connection skips more layers than there are delay slots, or the topology
        is unknown.
    """
    check_int("draw_key", draw_key, 1, LARGEST_KEY)
    return _Placer(quantised, limits or PlacementLimits(), draw_key).placement(
        topology, multicast, seed, rates or {}
    )


class _Placer:
    def __init__(self, quantised: QuantisedNetwork, limits: PlacementLimits, draw_key: int) -> None:
        self.quantised = quantised
        self.draw_key = draw_key
        self.network = quantised.network
        self.limits = CoreLimits(limits.max_axons, limits.max_neurons, limits.lanes)
        self.pipelines = limits.pipelines
        self.weight_memory = limits.weight_memory
        self.fifo_depth = limits.fifo_depth
        self._check()

    def placement(
        self,
        topology: str,
        multicast: bool | None,
        seed: int,
        rates: Mapping[str, npt.NDArray[np.float64]],
    ) -> Placement:
        placed = place_network(
            PlacementNetwork(
                self.network.name,
                {p.name: p.size for p in self.quantised.populations},
                tuple(
                    Connection(p.source, p.target, p.weights, self._delay(p.source, p.target))
                    for p in self.quantised.projections
                ),
                self.network.n_inputs,
                self.network.outputs,
                rates,
            ),
            self.limits,
            topology=topology,
            multicast=multicast,
            seed=seed,
        )
        populations = {p.name: p for p in self.quantised.populations}
        # core by core
        indices = np.argsort(placed.core).tolist()
        cores = [self._core(populations[placed.parts[i].population], placed, i) for i in indices]
        chip = ChipParams(
            tuple(core for core, _ in cores),
            placed.plan.width,
            placed.plan.height,
            self.network.n_outputs,
            topology,
            placed.multicast,
            self.fifo_depth,
        )
        image = ChipImage(tuple(contents for _, contents in cores))
        image.check(chip)
        return Placement(
            chip,
            image,
            placed.routes,
            tuple(self._layer(population, placed) for population in populations.values()),
            self.network.depth(self.network.outputs[0]),
            tuple(len(placed.parts[i].neurons) for i in indices),
            placed.quality(seed=seed),
        )

    def _error(self, message: str, remedy: str) -> SpikeletError:
        return SpikeletError(f"network {self.network.name!r}: {message}", remedy=remedy)

    def _check(self) -> None:
        for population in self.quantised.populations:
            self._check_delays(population)
        depths = {name: self.network.depth(name) for name in self.network.outputs}
        if len(set(depths.values())) > 1:
            found = ", ".join(f"{name!r} at depth {depth}" for name, depth in depths.items())
            raise self._error(
                f"all outputs must be equally deep, found {found}",
                "end the network in one layer, or in layers with equally long ways from the input",
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
        if source == target:
            return 1
        return self.network.depth(target) - self.network.depth(source)

    def _slots_needed(self, target: str) -> int:
        # an event with delay 0 is due at the coming tick, a spike with delay 1 too; what a layer
        # sends itself needs no more than any other input
        longest = [
            self._delay(source, target) + (2 if source == INPUT else 1)
            for source in self.network.sources(target)
        ]
        return 1 << (max(longest) - 1).bit_length()

    def _layer(self, population: QuantisedPopulation, placed: PlacedNetwork) -> PlacedLayer:
        slices: list[Slice] = []
        order: list[int] = []
        for core, part in zip(placed.core.tolist(), placed.parts, strict=True):
            if part.population == population.name:
                slices.append(Slice(core, len(order), len(part.neurons)))
                order += part.neurons.tolist()
        return PlacedLayer(
            population.name,
            self.network.depth(population.name),
            population.size,
            tuple(slices),
            None if order == sorted(order) else tuple(order),
        )

    def _core(
        self, population: QuantisedPopulation, placed: PlacedNetwork, index: int
    ) -> tuple[CoreParams, CoreImage]:
        part = placed.parts[index]
        lanes = self.limits.lanes_of(population.size)
        n_neurons = -(-len(part.neurons) // lanes) * lanes
        params = CoreParams(
            n_axons=len(part.axons),
            n_neurons=n_neurons,
            neuron=population.neuron,
            weight_bits=self.quantised.weight_bits,
            weight_format=self.quantised.weight_format,
            weight_exponent=population.weight_exponent,
            potential_bits=self.quantised.potential_bits,
            lanes=lanes,
            pipelines=min(self.pipelines, lanes),
            delay_slots=placed.delay_slots[index],
            list_entries=list_entries(placed.destinations[index]),
            weight_memory=self.weight_memory,
            parameters=scopes(population.neuron, population.parameters),
            # idle neurons that stay at rest may start at any time
            first_tick=0
            if at_rest(population.neuron, population.parameters)
            else self.network.depth(population.name),
        )
        if "inhibited" in params.update.inputs:
            self._check_inhibition(population, part)
            if n_neurons > len(part.neurons):
                params = with_silent_spares(params)
        filler = 1 if params.weight_format == "binary" else 0
        padded = np.full((len(part.axons), n_neurons), filler, np.int16)
        padded[:, : len(part.neurons)] = placed.weights(part)
        first = self.network.first_neuron(population.name)
        draw_key, draw_indices = drawing(params, self.draw_key, first, part.neurons)
        image = CoreImage(
            weights=padded,
            destinations=placed.destinations[index],
            parameters=loaded_parameters(params, population.parameters, part.neurons),
            states=kept_states(params),
            draw_key=draw_key,
            draw_indices=draw_indices,
        )
        return params, image

    def _check_inhibition(self, population: QuantisedPopulation, part: Part) -> None:
        if len(part.neurons) < population.size:
            raise self._error(
                f"the neurons of layer {population.name!r} inhibit each other, which they do within"
                f" a core; of its {population.size:,} neurons {len(part.neurons):,} fit one",
                "allow larger cores (--max-neurons, --max-axons)",
            )
