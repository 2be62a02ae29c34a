"""How few bits hold every potential that a population can reach, so that no clamp does anything.

Ranges of the states that begin at 0 are followed through tick after tick, with the population's own
parameters and any sum that its weights can give, until they grow no more. A width will do if no end
of its membrane range is reached on the way: then a core of it computes what one of any larger width
does, in every tick and for any input.
"""

from collections.abc import Mapping

import numpy as np

from spikelet.description.expression import (
    Name,
    Node,
    Operation,
    Range,
    RangeError,
    names,
    range_of,
)
from spikelet.description.neurons.model import NeuronModel, Parameter, State, membrane_range
from spikelet.description.neurons.text import BOUNDS, DRAWN
from spikelet.network.integer_layers import IntegerPopulation
from spikelet.network.integers import IntegerNetwork
from spikelet.network.matrices import some_columns

__all__ = ["LEAST_BITS", "narrowed_bits"]

LEAST_BITS = 4
"""Of potentials of a core."""

_MOST_DRAWN = 65535
_MOST_ROUNDS = 1000

_MIRRORED = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
"""What holds where a comparison does not."""


def narrowed_bits(network: IntegerNetwork) -> dict[str, int]:
    """Return the potential bits of each population in which nothing is lost, at most its own.

    Those that learn, that teachers reach, or whose clamps some input could reach keep theirs.
    """
    return {p.name: _least_bits(network, p) for p in network.populations}


def _least_bits(network: IntegerNetwork, population: IntegerPopulation) -> int:
    name, bits = population.name, population.potential_bits
    if network.rules(name) or network.teacher_axons(name) or network.short_term(name):
        return bits
    current = _current(network, population)
    fitting = (n for n in range(LEAST_BITS, bits) if _holds(population, n, current))
    return next(fitting, bits)


def _current(network: IntegerNetwork, population: IntegerPopulation) -> Range:
    """Return what the synaptic sum of any neuron can be, in potential LSBs."""
    most = (1 << network.arriving_bits(population.name)) - 1
    low, high = np.zeros(population.size, np.int64), np.zeros(population.size, np.int64)
    for projection in network.into(population.name):
        if population.weight_format == "binary":  # no synapse is 1 or -1 as well
            low -= projection.weights.shape[0]
            high += projection.weights.shape[0]
            continue
        first = 0
        for columns in some_columns(projection.weights):
            here = slice(first, first + columns.shape[1])
            low[here] += np.minimum(columns, 0).sum(axis=0, dtype=np.int64)
            high[here] += np.maximum(columns, 0).sum(axis=0, dtype=np.int64)
            first = here.stop
    ends = int(low.min()) * most, int(high.max()) * most
    return ends[0] << population.weight_exponent, ends[1] << population.weight_exponent


def _holds(population: IntegerPopulation, bits: int, current: Range) -> bool:
    """Return whether potentials of so many bits stay in their range, and no clamp is reached."""
    model = population.neuron
    known: dict[str, Range] = {}
    for parameter in model.parameters:
        values = population.parameters.get(parameter.name)
        usual = parameter.default or 0
        found = (usual, usual) if values is None else (int(values.min()), int(values.max()))
        known[parameter.name] = found
    constants = {p.name: known[p.name][0] for p in model.parameters if p.constant}

    def range_in(what: State | Parameter, width: int) -> Range:
        return model.range_of(what, width, constants)

    for parameter in model.parameters:
        if not _within(known[parameter.name], range_in(parameter, bits)):
            return False
    whole = {state.name: range_in(state, bits) for state in model.states}
    for state in model.states:  # which may begin with other values than 0
        if state.kept and whole[state.name] != range_in(state, population.potential_bits):
            return False
    ends = membrane_range(bits)
    known |= {"current": current, "inhibited": (0, 1), "learning": (0, 0), "teacher": (0, 0)}
    known |= {"draw": (0, _MOST_DRAWN), DRAWN: (0, _MOST_DRAWN)}
    known |= dict(zip(BOUNDS, ((end, end) for end in ends), strict=True))
    states = {s.name: whole[s.name] if s.kept else (0, 0) for s in model.states}
    for _ in range(_MOST_ROUNDS):
        after = _after_tick(model, known | states, ends)
        if after is None:
            return False
        wider = {name: _joined(found, after[name]) for name, found in states.items()}
        if wider == states:
            break
        states = wider
    else:  # it nears its end slowly: is all that there may be kept?
        states = whole
        after = _after_tick(model, known | states, ends)
    return after is not None and all(_within(after[name], whole[name]) for name in whole)


