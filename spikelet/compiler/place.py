"""From integers to a chip: populations on cores, routing tables, memory contents."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikelet.compiler.compiled import CompiledNetwork, PlacedLayer, Slice
from spikelet.compiler.contents import core_contents
from spikelet.compiler.narrow import narrowed_bits
from spikelet.compiler.neuron_parameters import scopes, with_silent_spares
from spikelet.compiler.synapses import map_format, other_format, shared_maps, sparse_lanes
from spikelet.description.checks import signed_bits, unsigned_bits
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import list_entries
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.synapses.formats import synapse_format
from spikelet.network.float_update import at_rest
from spikelet.network.integer_layers import IntegerPopulation
from spikelet.network.integers import IntegerNetwork
from spikelet.network.limits import AUTO, PlacementLimits
from spikelet.placement.maps import lanes_of_channels, pipelines_of_channels
from spikelet.placement.network import Connection, PlacementNetwork
from spikelet.placement.place import PlacedNetwork, place_network

__all__ = ["place"]


def place(
    network: IntegerNetwork,
    limits: PlacementLimits | None = None,
    *,
    topology: str = "mesh",
    multicast: bool | None = None,
    seed: int = 0,
    rates: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> CompiledNetwork:
    """Place a network on as few cores as the limits allow, so that heavy traffic stays near.

    Layers larger than ``max_neurons`` are split by neurons, and those whose axons do not fit a core
    by receptive fields; see :func:`spikelet.placement.place.place_network`. What
    :meth:`IntegerNetwork.kept_whole` names stays in one core, if one holds it.

    Parameters
    ----------
    network : IntegerNetwork
    limits : PlacementLimits or None
    topology : str
        As for :class:`ChipParams`.
    multicast : bool or None
        Whether packets may go to several cores; None for where it is of use.
    seed : int
        Of the placement.
    rates : mapping of str to array of float, or None
        Spikes a tick of each neuron of a layer, or of each line of an input group.

    Raises
    ------
    SpikeletError
        If a neuron needs more axons than a core may have, so do those of a population of which each
        core has all, a table is too large, or the topology is unknown.
    """
    return _Placer(network, limits or PlacementLimits()).compiled(
        topology, multicast, seed, rates or {}
    )


class _Placer:
    def __init__(self, network: IntegerNetwork, limits: PlacementLimits) -> None:
        self.network = network
        self.limits = limits
        names = [population.name for population in network.populations]
        for name, cores in limits.layer_cores:
            if name not in names:
                raise network.error(
                    f"there is no population {name!r} to spread over {cores} cores",
                    f"name one of {', '.join(names)}",
                )
        reasons = {p.name: network.kept_whole(p.name) for p in network.populations}
        self.whole = {name: reason for name, reason in reasons.items() if reason}
        self.bits = {p.name: p.potential_bits for p in network.populations}
        if limits.narrow:
            self.bits = narrowed_bits(network)
        self.shared = shared_maps(network, limits)
        self.formats = {
            name: map_format(network, limits, name, shape) for name, shape in self.shared.items()
        }

    def compiled(
        self,
        topology: str,
        multicast: bool | None,
        seed: int,
        rates: Mapping[str, npt.NDArray[np.float64]],
    ) -> CompiledNetwork:
        net = self.network
        placed = place_network(
            PlacementNetwork(
                net.name,
                {p.name: p.size for p in net.populations},
                tuple(
                    Connection(p.source, p.target, p.weights, p.delay, p.rule is not None)
                    for p in sorted(net.projections, key=lambda p: p.teacher)
                ),
                {group.name: group.size for group in net.inputs},
                net.outputs,
                rates,
                self.whole,
                tuple(name for name in self.whole if net.inhibits(name)),
                self.shared,
            ),
            self.limits,
            topology=topology,
            multicast=multicast,
            seed=seed,
        )
        self.sparse = sparse_lanes(
            net,
            self.limits,
            lambda name: (
                placed.weights(part).astype(np.int16)
                for part in placed.parts
                if part.population == name and not part.convolution
                # in rows no axon can tell of other cores: where they are asked for, that is said
                if not part.inhibition_axon or self.limits.synapses != AUTO
            ),
        )
        # core by core
        cores = [self._core(placed, index) for index in np.argsort(placed.core).tolist()]
        chip = ChipParams(
            tuple(core for core, _ in cores),
            placed.plan.width,
            placed.plan.height,
            net.n_outputs,
            topology,
            placed.multicast,
            self.limits.fifo_depth,
            early_stop=self.limits.early_stop,
            tick_timer=self.limits.tick_timer,
        )
        image = ChipImage(tuple(contents for _, contents in cores))
        image.check(chip)
        return CompiledNetwork(
            net,
            chip,
            image,
            placed.routes,
            tuple(_layer(population, placed) for population in net.populations),
            placed.quality(seed=seed),
            self.limits,
        )

    def _core(self, placed: PlacedNetwork, index: int) -> tuple[CoreParams, CoreImage]:
        part = placed.parts[index]
        population, rule = (
            self.network.population(part.population),
            self.network.rule(part.population),
        )
        whole = population.name in self.whole
        lanes = self.limits.lanes_of(population.size, whole)
        convolution = part.convolution
        if convolution:
            lanes = lanes_of_channels(convolution.out_channels, self.limits.lanes)
        lanes = self.sparse.get(population.name, lanes)
        n_neurons = -(-len(part.neurons) // lanes) * lanes
        pipelines = min(self.limits.pipelines, lanes)
        if convolution:
            pipelines = pipelines_of_channels(convolution.out_channels, pipelines)
            n_neurons = convolution.n_neurons
        synapses, options = self._synapses(placed, index, n_neurons, lanes)
        if self.network.has_stochastic(population.name):
            if "stochastic" not in synapse_format(synapses).further_options:
                raise self.network.error(
                    f"population {population.name!r}: {synapses} synapses cannot be stochastic",
                    "compile with --synapses axon-types, or leave stochastic out of projections",
                )
            options = {**options, "stochastic": 1}
        weight_bits, weight_format = self._weight_width(population)
        try:
            core = CoreParams(
                n_axons=part.n_axons,
                n_neurons=n_neurons,
                neuron=population.neuron,
                weight_bits=weight_bits,
                weight_format=weight_format,
                weight_exponent=population.weight_exponent,
                potential_bits=self.bits[population.name],
                lanes=lanes,
                pipelines=pipelines,
                delay_slots=placed.delay_slots[index],
                list_entries=list_entries(placed.destinations[index]),
                weight_memory=self.limits.weight_memory,
                parameters=scopes(population.neuron, population.parameters),
                synapses=synapses,
                synapse_options=options,
                # idle neurons that stay at rest may start at any time
                first_tick=0
                if at_rest(population.neuron, population.parameters)
                else population.depth,
                learning=rule,
                spike_bits=self.network.arriving_bits(population.name),
                inhibition_axon=part.inhibition_axon,
                short_term=self.network.short_term(population.name),
                teacher_axons=self.network.teacher_axons(population.name),
                transmission=self.network.transmits(population.name),
                rest=self.limits.rest,
            )
            if whole and n_neurons > len(part.neurons):  # they would learn, or inhibit, too
                core = with_silent_spares(core)
        except SpikeletError as error:
            raise self.network.error(
                f"population {population.name!r}: {error.args[0]}", error.remedy
            ) from error
        return core, core_contents(
            core,
            self.network,
            population,
            part.neurons,
            placed.weights(part).astype(np.int16),
            placed.destinations[index],
        )

    def _synapses(
        self, placed: PlacedNetwork, index: int, n_neurons: int, lanes: int
    ) -> tuple[str, dict[str, int]]:
        """Return the synapse format of a core, and its options."""
        part = placed.parts[index]
        if part.convolution:
            return self.formats[part.population], part.convolution.options()
        name = "sparse" if part.population in self.sparse else other_format(self.limits)
        if not synapse_format(name).options:
            return name, {}
        matrix = np.zeros((part.n_axons, n_neurons), np.int16)
        matrix[: len(part.axons), : len(part.neurons)] = placed.weights(part)
        return name, synapse_format(name).options_of(lanes, matrix)

    def _weight_width(self, population: IntegerPopulation) -> tuple[int, str]:
        """Return bits and format that hold the weights of all projections into a population."""
        into = self.network.into(population.name)
        ranges = [p.weight_range for p in into] or [(0, 1)]
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        format_ = population.weight_format or ("signed" if low < 0 else "unsigned")
        if format_ == "binary":
            return 1, format_
        needed = max(2, signed_bits(low, high)) if format_ == "signed" else unsigned_bits(high)
        limit = population.weight_bits or 8
        if needed > limit:
            found = ", ".join(
                f"{r[0]}..{r[1]} in {p.title}" for p, r in zip(into, ranges, strict=True)
            )
            most = (
                f"{-(1 << (limit - 1))}..{(1 << (limit - 1)) - 1}"
                if format_ == "signed"
                else f"0..{(1 << limit) - 1}"
            )
            raise self.network.error(
                f"population {population.name!r}: weights and bounds {low}..{high} ({found}) need "
                f"{needed} bits; {limit} bits hold {most}",
                "narrow the weights or the rule's w_min and w_max, or inhibit by inhibition="
                if limit == 8
                else "narrow the weights or the rule's w_min and w_max, or give the weights more "
                "bits",
            )
        return population.weight_bits or needed, format_


def _layer(population: IntegerPopulation, placed: PlacedNetwork) -> PlacedLayer:
    slices: list[Slice] = []
    order: list[int] = []
    for core, part in zip(placed.core.tolist(), placed.parts, strict=True):
        if part.population == population.name:
            slices.append(Slice(core, len(order), len(part.neurons)))
            order += part.neurons.tolist()
    return PlacedLayer(
        population.name,
        population.depth,
        population.size,
        tuple(slices),
        None if order == sorted(order) else tuple(order),
    )
