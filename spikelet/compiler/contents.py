"""What is loaded into a core: weights, parameters and states of the neurons that it has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.neuron_parameters import drawing, kept_states, loaded_parameters
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage, random_states
from spikelet.description.chip.transmission import CERTAIN
from spikelet.network.integer_layers import IntegerPopulation, IntegerProjection
from spikelet.network.integers import IntegerNetwork

__all__ = ["core_contents"]


def core_contents(
    core: CoreParams,
    network: IntegerNetwork,
    population: IntegerPopulation,
    neurons: npt.NDArray[np.int64],
    matrix: npt.NDArray[np.int16],
    destinations: npt.NDArray[np.int32],
) -> CoreImage:
    """Return the contents of a core.

    Parameters
    ----------
    core : CoreParams
    network : IntegerNetwork
    population : IntegerPopulation
        Whose neurons the core has.
    neurons : array of int64, shape (n,)
        Those in the core, in its order; what it has beyond them is spare.
    matrix : array of int16, shape (axons, n)
        Weights; axons beyond them are nobody's.
    destinations : array of int32, shape (n, 6)
        As for :class:`CoreImage`.

    Raises
    ------
    SpikeletError
        If the core's synapse format cannot store the weights.
    """
    rule, into = core.learning, network.into(population.name)
    plastic, scaled, second = (np.zeros(0, np.bool_) for _ in range(3))
    weights = np.full((core.n_axons, core.n_neurons), int(core.weight_format == "binary"), np.int16)
    if rule:
        plastic = _axons_of(core, network, into, [p.rule is not None for p in into])
        rules = network.rules(population.name)
        if len(rules) > 1:
            second = _axons_of(core, network, into, [p.rule == rules[1] for p in into])
        elif "b" in rule.variables:  # the first rule of a text of two
            second = np.zeros(core.n_axons, np.bool_)
        weights[plastic] = min(max(0, rule.w_min), rule.w_max)  # as near to 0 as it allows
    if core.short_term:
        scaled = _axons_of(core, network, into, [p.short_term is not None for p in into])
    weights[: len(matrix), : len(neurons)] = matrix
    if core.synapse_draws:
        drawing_axons = _axons_of(core, network, into, [p.stochastic for p in into])
        weights = core.synapse_format.by_chance(weights, drawing_axons[:, None] & (weights != 0))
    number = [p.name for p in network.populations].index(population.name)
    first = int(neurons[0])  # cores of the same population draw differently
    sources = [network.seed, number, first] if first else [network.seed, number]
    seed = int(np.random.SeedSequence(sources).generate_state(1)[0])
    draw_key, draw_indices = drawing(
        core, network.draw_key, network.first_neuron(population.name), neurons
    )
    format, seeds = core.synapse_format, [network.draw_key, number, first]
    stored = format.stored(core, weights, f"layer {population.name!r}")
    return CoreImage(
        weights=format.keyed(core, stored, _own_key(seeds)),
        destinations=destinations,
        parameters=loaded_parameters(core, population.parameters, neurons),
        states=kept_states(core, population.states, neurons),
        plastic=plastic,
        tags=np.zeros(weights.shape if rule and rule.tag_bits else (0, 0), np.int8),
        random=random_states(core.lanes if rule and rule.stochastic else 0, seed),
        **_devices(core, weights, plastic, into, neurons),
        draw_key=draw_key,
        draw_indices=draw_indices,
        short_term=scaled,
        rule_bits=second,
        **_transmission(core, network, into, seeds),
    )


def _transmission(
    core: CoreParams,
    network: IntegerNetwork,
    into: Sequence[IntegerProjection],
    seeds: Sequence[int],
) -> dict[str, Any]:
    """Return the chances of a core's axons and its own key, if it transmits stochastically."""
    if not core.transmission:
        return {}
    chances = np.full(core.n_axons, CERTAIN, np.int32)
    given = np.repeat([p.transmission for p in into], [network.sizes[p.source] for p in into])
    chances[: given.size] = given
    return {"transmission": chances, "transmission_key": _own_key(seeds)}


def _own_key(seeds: Sequence[int]) -> int:
    """Return what the draws of a core's axons or synapses start from: 1..2**32 - 1."""
    return max(1, int(np.random.SeedSequence(seeds).generate_state(1)[0]))


def _axons_of(
    core: CoreParams,
    network: IntegerNetwork,
    into: Sequence[IntegerProjection],
    marks: Sequence[bool],
) -> npt.NDArray[np.bool_]:
    """Return the marks of projections for their axons, in a core that has all of them."""
    found = np.zeros(core.n_axons, np.bool_)  # an inhibition axon is nobody's
    sizes = [network.sizes[p.source] for p in into]
    found[: sum(sizes)] = np.repeat(np.array(marks, np.bool_), sizes)
    return found


def _devices(
    core: CoreParams,
    weights: npt.NDArray[np.int16],
    plastic: npt.NDArray[np.bool_],
    into: Sequence[IntegerProjection],
    neurons: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return the devices of a core, and the one that its first tick programs."""
    devices = core.learning.devices if core.learning else None
    if devices is None:
        return {}
    codes = devices.joined(level=devices.shared(weights) * plastic[:, None])
    first = 0
    for projection in into:
        last = first + projection.weights.shape[0]
        if projection.devices is not None:
            codes[:, first:last, : len(neurons)] = projection.devices[..., neurons]
        first = last
    return {"devices": codes, "selected": np.zeros(1, np.int32)}
