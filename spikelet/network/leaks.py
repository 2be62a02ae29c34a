"""How far the rounding of a leak, of its constant and in every tick, changes its time constant.

A core multiplies a state by a fraction in 1/4096 and rounds the product to a whole LSB in every
tick. A potential that would lose less than half an LSB in a tick stays where it is for ever.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import exp, inf, log
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.expression import Constant, Name, Node, Operation
from spikelet.description.neurons.model import NeuronModel, Parameter
from spikelet.network.network import Population

__all__ = ["Leak", "leak_parameters", "measured_leaks"]

TIME_CONSTANTS = 3
"""After so many, what is left is looked at: in real numbers, 5 %."""

MOST_LEFT = 0.1
"""The largest share that may be left then of a leak that is said to act."""

_FAR_OFF = 1.25
"""Ratio of time constants from which a leak is said to be another."""

_MOST_TICKS = 1 << 18
_KINDS = 32
"""Pairs of decay and threshold that are followed; of more, some spread over all."""

IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Leak:
    """What became of a leak of a layer, in the neuron where it changed most.

    Time constants are in ticks: ``-1 / ln(factor)``. What falls is a state that begins at half the
    threshold, without input.

    Parameters
    ----------
    parameter : str
        The factor from tick to tick, a fraction.
    neuron : int
    wanted : float
        Time constant of the float network.
    stored : float
        Time constant of the factor in 1/4096.
    found : float or None
        Time constant of the integers, on average over the first one; None if they do not fall.
    left : float
        Share of the beginning that the integers hold after three wanted time constants; 0.05 in
        real numbers.
    """

    parameter: str
    neuron: int
    wanted: float
    stored: float
    found: float | None
    left: float

    @property
    def acts(self) -> bool:
        """Whether rounding leaves the leak about what it was."""
        return self.left <= MOST_LEFT and self.found is not None and self.close(self.found)

    def close(self, other: float) -> bool:
        """Whether a time constant is about the wanted one; below a tick all are."""
        return 1 / _FAR_OFF <= max(other, 1.0) / max(self.wanted, 1.0) <= _FAR_OFF


def leak_parameters(model: NeuronModel) -> Iterator[tuple[Parameter, str, int]]:
    """Yield each fraction by which a state decays, the rounding of the product, and its bits.

    Found in the text: a product of the fraction and of a value that is no parameter, in a
    ``nearest``, ``truncate``, ``chance`` or ``>>`` by a constant. None in a model with an ``lsb``,
    whose products are parts of an equation.
    """
    if model.lsb is not None:
        return
    fractions = {p.name: p for p in model.parameters if p.kind == "fraction"}
    products: dict[str, Parameter] = {}
    for line in model.lines:
        for assignment in line:
            for node in _nodes(assignment.value):
                found = _factor(node, fractions, model)
                if found is not None and node is assignment.value:
                    products[assignment.name] = found
                if isinstance(node, Operation) and node.operator in _ROUNDED:
                    inner, bits = node.arguments[:2]
                    if isinstance(inner, Name) and inner.name in products:
                        found = products[inner.name]
                    else:
                        found = _factor(inner, fractions, model)
                    if found is not None and isinstance(bits, Constant):
                        yield found, node.operator, bits.value


def measured_leaks(
    population: Population, parameters: Mapping[str, IntArray], potential_bits: int
) -> tuple[Leak, ...]:
    """Return each leak of a population that has one, by its worst neuron.

    Parameters
    ----------
    population : Population
        In real numbers.
    parameters : mapping of str to array of int32, shape (1,) or (size,)
        In a core's integers, without those that have their default.
    potential_bits : int
    """
    found = []
    for parameter, rounding, bits in leak_parameters(population.neuron):
        name = parameter.name
        if name not in parameters:
            continue
        size = population.size
        start = parameters.get("threshold", np.array([1 << (potential_bits - 2)])).astype(np.int64)
        wanted = np.broadcast_to(population.values(name), (size,))
        stored = np.broadcast_to(parameters[name], (size,)).astype(np.int64)
        begun = np.broadcast_to(np.maximum(start // 2, 1), (size,))
        kinds = np.unique(np.stack([wanted, stored, begun]), axis=1, return_index=True)[1]
        chosen = kinds[:: -(-len(kinds) // _KINDS)]
        leaks = [
            _leak(name, int(n), float(wanted[n]), int(stored[n]), int(begun[n]), rounding, bits)
            for n in chosen
        ]
        found.append(max(leaks, key=_badness))
    return tuple(found)


def _leak(
    name: str, neuron: int, wanted: float, stored: int, start: int, rounding: str, bits: int
) -> Leak:
    """Follow a state that begins at ``start`` LSBs."""
    span = min(max(1, round(_constant(wanted))), _MOST_TICKS) if wanted < 1 else _MOST_TICKS
    value, once, ticks = start, start, 0
    step = _ROUNDED[rounding]
    while ticks < TIME_CONSTANTS * span:
        before, value, ticks = value, step(value * stored, bits), ticks + 1
        if ticks <= span:
            once = value
        if value == before:  # and so for ever
            once = once if ticks > span else value
            break
    fallen = -span / log(once / start) if 0 < once < start else None if once else 0.0
    factor = stored / (1 << bits)
    return Leak(name, neuron, _constant(wanted), _constant(factor), fallen, value / start)


def _badness(leak: Leak) -> float:
    if leak.wanted == inf:
        return 0.0
    off = inf if leak.found is None else abs(log(max(leak.found, 1) / max(leak.wanted, 1)))
    return max(off, abs(leak.left - exp(-TIME_CONSTANTS)))


def _constant(factor: float) -> float:
    """Return the time constant of a factor, in ticks."""
    return 0.0 if factor <= 0 else inf if factor >= 1 else -1 / log(factor)


def _factor(node: Node, fractions: dict[str, Parameter], model: NeuronModel) -> Parameter | None:
    if not isinstance(node, Operation) or node.operator != "*":
        return None
    names = [a.name for a in node.arguments if isinstance(a, Name)]
    found = [fractions[name] for name in names if name in fractions]
    others = [name for name in names if name not in model.parameter_names]
    return found[0] if len(found) == len(others) == 1 else None


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for argument in node.arguments if isinstance(node, Operation) else ():
        yield from _nodes(argument)


_ROUNDED: dict[str, Callable[[Any, int], Any]] = {
    "nearest": lambda value, bits: (value + (1 << bits >> 1)) >> bits,
    "truncate": lambda value, bits: value >> bits,
    ">>": lambda value, bits: value >> bits,
    "chance": lambda value, bits: value / (1 << bits),
}
"""What becomes of a product that is 0 or more; ``chance`` is exact on average."""
