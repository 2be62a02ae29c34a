"""Each neuron in a unit of its own: its weights and membrane values divided by one number.

A neuron whose weights, threshold, bias and other membrane values are all multiplied by one number
spikes at the same ticks. A folded batch normalisation, or a conversion, leaves neurons in different
units, which would else have to share one weight scale.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from spikelet.network.matrices import Matrix, by_column, some_columns, stacked, stored, zeros_of
from spikelet.network.network import FloatArray, Network, Population, Projection
from spikelet.network.scale import column_scales, grid_step, shortened

__all__ = ["THRESHOLD", "neuron_units", "normalised"]

THRESHOLD = "threshold"
"""The parameter in which neurons become equal."""

_SPREAD = 16.0
"""How far above the others a threshold may be, in weight units, where each neuron has a scale."""

_AS_GIVEN = np.ones(1)


def normalised(
    network: Network, weight_bits: Mapping[str, int], *, neuron_scales: bool = False
) -> tuple[Network, dict[str, FloatArray]]:
    """Return the network with each neuron in its unit, and the units by population.

    Parameters
    ----------
    network : Network
    weight_bits : mapping of str to int
        Of each population.
    neuron_scales : bool
        As for :func:`neuron_units`.

    Returns
    -------
    Network
        The same spikes; a potential is that of ``network`` divided by the neuron's unit.
    dict of str to array of float64
        Shape (1,), of 1, where all neurons are as they were, else (size,).
    """
    units = {
        population.name: neuron_units(
            population, network.into(population.name), weight_bits[population.name], neuron_scales
        )
        for population in network.populations
    }
    if all(len(found) == 1 for found in units.values()):
        return network, units
    changed = replace(
        network,
        populations=tuple(_population(p, units[p.name]) for p in network.populations),
        projections=tuple(_projection(p, units[p.target]) for p in network.projections),
    )
    return changed, units


def neuron_units(
    population: Population,
    into: list[Projection],
    weight_bits: int,
    neuron_scales: bool = False,
) -> FloatArray:
    """Return the unit of each neuron: what its weights and membrane values are to be divided by.

    Neurons of one threshold stay as they are: the threshold is one register of the core. Where
    thresholds differ, all weights that lie on one grid stay as they are, too. Otherwise thresholds
    become equal, and one register again, unless each neuron's weights lie on a grid of its own,
    and dividing by the thresholds would leave it. Neurons of a channel of a convolution share a
    unit, as they share a kernel.

    Parameters
    ----------
    population : Population
    into : list of Projection
        All that lead to it.
    weight_bits : int
    neuron_scales : bool
        Whether each neuron's weights get the scale that suits them best, whatever its threshold
        becomes: a memory of thresholds instead of a register.

    Returns
    -------
    array of float64, shape (1,) or (size,)
        1 where there is nothing to gain, and for a model with an ``lsb``, without a threshold, or
        with values that do not scale with the weights.
    """
    if not _scales(population):
        return _AS_GIVEN
    weights = stacked([projection.weights for projection in into])
    thresholds = population.values(THRESHOLD)
    differ = len(thresholds) > 1 and bool(np.ptp(thresholds))
    thresholds = np.broadcast_to(thresholds, (population.size,))
    if not stored(weights).any() or (differ and _on_grid(weights, weight_bits)):
        return _AS_GIVEN
    if neuron_scales and not _on_grid(weights, weight_bits):
        steps = _own_steps(weights, weight_bits)
        best = [column_scales(some, weight_bits) for some in some_columns(weights)]
        scales = np.where(steps > 0, steps, np.concatenate(best))
        return _relative(_of_channels(_bounded(scales, thresholds), into))
    if not differ:
        return _AS_GIVEN
    units = _relative(_of_channels(thresholds, into))
    if not _on_grid(by_column(weights, np.divide, units), weight_bits):
        steps = _bounded(_own_steps(weights, weight_bits), thresholds)
        own = _relative(_of_channels(steps, into))
        if _on_grid(by_column(weights, np.divide, own), weight_bits):
            return own
    return units


def _scales(population: Population) -> bool:
    """Return whether all that neurons are given scales with their weights."""
    model = population.neuron
    if model.lsb is not None or THRESHOLD not in model.parameter_names:
        return False
    for parameter in model.parameters:
        given = population.parameters.get(parameter.name)
        usual = parameter.default or 0
        if parameter.kind == "absolute" and given is not None and np.any(given != usual):
            return False
        if parameter.kind == "membrane" and given is None and usual:
            return False
    return True


def _population(population: Population, units: FloatArray) -> Population:
    if len(units) == 1:
        return population
    parameters = dict(population.parameters)
    for parameter in population.neuron.parameters:
        if parameter.kind == "membrane" and parameter.name in parameters:
            parameters[parameter.name] = parameters[parameter.name] / units
    thresholds = parameters[THRESHOLD]
    if np.ptp(thresholds) <= 1e-6 * thresholds.max():  # units are rounded
        parameters[THRESHOLD] = np.median(thresholds, keepdims=True)
    return replace(population, parameters=parameters)


def _projection(projection: Projection, units: FloatArray) -> Projection:
    if len(units) == 1:
        return projection
    found = projection.convolution
    if found is not None:
        channels = units.reshape(found.output_shape[0], -1)[:, 0]
        found = found.scaled(1 / channels)
    weights = by_column(projection.weights, np.divide, units)
    return replace(projection, weights=weights, convolution=found)


def _of_channels(values: FloatArray, into: list[Projection]) -> FloatArray:
    """Return values of neurons, one for all of a channel where a convolution leads to them."""
    for projection in into:
        found = projection.convolution
        if found is not None:
            channels = values.reshape(found.output_shape[0], -1)
            values = found.per_value(np.median(channels, axis=1))
    return values


def _relative(values: FloatArray) -> FloatArray:
    """Return values as multiples of the one in the middle.

    They are rounded, so that those of a network that is in such units are the same to the last bit.
    """
    middle = np.sort(values)[(len(values) - 1) // 2]
    return shortened(values / middle)


def _on_grid(weights: Matrix, bits: int) -> bool:
    """Return whether one step suits all weights, which are not all 0."""
    values = stored(weights)
    return grid_step(np.append(values, 0.0) if zeros_of(weights) else values, bits) is not None


def _own_steps(weights: Matrix, bits: int) -> FloatArray:
    """Return the grid step of each neuron's weights, 0 if they are on none."""
    columns = (column for some in some_columns(weights) for column in some.T)
    steps = [grid_step(column, bits) if column.any() else None for column in columns]
    return np.array([step or 0.0 for step in steps])


def _bounded(scales: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Return scales of neurons, so that their thresholds in weight units are not too far apart.

    A neuron without weights gets a scale as the others have.
    """
    used = scales > 0
    if not used.any():
        return thresholds
    usual = float(np.median(thresholds[used] / scales[used]))
    return np.maximum(scales, thresholds / (_SPREAD * usual) * np.where(used, 1, _SPREAD))
