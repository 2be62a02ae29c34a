"""A neuron model's text in real numbers: rounding and clamping off."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.expression import Constant, Name, Node, Operation, names
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.text import DRAWN
from spikelet.network.network import FloatArray, Population

__all__ = ["FloatUpdate", "at_rest", "rises_alone"]

Values = npt.NDArray[Any]

_FEW_TICKS = 16

_DRAWS = {"draw", DRAWN}


class FloatUpdate:
    """What a tick does to the neurons of a population.

    The potential has no ends, so that ``clamp(x)`` changes nothing; shifts to the right and all
    roundings are exact divisions; a fraction is its factor times 4096, which the text divides away
    again. In a model with an ``lsb`` all is in potential LSBs, since its text holds constants that
    are; without one, in the unit of the weights.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to array, shape (1,) or (size,)
        As the text reads them.

    Attributes
    ----------
    states : dict of str to array of float64, shape () or (samples, size)
        After the last tick; 0 before the first.
    lowest, highest : float
        Extremes of what the potential's register had to hold: all that is clamped, and the states
        that are membrane values.
    """

    def __init__(self, model: NeuronModel, parameters: Mapping[str, Values]) -> None:
        self.model = model
        self.given: dict[str, Values] = {
            "v_min": np.array(-np.inf),
            "v_max": np.array(np.inf),
            "learning": np.array(0.0),
        }
        for name, values in parameters.items():
            spread = values.astype(np.float64)
            self.given[name] = spread[0] if len(spread) == 1 else spread
        self.states: dict[str, Values] = {name: np.array(0.0) for name in model.state_names}
        self.lowest = self.highest = 0.0

    @classmethod
    def of(cls, population: Population) -> "FloatUpdate":
        """Return the update of a population, from its parameters in real numbers."""
        return cls(
            population.neuron,
            {
                parameter.name: population.values(parameter.name) * population.unit(parameter)
                for parameter in population.neuron.parameters
            },
        )

    def tick(self, current: FloatArray, draw: Callable[[], Values]) -> None:
        """Go on by a tick.

        Parameters
        ----------
        current : array of float64, shape (samples, size)
            What arrives, as the text reads it.
        draw : callable
            Returns the tick's draws, 0..65535, shape (size,); called if the text reads them.
        """
        fired = self.states["fired"]
        inputs = {
            "current": lambda: current,
            "inhibited": lambda: _others(fired, current.shape),
            "teacher": lambda: np.zeros_like(current),  # of no float network
            "draw": draw,
        }
        known = {**self.given, **self.states}
        with np.errstate(invalid="ignore"):  # a branch that is not taken
            for line in self.model.lines:
                found = {}
                for assignment in line:
                    found[assignment.name] = self._value(assignment.value, known, inputs)
                known |= found
        self.states = {name: np.asarray(known[name], np.float64) for name in self.states}
        for state in self.model.states:
            if state.kind == "membrane":
                self._held(self.states[state.name])

    def _held(self, values: Values) -> None:
        self.lowest = min(self.lowest, float(values.min(initial=0.0)))
        self.highest = max(self.highest, float(values.max(initial=0.0)))

    def _value(
        self, node: Node, known: Mapping[str, Values], inputs: Mapping[str, Callable[[], Values]]
    ) -> Values:
        if isinstance(node, Constant):
            return np.array(float(node.value))
        if isinstance(node, Name):
            return known[node.name] if node.name in known else inputs[node.name]()
        if node.operator == "where":
            return self._chosen(node, known, inputs)
        if node.operator == "clamp" and node.arguments[1:] == (Name("v_min"), Name("v_max")):
            value = self._value(node.arguments[0], known, inputs)
            self._held(value)
            return value
        arguments = [self._value(a, known, inputs) for a in node.arguments if a != Name(DRAWN)]
        return np.asarray(_OPERATORS[node.operator](*arguments))

    def _chosen(
        self,
        node: Operation,
        known: Mapping[str, Values],
        inputs: Mapping[str, Callable[[], Values]],
    ) -> Values:
        condition, *branches = node.arguments
        then, otherwise = (self._value(branch, known, inputs) for branch in branches)
        if then.ndim == otherwise.ndim == 0 and then == otherwise:  # spares an unused condition
            return then
        chosen = self._value(condition, known, inputs)
        if chosen.ndim == 0:
            return then if chosen else otherwise
        return np.where(chosen != 0, then, otherwise)


def at_rest(model: NeuronModel, parameters: Mapping[str, Values]) -> bool:
    """Return whether neurons that get no input stay as ``clear`` leaves them.

    True only if that is certain: not for a text that draws.

    Parameters
    ----------
    model : NeuronModel
    parameters : mapping of str to array, shape (1,) or (size,)
        In a core's integers; those that are not there have their defaults.
    """
    if _draws(model):
        return False
    update, size = _in_integers(model, parameters)
    update.tick(np.zeros((1, size)), lambda: np.zeros(size))
    return all(not values.any() for values in update.states.values())


def rises_alone(model: NeuronModel, parameters: Mapping[str, Values]) -> bool:
    """Return whether a potential rises above 0 without input within a few ticks.

    Parameters are as for :func:`at_rest`; of a text that draws, yes.
    """
    if _draws(model):
        return True
    update, size = _in_integers(model, parameters)
    for _ in range(_FEW_TICKS):
        update.tick(np.zeros((1, size)), lambda: np.zeros(size))
        if (update.states["v"] > 0).any():
            return True
    return False


def _draws(model: NeuronModel) -> bool:
    return any(name.name in _DRAWS for line in model.lines for a in line for name in names(a.value))


def _in_integers(model: NeuronModel, parameters: Mapping[str, Values]) -> tuple[FloatUpdate, int]:
    """Return the update of neurons with a core's parameters, and how many there are."""
    given = {p.name: np.array([p.default or 0]) for p in model.parameters} | dict(parameters)
    return FloatUpdate(model, given), max((len(v) for v in given.values()), default=1)


def _others(fired: Values, shape: tuple[int, ...]) -> Values:
    """Return where another neuron fired and this one did not."""
    spread = np.broadcast_to(fired, shape)
    others: Values = spread.any(axis=1, keepdims=True) & (spread == 0)
    return others


def _table(index: Values, *values: Values) -> Values:
    places = np.clip(np.floor(index), 0, len(values) - 1).astype(np.int64)
    found: Values = np.array([float(value) for value in values])[places]
    return found


def _divided(value: Values, bits: Values) -> Values:
    return np.ldexp(value, -bits.astype(np.int64))


_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "&": lambda a, b: np.floor(a).astype(np.int64) & np.floor(b).astype(np.int64),
    "negative": np.negative,
    "<<": lambda value, bits: np.ldexp(value, bits.astype(np.int64)),
    ">>": _divided,
    "nearest": _divided,
    "truncate": _divided,
    "chance": _divided,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "clamp": lambda value, low, high: np.minimum(np.maximum(value, low), high),
    "least": np.minimum,
    "most": np.maximum,
    "abs": np.abs,
    "sign": np.sign,
    "table": _table,
}
"""What the operators of a text are here; comparisons give bool, which counts as 0 and 1."""
