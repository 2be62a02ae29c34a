"""What a core computes of a neuron model: constants folded in, unused parts left out, ranges known.

C and gates are made from this; golden's numpy reads the model's own text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from spikelet.description.errors import SpikeletError
from spikelet.description.expression import (
    Constant,
    Name,
    Node,
    Operation,
    Range,
    RangeError,
    folded,
    names,
    range_of,
)
from spikelet.description.neurons.model import NeuronModel, Parameter, State, membrane_range
from spikelet.description.neurons.text import BOUNDS, DRAWN, Assignment, Line, TextError
from spikelet.description.summary import summary

__all__ = ["DRAWS", "NEXT", "NeuronUpdate", "can_spike", "sends_counts", "update_of"]

NEXT = "NEXT_"
"""Before the name of a state: its value after the tick. Every name is assigned once."""

DRAWS = ("draw", DRAWN)
"""Inputs that are drawn."""

_INPUTS = ("current", "inhibited", "learning", "teacher", *DRAWS)
_DRAW_RANGE = (0, 65535)


@dataclass(frozen=True)
class NeuronUpdate:
    """The update of a neuron, line by line.

    Parameters
    ----------
    lines : tuple of Line
        Each name is assigned once, and read in lower lines only. A line is a pipeline stage.
    results : dict of str to Node
        Of each state that is built, its new value: a name or a constant.
    ranges : dict of str to (int, int)
        Of everything that has a name.
    states : tuple of str
        Those that ``clear`` clears, in the model's order.
    kept : tuple of str
        The others.
    parameters : tuple of str
        Those that are loaded, and read.
    inputs : tuple of str
        Those read of ``current``, ``inhibited``, ``learning``, ``teacher``, ``draw`` and
        ``draw_low``.
    """

    __repr__ = summary

    lines: tuple[Line, ...]
    results: dict[str, Node]
    ranges: dict[str, Range]
    states: tuple[str, ...]
    kept: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]

    @property
    def draws(self) -> bool:
        """Whether a neuron draws a number in every tick."""
        return any(name in self.inputs for name in DRAWS)

    @property
    def lines_before_draws(self) -> int:
        """How many lines there are before the first that reads what is drawn."""
        for number, line in enumerate(self.lines):
            if any(name.name in DRAWS for a in line for name in names(a.value)):
                return number
        return len(self.lines)


def can_spike(model: NeuronModel) -> bool:
    """Return whether neurons of a model can spike at all; of others, the potential is the output.

    They cannot if the text says ``fired = 0``.
    """
    (fired,) = (a.value for line in model.lines for a in line if a.name == "fired")
    return not (isinstance(fired, Constant) and fired.value == 0)


def sends_counts(model: NeuronModel) -> bool:
    """Return whether neurons of a model can spike several times in a tick: graded spikes."""
    return model.state("fired").kind == "count"


def update_of(
    model: NeuronModel,
    constants: Mapping[str, int],
    potential_bits: int,
    current: Range,
    learning: bool,
    teacher: Range = (0, 0),
) -> NeuronUpdate:
    """Return what a core computes.

    Parameters
    ----------
    model : NeuronModel
    constants : mapping of str to int
        Values of the parameters that are built in; the others are loaded.
    potential_bits : int
    current : (int, int)
        Range of the synaptic sum, in potential LSBs.
    learning : bool
        Whether the core can learn.
    teacher : (int, int)
        Range of the synaptic sum of the axons of teachers, in potential LSBs.

    Raises
    ------
    SpikeletError
        Naming the place in the text, if a value can overflow, a state can leave its range, or a
        shift is not by a constant.
    """
    return _update_of(model, tuple(constants.items()), potential_bits, current, learning, teacher)


@lru_cache(maxsize=256)  # the cores of a chip are of few kinds
def _update_of(
    model: NeuronModel,
    built_in: tuple[tuple[str, int], ...],
    potential_bits: int,
    current: Range,
    learning: bool,
    teacher: Range,
) -> NeuronUpdate:
    constants = dict(built_in)
    ranges: dict[str, Range] = {
        "current": current,
        "inhibited": (0, 1),
        "learning": (0, 1 if learning else 0),
        "teacher": teacher,
        "draw": _DRAW_RANGE,
        DRAWN: _DRAW_RANGE,
        **dict(zip(BOUNDS, ((v, v) for v in membrane_range(potential_bits)), strict=True)),
    }
    declared: list[State | Parameter] = [*model.parameters, *model.states]
    for item in declared:
        ranges[item.name] = model.range_of(item, potential_bits, constants)
    ranges |= {name: (value, value) for name, value in constants.items()}
    built = [state for state in model.states if ranges[state.name][0] < ranges[state.name][1]]
    for state in built:
        low, high = ranges[state.name]
        if not state.kept and not low <= 0 <= high:
            raise SpikeletError(
                f"neuron model {model.name!r}: state {state.name} has the range {low}..{high}, "
                "without 0, to which it is cleared"
            )
    while True:
        found = dict(ranges)
        all_lines, known = _folded_lines(model, found)
        results = {state.name: known.get(state.name, Name(state.name)) for state in built}
        stay_0 = [s for s in built if s.optional and not s.kept and _stays_0(s, results[s.name])]
        if not stay_0:
            break
        ranges |= dict.fromkeys((state.name for state in stay_0), (0, 0))
        built = [state for state in built if state not in stay_0]
    ranges = found
    lines = _used_lines(all_lines, results)
    read = {name.name for line in lines for a in line for name in names(a.value)}
    read |= {name.name for node in results.values() for name in names(node)}
    return NeuronUpdate(
        lines=lines,
        results=results,
        ranges=ranges,
        states=tuple(state.name for state in built if not state.kept),
        kept=tuple(state.name for state in built if state.kept),
        parameters=tuple(
            name for name in model.parameter_names if name in read and name not in constants
        ),
        inputs=tuple(n for n in _INPUTS if n in read),
    )


def _folded_lines(
    model: NeuronModel, ranges: dict[str, Range]
) -> tuple[list[list[Assignment]], dict[str, Node]]:
    """Return the lines, and what each name of the text stands for after the last."""
    states = {state.name: state for state in model.states}
    known: dict[str, Node] = {}
    lines = []
    for line in model.lines:
        found: list[Assignment] = []
        after: dict[str, Node] = {}
        for assignment in line:
            try:
                value = folded(assignment.value, known, ranges)
                low, high = range_of(value, ranges)
            except RangeError as error:
                raise _fault(model, assignment, error.place, error.args[0]) from None
            if assignment.name in states:
                _check_state(model, assignment, states[assignment.name], ranges, (low, high))
            wires = _is_shifted_name(value) and assignment.name not in states
            if isinstance(value, Constant | Name) or wires:
                after[assignment.name] = value
                continue
            name = (NEXT if assignment.name in states else "") + assignment.name
            ranges[name] = low, high
            after[assignment.name] = Name(name)
            found.append(Assignment(name, value, assignment.line, assignment.place))
        known |= after
        lines.append(found)
    return lines, known


def _stays_0(state: State, result: Node) -> bool:
    return result in (Name(state.name), Constant(0))


def _is_shifted_name(node: Node) -> bool:
    """Return whether an expression takes no gates, only wires."""
    if not isinstance(node, Operation) or node.operator != "<<":
        return False
    return isinstance(node.arguments[0], Name)


def _check_state(
    model: NeuronModel,
    assignment: Assignment,
    state: State,
    ranges: dict[str, Range],
    found: Range,
) -> None:
    low, high = ranges[state.name]
    if found[0] < low or found[1] > high:
        raise _fault(
            *(model, assignment, assignment.place),
            f"{state.name} can become {found[0]}..{found[1]}, its range is {low}..{high}",
            "clamp it" if state.kind == "membrane" else "keep it in its range: least, most, clamp",
        )


def _fault(
    model: NeuronModel, assignment: Assignment, place: int, message: str, remedy: str = ""
) -> SpikeletError:
    error = TextError(model.text, assignment.line, place, message, remedy)
    return SpikeletError(f"neuron model {model.name!r}: {error.args[0]}", remedy=error.remedy)


def _used_lines(lines: list[list[Assignment]], results: Mapping[str, Node]) -> tuple[Line, ...]:
    """Leave out what nothing reads, and lines that become empty."""
    needed = {name.name for node in results.values() for name in names(node)}
    kept: list[Line] = []
    for line in reversed(lines):
        used = tuple(assignment for assignment in line if assignment.name in needed)
        needed |= {name.name for assignment in used for name in names(assignment.value)}
        kept += [used] if used else []
    return tuple(reversed(kept))
