"""What is loaded into a core: weights, parameters and states of the neurons that it has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.compiler.neuron_parameters import drawing, kept_states, loaded_parameters
from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import CoreImage, random_states
from spikelet.network.integers import IntegerNetwork, IntegerPopulation, IntegerProjection

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
    plastic = np.zeros(0, np.bool_)
    weights = np.full((core.n_axons, core.n_neurons), int(core.weight_format == "binary"), np.int16)
    if rule:
        plastic = np.concatenate(
            [np.full(network.sizes[p.source], p.rule is not None) for p in into]
        )
        weights[plastic] = min(max(0, rule.w_min), rule.w_max)  # as near to 0 as it allows
    weights[: len(matrix), : len(neurons)] = matrix
    number = [p.name for p in network.populations].index(population.name)
    seed = int(np.random.SeedSequence([network.seed, number]).generate_state(1)[0])
    draw_key, draw_indices = drawing(
        core, network.draw_key, network.first_neuron(population.name), neurons
    )
    return CoreImage(
        weights=core.synapse_format.stored(core, weights, f"layer {population.name!r}"),
        destinations=destinations,
        parameters=loaded_parameters(core, population.parameters, neurons),
        states=kept_states(core, population.states, neurons),
        plastic=plastic,
        tags=np.zeros(weights.shape if rule and rule.tag_bits else (0, 0), np.int8),
        random=random_states(core.lanes if rule and rule.stochastic else 0, seed),
        **_devices(core, weights, plastic, into),
        draw_key=draw_key,
        draw_indices=draw_indices,
    )


def _devices(
    core: CoreParams,
    weights: npt.NDArray[np.int16],
    plastic: npt.NDArray[np.bool_],
    into: Sequence[IntegerProjection],
) -> dict[str, Any]:
    """Return the devices of a core, and the one that its first tick programs."""
    devices = core.learning.devices if core.learning else None
    if devices is None:
        return {}
    codes = devices.codes(level=devices.shared(weights) * plastic[:, None])
    first = 0
    for projection in into:
        last = first + projection.weights.shape[0]
        if projection.devices is not None:
            codes[:, first:last, : projection.devices.shape[2]] = projection.devices
        first = last
    return {"devices": codes, "selected": np.zeros(1, np.int32)}
