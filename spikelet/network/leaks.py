"""How far the rounding of a leak, of its constant and in every tick, changes its time constant.

A core multiplies a state by a fraction in 1/4096 and rounds the product to a whole LSB in every
tick. A potential that would lose less than half an LSB in a tick stays where it is for ever. More
bits of the potential move that point down; more bits of the fraction, which :func:`finer` gives a
model, bring its constant nearer.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, exp, inf, log, log2
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.expression import Constant, Name, Node, Operation, names
from spikelet.description.neurons.model import FRACTION_BITS, NeuronModel, Parameter
from spikelet.network.network import Population

__all__ = [
    "MOST_FRACTION_BITS",
    "MOST_LEFT",
    "Leak",
    "finer",
    "finest_bits",
    "leak_parameters",
    "measured_leaks",
]

TIME_CONSTANTS = 3
"""After so many, what is left is looked at: in real numbers, 5 %."""

MOST_LEFT = 0.15
"""The largest share that may be left then of a leak that is said to act."""

_ROUNDED_OFF = 0.12
"""Share of the beginning below which rounding may stop a leak, so that less than that is left."""

_FAR_OFF = 1.25
"""Ratio of time constants from which a leak is said to be another."""

MOST_FRACTION_BITS = 20
"""Of a fraction by which a state decays."""

_FINEST_BITS = {"nearest": 20, "truncate": 20, ">>": 20, "chance": 16}
_STEPS = 32
"""Of a fraction, that a finer one takes off in a tick at least."""

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
    bits : int
        Of the fraction.
    neuron : int
    start : int
        Half of its threshold, in LSBs.
    wanted : float
        Time constant of the float network.
    stored : float
        Time constant of the factor as the core holds it.
    found : float or None
        Time constant of the integers, on average over the first one; None if they do not fall.
    left : float
        Share of the beginning that the integers hold after three wanted time constants; 0.05 in
        real numbers.
    """

    parameter: str
    bits: int
    neuron: int
    start: int
    wanted: float
    stored: float
    found: float | None
    left: float

    @property
    def acts(self) -> bool:
        """Whether rounding leaves the leak about what it was."""
        return self.left <= MOST_LEFT and self.found is not None and self.close(self.found)

    @property
    def stops(self) -> bool:
        """Whether the constant is about what it was, and the rounding in every tick undoes it."""
        return not self.acts and self.close(self.stored)

    @property
    def error(self) -> float:
        """How far it is off: in the logarithm of the time constant, or in what is left."""
        if self.wanted == inf or self.found is None:
            return 0.0 if self.found is None and self.wanted == inf else inf
        off = abs(log(max(self.found, 1) / max(self.wanted, 1)))
        return max(off, abs(self.left - exp(-TIME_CONSTANTS)))

    @property
    def bits_short(self) -> int:
        """How many more potential bits would let it act, 1 or more."""
        stays = self.stored / 2 + 0.5  # below this many LSBs, less than half of one is taken off
        return max(1, ceil(log2(stays / (_ROUNDED_OFF * self.start))))

    def close(self, other: float) -> bool:
        """Whether a time constant is about the wanted one; below a tick all are."""
        return _close(other, self.wanted)


def _close(constant: float, wanted: float) -> bool:
    return 1 / _FAR_OFF <= max(constant, 1.0) / max(wanted, 1.0) <= _FAR_OFF


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
    population: Population,
    neuron: NeuronModel,
    parameters: Mapping[str, IntArray],
    potential_bits: int,
) -> tuple[Leak, ...]:
    """Return each leak of a population that has one, by its worst neuron.

    Parameters
    ----------
    population : Population
        In real numbers.
    neuron : NeuronModel
        Its model, or a finer one.
    parameters : mapping of str to array of int32, shape (1,) or (size,)
        In a core's integers, without those that have their default.
    potential_bits : int
    """
    found = []
    for parameter, rounding, bits in leak_parameters(neuron):
        name, size = parameter.name, population.size
        wanted = np.broadcast_to(population.values(name), (size,))
        if name not in population.parameters or np.all(wanted >= 1):
            continue
        usual = np.array([parameter.default or 0])
        start = parameters.get("threshold", np.array([1 << (potential_bits - 2)])).astype(np.int64)
        stored = np.broadcast_to(parameters.get(name, usual), (size,)).astype(np.int64)
        begun = np.broadcast_to(np.maximum(start // 2, 1), (size,))
        kinds = np.unique(np.stack([wanted, stored, begun]), axis=1, return_index=True)[1]
        chosen = kinds[:: -(-len(kinds) // _KINDS)]
        leaks = [
            _leak(name, int(n), float(wanted[n]), int(stored[n]), int(begun[n]), rounding, bits)
            for n in chosen
        ]
        found.append(max(leaks, key=lambda leak: leak.error))
    return tuple(found)


def finest_bits(population: Population) -> dict[str, int]:
    """Return the bits of those fractions of a population that need more than the usual ones.

    By name of the parameter: those of a leak so slow that its constant in 1/4096 is another, or
    none. Neurons without leak do not count.
    """
    found = {}
    for parameter, rounding, bits in leak_parameters(population.neuron):
        if parameter.name not in population.parameters or bits != FRACTION_BITS:
            continue
        values = population.parameters[parameter.name]
        wanted = float(values[values < 1].max(initial=0.0))
        near = min(round(wanted * (1 << bits)), (1 << bits) - 1) / (1 << bits)
        if not _close(_constant(near), _constant(wanted)):
            needed = int(np.ceil(np.log2(_STEPS / (1 - wanted))))
            found[parameter.name] = min(needed, _FINEST_BITS[rounding])
    return found


def finer(model: NeuronModel, bits: Mapping[str, int]) -> NeuronModel:
    """Return a model whose fractions have more bits; as it is, where its text does not allow it.

    Parameters
    ----------
    model : NeuronModel
    bits : mapping of str to int
        Of each fraction by which a state decays, by the name of the parameter.
    """
    text, parameters = model.text, {p.name: p for p in model.parameters}
    read = [name.name for line in model.lines for a in line for name in names(a.value)]
    for parameter, rounding, usual in leak_parameters(model):
        name = parameter.name
        products = [a.name for line in model.lines for a in line if _is_product(a.value, name)]
        if name not in bits or len(products) != 1 or read.count(name) != 1:
            continue
        old = rf"\b({rounding})\(\s*{products[0]}\s*,\s*{usual}\s*\)"
        if rounding == ">>" or read.count(products[0]) != len(re.findall(old, text)):
            continue
        text = re.sub(old, rf"\1({products[0]}, {bits[name]})", text)
        one = 1 << bits[name]
        parameters[name] = replace(
            parameter,
            high=one - 1,
            default=one if parameter.default == 1 << usual else parameter.default,
            description=f"{parameter.description}, in 1/{one}",
        )
    if text == model.text:
        return model
    more = ", ".join(f"{name} of {width} bits" for name, width in bits.items())
    return replace(
        model,
        text=text,
        parameters=tuple(parameters.values()),
        description=f"{model.description}; {more}",
    )


def _is_product(node: Node, name: str) -> bool:
    is_product = isinstance(node, Operation) and node.operator == "*"
    return is_product and any(found.name == name for found in names(node))


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
    constants = _constant(wanted), _constant(factor), fallen
    return Leak(name, bits, neuron, start, *constants, value / start)


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