def _after_tick(
    model: NeuronModel, known: Mapping[str, Range], ends: Range
) -> dict[str, Range] | None:
    """Return the ranges of all names after a tick; None if an end of the membrane is reached."""
    found = dict(known)
    conditions: dict[str, Node] = {}
    for line in model.lines:
        after = {}
        for assignment in line:
            try:
                if not _out_of_reach(assignment.value, found, ends):
                    return None
                after[assignment.name] = _found(assignment.value, found, conditions)
            except RangeError:
                return None
        found |= after
        # What a name says of others holds until one of them is assigned again.
        conditions |= {assignment.name: assignment.value for assignment in line}
        conditions = {
            name: node
            for name, node in conditions.items()
            if not any(other.name in after for other in names(node))
        }
    return found


def _joined(one: Range, other: Range) -> Range:
    return min(one[0], other[0]), max(one[1], other[1])


def _within(inner: Range, outer: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _out_of_reach(node: Node, known: Mapping[str, Range], ends: Range) -> bool:
    """Return whether each end of the membrane range in an expression bounds what stays inside."""
    if not isinstance(node, Operation):
        return not (isinstance(node, Name) and node.name in BOUNDS)
    value, *others = node.arguments
    bounds = [other.name for other in others if isinstance(other, Name) and other.name in BOUNDS]
    if bounds and len(bounds) == len(others) and node.operator in ("clamp", "least", "most"):
        low, high = range_of(value, known)
        above = node.operator == "least" or ends[0] <= low
        below = node.operator == "most" or high <= ends[1]
        usual = {"clamp": list(BOUNDS), "least": BOUNDS[1:], "most": BOUNDS[:1]}
        rightly = list(usual[node.operator]) == bounds
        return rightly and above and below and _out_of_reach(value, known, ends)
    return all(_out_of_reach(argument, known, ends) for argument in node.arguments)


def _found(node: Node, known: Mapping[str, Range], conditions: Mapping[str, Node]) -> Range:
    """Return the range of an expression; of a choice, with what its condition says of each side."""
    if isinstance(node, Operation) and node.operator == "where":
        condition, *sides = node.arguments
        if isinstance(condition, Name):
            condition = conditions.get(condition.name, condition)
        found = [
            range_of(side, _known_where(condition, holds, known))
            for side, holds in zip(sides, (True, False), strict=True)
        ]
        either = _joined(*found)
        whole = range_of(node, known)
        return max(either[0], whole[0]), min(either[1], whole[1])
    return range_of(node, known)


def _known_where(condition: Node, holds: bool, known: Mapping[str, Range]) -> Mapping[str, Range]:
    """Return the ranges where a comparison of a name with something holds, or does not."""
    if not isinstance(condition, Operation) or condition.operator not in _MIRRORED:
        return known
    name, other = condition.arguments
    if not isinstance(name, Name):
        return known
    operator = condition.operator if holds else _MIRRORED[condition.operator]
    (low, high), (least, most) = known[name.name], range_of(other, known)
    if operator in (">", ">="):
        low = max(low, least + (operator == ">"))
    else:
        high = min(high, most - (operator == "<"))
    return {**known, name.name: (low, high)} if low <= high else known
