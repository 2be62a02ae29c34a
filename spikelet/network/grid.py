"""Weights, thresholds and decays as a chip will hold them, for training on what they become."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.network.integer_layers import IntegerPopulation
from spikelet.network.integers import IntegerNetwork
from spikelet.network.layer_quantisation import LayerQuantisation
from spikelet.network.matrices import Matrix, by_column, dense
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.quantise import Bits, quantise

__all__ = ["grid", "in_real_numbers"]

_LAYER = "layer"

_WEIGHTS, _RECURRENT = "weights", "recurrent"
"""Arrays of a layer that are no parameters of its neurons."""

_MOST_PASSES = 8
"""What is on the grid is left as it is; a second pass finds it so, but for the last bit of a float
or a potential range that the first has moved."""


@overload
def grid(
    layer: Network,
    bits: Bits = ...,
    *,
    potential_bits: Bits | None = ...,
    calibration: npt.ArrayLike | None = ...,
    neuron_scales: bool = ...,
    decay_bits: Bits | None = ...,
    neuron: NeuronModel | str = ...,
) -> Network: ...


@overload
def grid(
    layer: Mapping[str, npt.ArrayLike],
    bits: Bits = ...,
    *,
    potential_bits: Bits | None = ...,
    calibration: npt.ArrayLike | None = ...,
    neuron_scales: bool = ...,
    decay_bits: Bits | None = ...,
    neuron: NeuronModel | str = ...,
) -> dict[str, npt.NDArray[Any]]: ...


@overload
def grid(
    layer: npt.ArrayLike,
    bits: Bits = ...,
    *,
    potential_bits: Bits | None = ...,
    calibration: npt.ArrayLike | None = ...,
    neuron_scales: bool = ...,
    decay_bits: Bits | None = ...,
    neuron: NeuronModel | str = ...,
) -> npt.NDArray[Any]: ...


def grid(
    layer: Network | Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    bits: Bits = 4,
    *,
    potential_bits: Bits | None = None,
    calibration: npt.ArrayLike | None = None,
    neuron_scales: bool = False,
    decay_bits: Bits | None = None,
    neuron: NeuronModel | str = "nir-euler",
) -> Network | dict[str, npt.NDArray[Any]] | npt.NDArray[Any]:
    """Round weights, thresholds, biases and decays to what a chip will hold, in their own units.

    It is :func:`spikelet.compile`'s quantisation, and back: on what it returns, compiled with the
    same options, the chip's integers times their units are the same numbers, and nothing is lost.
    What is on the grid, but for the rounding of float32 where it is that, is returned as it is.

    Parameters
    ----------
    layer : Network, mapping of str to array, or array
        A network. Or a layer's arrays: ``weights``, shape (outputs, inputs) as frameworks and NIR
        have them; if it feeds back to itself, ``recurrent``, (outputs, outputs); and parameters of
        its neurons by the model's names, such as ``threshold``, ``decay`` and ``bias``, each of one
        value or (outputs,). Without a threshold, and as an array alone, weights only.
    bits : int, or mapping of str to int for a network
        As ``weight_bits`` of :func:`quantise`.
    potential_bits, calibration, neuron_scales, decay_bits
        As for :func:`quantise`. Of a layer's arrays, calibration is its input spikes.
    neuron : NeuronModel or str
        Model of a layer's neurons.

    Returns
    -------
    Network, dict of array, or array
        As given; arrays of the shapes and, if floating-point, types given.

    Raises
    ------
    SpikeletError
        As :func:`quantise`, or if there are no weights, an array's shape does not fit, or the model
        has no such parameter.
    """
    options = {
        "potential_bits": potential_bits,
        "calibration": calibration,
        "neuron_scales": neuron_scales,
        "decay_bits": decay_bits,
    }
    if isinstance(layer, Network):
        return _fixed(layer, bits, options)
    if isinstance(layer, Mapping):
        return _arrays(layer, bits, options, neuron_model(neuron))
    return _arrays({_WEIGHTS: layer}, bits, options, neuron_model(neuron))[_WEIGHTS]


def in_real_numbers(network: IntegerNetwork) -> Network:
    """Return the float network that a quantised network is, its rounding apart.

    SpikeletError if it was not trained.
    """
    floats = network.floats
    if floats is None:
        raise network.error("it is in integers from the start", "quantise a trained network")
    layers = {stats.name: stats for stats in network.quantisation}
    populations = [
        _population(before, after, layers[before.name])
        for before, after in zip(floats.populations, network.populations, strict=True)
    ]
    projections = [
        _projection(before, after.weights, layers[before.target])
        for before, after in zip(floats.projections, network.projections, strict=True)
    ]
    return replace(floats, populations=tuple(populations), projections=tuple(projections))


def _population(
    before: Population, after: IntegerPopulation, stats: LayerQuantisation
) -> Population:
    parameters = {}
    for name, given in before.parameters.items():
        parameter = after.neuron.parameter(name)
        whole = after.parameters.get(name, np.array([parameter.default or 0]))
        unit = np.ones(1)
        if parameter.kind == "membrane":
            unit = stats.lsb
        elif parameter.kind == "fraction":
            unit = np.array([1 / parameter.one])
        values = _values(whole, unit)
        parameters[name] = np.broadcast_to(values, np.broadcast_shapes(values.shape, given.shape))
    return replace(before, parameters=parameters)


def _projection(before: Projection, weights: Matrix, stats: LayerQuantisation) -> Projection:
    unit, convolution = stats.weight_unit, before.convolution
    if convolution is not None:
        channels = np.broadcast_to(unit, (weights.shape[1],))
        channels = channels.reshape(convolution.output_shape[0], -1)[:, 0]
        kernel = convolution.kernel_of(dense(weights)).astype(np.float64)
        convolution = replace(convolution, kernel=kernel).scaled(channels)
    values = by_column(weights.astype(np.float64), np.multiply, unit)
    return replace(before, weights=values, convolution=convolution)


def _values(whole: npt.NDArray[Any], unit: FloatArray) -> FloatArray:
    return np.asarray(whole.astype(np.float64) * unit, np.float64)


def _fixed(network: Network, bits: Bits, options: Mapping[str, Any]) -> Network:
    """Return the network on the grid on which it stays."""
    for _ in range(_MOST_PASSES):
        found = in_real_numbers(quantise(network, bits, **options))
        if found.digest == network.digest:
            break
        network = found
    return network


def _arrays(
    given: Mapping[str, npt.ArrayLike], bits: Bits, options: Mapping[str, Any], model: NeuronModel
) -> dict[str, npt.NDArray[Any]]:
    """Return a layer's arrays on the grid on which they stay in their own types."""
    arrays = {name: _floating(name, values) for name, values in given.items()}
    if _WEIGHTS not in arrays:
        raise SpikeletError(
            f"grid: {_WEIGHTS} are missing, found {', '.join(arrays) or 'nothing'}",
            remedy=f"give {_WEIGHTS} of shape (outputs, inputs)",
        )
    for _ in range(_MOST_PASSES):
        found = in_real_numbers(quantise(_network(arrays, model), bits, **options))
        now = _told(found, arrays)
        if all(_same(now[name], arrays[name]) for name in arrays):
            break
        arrays = now
    return arrays


