"""What the parameters of a population's neurons are in a core."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel

__all__ = [
    "drawing",
    "kept_states",
    "loaded_parameters",
    "scopes",
    "with_silent_spares",
]

IntArray = npt.NDArray[np.int32]

_THRESHOLD = "threshold"
"""The parameter that keeps a neuron silent where it is out of reach."""


def scopes(model: NeuronModel, parameters: Mapping[str, IntArray]) -> dict[str, str | int]:
    """Return how a core has parameters, as :class:`CoreParams` wants them.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to array of int32, shape (1,) or (size,)
        Those that differ from the model's defaults.
    """
    found: dict[str, str | int] = {}
    for name, values in parameters.items():
        if model.parameter(name).constant:
            found[name] = int(values[0])
        else:
            found[name] = "shared" if len(values) == 1 else "neuron"
    return found


def with_silent_spares(core: CoreParams) -> CoreParams:
    """Return the core with a threshold for each neuron, so that spare ones never spike.

    Neurons are spare that only fill the last lanes.

    SpikeletError if the spikes of spare neurons would inhibit others, and the model has no
    threshold.
    """
    if _THRESHOLD in core.update.parameters:
        return replace(core, parameters={**core.parameters, _THRESHOLD: "neuron"})
    if "inhibited" in core.update.inputs:
        raise SpikeletError(
            f"the neurons of model {core.neuron.name!r} have no threshold that would keep those "
            f"silent that only fill the last of {core.lanes} lanes",
            remedy="choose lanes of which the neurons are a multiple",
        )
    return core


def loaded_parameters(
    core: CoreParams,
    parameters: Mapping[str, IntArray],
    neurons: npt.NDArray[np.integer],
) -> dict[str, IntArray]:
    """Return the parameters that are loaded into a core.

    Parameters
    ----------
    core : CoreParams
    parameters : mapping of str to array of int32, shape (1,) or (size,)
        Of the population.
    neurons : array of int, shape (n,)
        Those of its neurons that are in the core, in the core's order; the rest is spare.
    """
    found = {}
    for name, (low, high) in core.parameter_ranges.items():
        values = parameters[name]
        if core.scope(name) == "neuron":
            filler = high if name == _THRESHOLD else min(max(low, 0), high)
            spread = np.full(core.n_neurons, filler, np.int32)
            spread[: len(neurons)] = values if len(values) == 1 else values[neurons]
            values = spread
        found[name] = values
    return found


def kept_states(
    core: CoreParams, given: Mapping[str, IntArray], neurons: npt.NDArray[np.integer]
) -> dict[str, IntArray]:
    """Return the first values of the states that ``clear`` keeps: 0, or what is next to it.

    Parameters
    ----------
    core : CoreParams
    given : mapping of str to array of int32, shape (size,)
        Of the population, where they are others.
    neurons : array of int, shape (n,)
        As for :func:`loaded_parameters`.
    """
    found = {}
    for name in core.update.kept:
        low, high = core.state_ranges[name]
        found[name] = np.full(core.n_neurons, min(max(low, 0), high), np.int32)
        if name in given:
            found[name][: len(neurons)] = given[name][neurons]
    return found


def drawing(
    core: CoreParams, draw_key: int, first: int, neurons: npt.NDArray[np.integer]
) -> tuple[int, IntArray]:
    """Return draw key and draw indices of a core: 0 and none where its model does not draw.

    Parameters
    ----------
    core : CoreParams
    draw_key : int
        1..2**32 - 1.
    first : int
        Number of the population's first neuron in the network.
    neurons : array of int, shape (n,)
        As for :func:`loaded_parameters`.
    """
    if not core.update.draws:
        return 0, np.zeros(0, np.int32)
    indices = np.zeros(core.n_neurons, np.int32)
    indices[: len(neurons)] = first + neurons
    return draw_key, indices
