"""What states and parameters of neurons must be, so that a core can hold and change them."""

from collections.abc import Callable, Mapping

from spikelet.description.checks import signed_bits
from spikelet.description.errors import SpikeletError
from spikelet.description.expression import WIDEST, Name, Range
from spikelet.description.learning.rule import LearningRule
from spikelet.description.neurons.model import Parameter
from spikelet.description.neurons.update import NeuronUpdate

__all__ = ["STATE_WORD_BITS", "check_parameter", "check_states"]

STATE_WORD_BITS = 32
"""Width of a word of the configuration port, which holds a state of a neuron."""


def check_parameter(
    parameter: Parameter, value: str | int, range_of: Callable[[Parameter], Range]
) -> None:
    """Raise SpikeletError unless ``value`` says how a core has a parameter, and fits its range.

    Parameters
    ----------
    parameter : Parameter
    value : str or int
        As in ``parameters`` of a core.
    range_of : callable
        The range of the parameter in this core.
    """
    name = parameter.name
    if type(value) is int:
        low, high = range_of(parameter)
        if value.bit_length() >= WIDEST:
            raise SpikeletError(f"core: {name} needs more than {WIDEST} bits: {value}")
        if value != parameter.default and not low <= value <= high:
            raise SpikeletError(f"core: {name} must be in {low}..{high}, not {value}")
    elif value not in ("shared", "neuron") or parameter.constant:
        valid = "an int" if parameter.constant else "'shared', 'neuron' or an int"
        raise SpikeletError(f"core: {name} must be {valid}, not {value!r}")


def check_states(
    model: str,
    update: NeuronUpdate,
    states: Mapping[str, Range],
    parameters: Mapping[str, Range],
    rule: LearningRule | None,
    v_ends: Range,
) -> None:
    """Raise SpikeletError unless states change, and fit the words of the configuration port.

    Parameters
    ----------
    model : str
        Name of the neuron model.
    update : NeuronUpdate
        What the core computes of it.
    states, parameters : mapping of (low, high)
        Those that the core holds, by name.
    rule : LearningRule or None
    v_ends : (low, high)
        Of the potentials that the rule can read.
    """
    for name in ("v", "fired"):
        if name not in states:
            raise SpikeletError(
                f"core: state {name} of {model!r} can have one value only",
                remedy="widen its range",
            )
    for what, ranges in (("state", states), ("parameter", parameters)):
        for name, ends in ranges.items():
            if (bits := signed_bits(*ends)) > STATE_WORD_BITS:
                raise SpikeletError(
                    f"core: {what} {name} of {model!r} needs {bits} bits with its sign, "
                    f"a word has {STATE_WORD_BITS}",
                    remedy="narrow its range, or lower potential_bits",
                )
    for name in states:
        if update.results[name] == Name(name):
            raise SpikeletError(
                f"core: state {name} of {model!r} never changes",
                remedy=f"give the core a learning rule, or build it without {name}",
            )
    low, high = states["v"]
    if rule and "v" in rule.variables and (low < v_ends[0] or high > v_ends[1]):
        raise SpikeletError(
            f"core: the rule reads v, which is {low}..{high} in {model!r} and must be within "
            f"{v_ends[0]}..{v_ends[1]}",
            remedy="narrow the range of v, or raise potential_bits",
        )
