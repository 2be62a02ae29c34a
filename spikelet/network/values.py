"""Values that describe integer networks: how they are checked and spread out."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikelet.description.checks import check_range
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel

__all__ = [
    "CONNECTIVITY",
    "drawn_weights",
    "int_in",
    "integer_parameters",
    "per_neuron",
    "synapses",
]

CONNECTIVITY = ("all_to_all", "one_to_one", "all_but_self")
"""Which synapses of a projection exist; the others have weight 0."""

_WIDEST = (-256, 255)
"""Of all weights that some core can hold."""


def int_in(what: str, value: object, low: int, high: int) -> int:
    """Return ``value``; SpikeletError, opened by ``what``, unless it is an int in low..high."""
    if type(value) is not int or not low <= value <= high:
        raise SpikeletError(f"{what} must be an int in {low}..{high}, not {value!r}")
    return value


def integers(what: str, given: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return ``given`` as int64; SpikeletError unless it holds whole numbers in an integer type."""
    try:
        found = np.asarray(given)
    except ValueError as error:
        raise SpikeletError(f"{what} must be integers, not {given!r}: {error}") from error
    if found.dtype.kind not in "iu":
        raise SpikeletError(f"{what} must be integers, not {found.dtype}: {given!r}")
    return found.astype(np.int64)


def per_neuron(
    what: str, given: npt.ArrayLike, size: int, low: int, high: int
) -> npt.NDArray[np.int32]:
    """Return one value for all neurons, shape (1,), or one for each, shape (size,)."""
    found = np.atleast_1d(integers(what, given))
    if found.shape not in ((1,), (size,)):
        raise SpikeletError(f"{what} must be one int or {size}, not of shape {found.shape}")
    check_range(what, found, low, high)
    return found.astype(np.int32)


def integer_parameters(
    model: NeuronModel, given: Mapping[str, npt.ArrayLike], size: int, potential_bits: int
) -> dict[str, npt.NDArray[np.int32]]:
    """Return parameters of a model's neurons, without those that have their default in all.

    Parameters
    ----------
    model : NeuronModel
    given : mapping of str to int, or array of int of shape (size,)
        In the core's own units.
    size : int
        Neurons.
    potential_bits : int

    Raises
    ------
    SpikeletError
        If the model has no such parameter, one without default is missing, or a value has another
        shape or is outside its range.
    """
    for name in given:
        model.parameter(name)
    constants = {p.name: p.default or 0 for p in model.parameters if p.constant}
    ordered = sorted(model.parameters, key=lambda p: not p.constant)  # these others' ranges need
    found = {}
    for parameter in ordered:
        name = parameter.name
        if name not in given:
            if parameter.default is None:
                raise SpikeletError(
                    f"{name} is missing", remedy=f"neurons of {model.name} have no default for it"
                )
            continue
        values = np.atleast_1d(integers(name, given[name]))
        if parameter.constant:
            constants[name] = int(values.flat[0])
        found[name] = values
    checked = {}
    for parameter in model.parameters:
        if parameter.name in found:
            low, high = model.range_of(parameter, potential_bits, constants)
            count = 1 if parameter.constant else size
            right = per_neuron(parameter.name, found[parameter.name], count, low, high)
            if not np.all(right == parameter.default):
                checked[parameter.name] = right
    return checked


def drawn_weights(
    what: str, given: npt.ArrayLike, shape: tuple[int, int], seed: list[int]
) -> npt.NDArray[np.int64]:
    """Return weights (n_source, n_target) from one for all, a range to draw from, or all.

    Parameters
    ----------
    what : str
        Opens messages.
    given : int, or (low, high), or array of int of that shape
    shape : tuple of int
    seed : list of int
        Of the draws, uniform over low..high, both included.
    """
    found = integers(what, given)
    if found.shape == (2,) and found[0] > found[1]:
        raise SpikeletError(f"{what}: a range must be (low, high), not {tuple(found.tolist())}")
    if found.shape not in ((), (2,), shape):
        raise SpikeletError(
            f"{what} must be an int, a range (low, high) or an array of shape {shape}, not of "
            f"shape {found.shape}"
        )
    check_range(what, found, *_WIDEST)
    if found.shape == (2,):
        low, high = found.tolist()
        return np.random.default_rng(seed).integers(low, high, size=shape, endpoint=True)
    return np.broadcast_to(found, shape)


def synapses(what: str, shape: tuple[int, int], connectivity: str) -> npt.NDArray[np.bool_]:
    """Return which synapses (n_source, n_target) exist; SpikeletError unless the sizes fit."""
    if connectivity not in CONNECTIVITY:
        raise SpikeletError(
            f"{what}: connectivity must be one of {', '.join(CONNECTIVITY)}, not {connectivity!r}"
        )
    if connectivity == "all_to_all":
        return np.ones(shape, np.bool_)
    if shape[0] != shape[1]:
        raise SpikeletError(
            f"{what}: {connectivity} needs equal sizes, not {shape[0]} and {shape[1]}"
        )
    diagonal = np.eye(shape[0], dtype=np.bool_)
    return diagonal if connectivity == "one_to_one" else ~diagonal
