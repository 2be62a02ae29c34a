"""The error of a neuron, by its teacher: a state ``e`` that a learning rule reads."""

from dataclasses import dataclass, replace

from spikelet.description.checks import check_int
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel, State

__all__ = ["ErrorParams", "with_error"]

_SIGNAL = "learning_signal"


@dataclass(frozen=True)
class ErrorParams:
    """A neuron's error: what its teachers' spikes add up to, leaking, less its own spikes.

    After each tick, in integers, kept in ``-2**(bits - 1)..2**(bits - 1) - 1``::

        e = truncate(e * decay, 12) + teacher - spike * fired

    ``teacher`` is the tick's synaptic sum over the axons of teachers, in potential LSBs; the
    product rounds towards 0, so that an error without teacher reaches 0. With a ``window`` the sum
    is the learning signal, and ``e`` is it where the neuron fires or its potential is within the
    window about the threshold, else 0: the derivative of the spike that e-prop and SuperSpike take
    in place of the real one (Bellec et al. 2020, equation 6; Zenke & Ganguli 2018), as a box.

    Parameters
    ----------
    bits : int
        Width in two's complement, 2..16.
    decay : int
        0..4095, in 1/4096; 0: the error of a tick is gone in the next.
    spike : int
        What a spike of the neuron itself takes off, 0..32767.
    window : int or None
        Potential LSBs on either side of the threshold, 0..32767; None: the error counts always.

    Raises
    ------
    SpikeletError
        If a field is outside its range.
    """

    bits: int = 8
    decay: int = 0
    spike: int = 0
    window: int | None = None

    def __post_init__(self) -> None:
        check_int("error: bits", self.bits, 2, 16)
        check_int("error: decay", self.decay, 0, 4095)
        check_int("error: spike", self.spike, 0, (1 << 15) - 1)
        if self.window is not None:
            check_int("error: window", self.window, 0, (1 << 15) - 1)

    @property
    def largest(self) -> int:
        """Largest value; the smallest is ``-largest - 1``."""
        return (1 << (self.bits - 1)) - 1


def with_error(model: NeuronModel, params: ErrorParams) -> NeuronModel:
    """Return a neuron model with lines for an error behind its own.

    Parameters
    ----------
    model : NeuronModel
        Without a state or other name ``e``; with a parameter ``threshold``, if there is a window.
    params : ErrorParams

    Raises
    ------
    SpikeletError
        If the model has such a name already, or no threshold.
    """
    names = {*model.state_names, *model.parameter_names, *(a.name for x in model.lines for a in x)}
    for name in ("e", _SIGNAL):
        if name in names:
            raise SpikeletError(
                f"neuron model {model.name!r} has {name!r} already, so it cannot be given an error",
                remedy="leave the error out, and let the rule read the model's own state e",
            )
    if params.window is not None and "threshold" not in model.parameter_names:
        raise SpikeletError(
            f"neuron model {model.name!r} has no threshold for the window of the error to be about",
            remedy="leave window out, or take a model with a threshold",
        )
    low, high = -params.largest - 1, params.largest
    state = "e" if params.window is None else _SIGNAL
    own = f" - where(fired, {params.spike}, 0)" if params.spike else ""
    kept = f"truncate({state}_decayed, 12) + " if params.decay else ""
    lines = [f"{state}_decayed = {state}*{params.decay}"] if params.decay else []
    lines += [f"{state} = clamp({kept}teacher{own}, {low}, {high})"]
    states = [State(state, "absolute", low, high, description="error, by the teacher")]
    if params.window is not None:
        lines.append(
            f"e = where(fired or abs(v - threshold) <= {params.window}, {_SIGNAL}, 0)",
        )
        states.append(State("e", "absolute", low, high, description="error, near the threshold"))
    return replace(
        model,
        name=f"{model.name}.error",
        text="\n".join([model.text.rstrip("\n"), *lines, ""]),
        states=(*model.states, *states),
        description=f"{model.description}; with an error by a teacher",
    )