def _same(now: npt.NDArray[Any], before: npt.NDArray[Any]) -> bool:
    """Return whether arrays differ in no more than the rounding of a narrow float."""
    if now.shape != before.shape:
        return False
    few = 16 * np.finfo(now.dtype).eps if now.dtype.itemsize < 8 else 0.0
    return bool(np.allclose(now, before, rtol=few, atol=0))


def _floating(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        found = np.asarray(values)
        return found if found.dtype.kind == "f" else found.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SpikeletError(
            f"grid: {name} must be an array of real numbers: {error}",
            remedy="of a torch tensor, give tensor.detach().cpu().numpy()",
        ) from None


def _network(arrays: Mapping[str, npt.NDArray[Any]], model: NeuronModel) -> Network:
    """Return the network of one layer."""
    weights = arrays[_WEIGHTS]
    if weights.ndim < 2 or 0 in weights.shape:
        raise SpikeletError(
            f"grid: {_WEIGHTS} must have shape (outputs, inputs), or be a kernel (outputs, inputs, "
            f"...), not {weights.shape}"
        )
    size = len(weights)
    matrix = weights.reshape(size, -1).T.astype(np.float64)
    parameters = {
        name: np.atleast_1d(values.astype(np.float64))
        for name, values in arrays.items()
        if name not in (_WEIGHTS, _RECURRENT)
    }
    if "threshold" in model.parameter_names and "threshold" not in parameters:
        parameters["threshold"] = np.full(1, np.abs(matrix).max() or 1.0)
    projections = [Projection(INPUT, _LAYER, matrix)]
    if _RECURRENT in arrays:
        projections.append(Projection(_LAYER, _LAYER, arrays[_RECURRENT].astype(np.float64).T))
    layer = Population(_LAYER, size, model, parameters)
    return Network("grid", len(matrix), None, (layer,), tuple(projections), (_LAYER,))


def _told(network: Network, given: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return a network of one layer as arrays, in the shapes and types given."""
    (layer,), found = network.populations, dict[str, npt.NDArray[Any]]()
    for name, old in given.items():
        if name in (_WEIGHTS, _RECURRENT):
            into = network.projections[name == _RECURRENT]
            values = dense(into.weights).T.reshape(old.shape)
        else:
            values = layer.parameters[name]
            values = values.reshape(old.shape) if values.size == old.size else values
        found[name] = values.astype(old.dtype)
    return found
