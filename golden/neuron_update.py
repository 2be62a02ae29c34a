"""Golden model of the neuron update: reads the model's text. Twin of ``rtl_gen/neuron_update.py``.

Every line of the text is computed as it stands, but once only where nothing in it changes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.expression import Constant, Name, Node, names
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.text import Line

__all__ = ["changing_lines", "neuron_update"]

_Int = npt.NDArray[np.int64]


def changing_lines(
    model: NeuronModel, built: Collection[str], fixed: dict[str, _Int]
) -> tuple[Line, ...]:
    """Return what of a text must be computed in every tick.

    Parameters
    ----------
    model : NeuronModel
    built : collection of str
        The states that can have more than one value.
    fixed : dict of array of int64
        What never changes, by name: parameters, the other states. What follows from them is added.
    """
    lines = []
    for line in model.lines:
        changing = []
        for assignment in line:
            if assignment.name in built or {n.name for n in names(assignment.value)} - set(fixed):
                changing.append(assignment)
            else:
                fixed[assignment.name] = _value(assignment.value, fixed)
        lines.append(tuple(changing))
    one_value = set(model.state_names) - set(built)
    return tuple(tuple(a for a in line if a.name not in one_value) for line in lines)


def neuron_update(
    model: NeuronModel, values: Mapping[str, _Int], lines: Sequence[Line] | None = None
) -> dict[str, _Int]:
    """Advance neurons by one tick.

    Parameters
    ----------
    model : NeuronModel
    values : mapping of array of int64
        States, parameters and inputs of the text, ``v_min`` and ``v_max``, by name; of shapes that
        can be broadcast to each other. Within the ranges that the core was built for nothing
        overflows.
    lines : sequence of Line, or None
        Those that are to be computed, if not all: the others' values are among ``values``.

    Returns
    -------
    dict of array of int64
        The states after the tick.
    """
    now = dict(values)
    for line in model.lines if lines is None else lines:
        now |= {assignment.name: _value(assignment.value, now) for assignment in line}
    return {name: now[name] for name in model.state_names}


def _value(node: Node, values: Mapping[str, _Int]) -> _Int:
    if isinstance(node, Constant):
        return np.int64(node.value)  # type: ignore[return-value]
    if isinstance(node, Name):
        return values[node.name]
    arguments = [_value(argument, values) for argument in node.arguments]
    return np.asarray(_OPERATORS[node.operator](*arguments), np.int64)


def _nearest(value: _Int, bits: _Int) -> Any:
    return (value + (np.int64(1) << bits >> 1)) >> bits


def _truncate(value: _Int, bits: _Int) -> Any:
    """Round up below 0: ``>>`` rounds down."""
    return (value + np.where(value < 0, (np.int64(1) << bits) - 1, 0)) >> bits


def _chance(value: _Int, bits: _Int, draw: _Int) -> Any:
    return (value + (draw & ((np.int64(1) << bits) - 1))) >> bits


def _table(index: _Int, *values: _Int) -> Any:
    return np.stack(values)[index]


_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "&": np.bitwise_and,
    "<<": np.left_shift,
    ">>": np.right_shift,
    "negative": np.negative,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "not": lambda value: 1 - value,
    "where": lambda condition, a, b: np.where(condition != 0, a, b),
    "clamp": lambda value, low, high: np.minimum(np.maximum(value, low), high),
    "least": np.minimum,
    "most": np.maximum,
    "abs": np.abs,
    "sign": np.sign,
    "nearest": _nearest,
    "truncate": _truncate,
    "chance": _chance,
    "table": _table,
}
