"""The chance of a probabilistic neuron to spike, as far as a learning rule reads it: ``p``."""

from dataclasses import replace

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel, State
from spikelet.description.neurons.text import CHANCE

__all__ = ["gives_chance", "with_chance"]

_BITS = 16
"""A model has ``p`` in units of ``2**-16``, 0..65536."""


def _line(bits: int) -> str:
    return f"e = least(p >> {_BITS + 1 - bits}, {(1 << (bits - 1)) - 1})"


def gives_chance(model: NeuronModel, bits: int) -> bool:
    """Return whether a model is one of :func:`with_chance`, with so many bits."""
    return _line(bits) in model.text.splitlines()


def with_chance(model: NeuronModel, bits: int) -> NeuronModel:
    """Return a neuron model whose state ``e`` is its chance to spike, for a rule that reads ``p``.

    ``e = least(p >> (17 - bits), 2**(bits - 1) - 1)``: in units of ``2**(1 - bits)``, rounded down.

    Parameters
    ----------
    model : NeuronModel
        With a value or state ``p``, 0..65536, the chance in the tick times 65536; without a state
        or other name ``e``. A model that this function returned, with as many bits, is returned
        as it is.
    bits : int
        ``error_bits`` of the rule, 2..16.

    Raises
    ------
    SpikeletError
        If the model has no such ``p``, or has a name ``e``.
    """
    check_int("chance: bits", bits, 2, _BITS)
    if gives_chance(model, bits):
        return model
    assigned = {a.name for line in model.lines for a in line}
    kept = [(s.kind, s.low, s.high) for s in model.states if s.name == CHANCE]
    if CHANCE not in assigned or kept not in ([], [("absolute", 0, 1 << _BITS)]):
        raise SpikeletError(
            f"neuron model {model.name!r} has no p of 0..65536 that a rule could read",
            remedy="use 'probabilistic', or a model with its chance to spike, times 65536, as p",
        )
    names = {*model.state_names, *model.parameter_names, *assigned}
    if "e" in names:
        raise SpikeletError(
            f"neuron model {model.name!r} has 'e' already, in whose place a rule would read p",
            remedy="let the rule read e or p, not both",
        )
    chance = State("e", "absolute", 0, (1 << (bits - 1)) - 1, description="chance, for the rule")
    return replace(
        model,
        name=f"{model.name}.chance",
        text="\n".join([model.text.rstrip("\n"), _line(bits), ""]),
        states=(*model.states, chance),
        description=f"{model.description}; with its chance for a rule",
    )
