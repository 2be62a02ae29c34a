"""Norse (Pehle and Pedersen 2021): which of its neurons are which neuron model.

Read in Norse 1.1, ``norse/torch/functional/``: forward Euler; potentials are compared by ``>``, and
start at ``v_leak``. Here they are counted from ``v_leak``.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.framework import Array, Cell, Framework, numbers, per_neuron
from spikelet.frameworks.weights import linear_back

__all__ = ["Norse"]

Shape = tuple[int, ...]


def _potential(p: Any, shape: Shape, rest: Array) -> dict[str, Array]:
    """Return threshold and reset potential, counted from ``rest``."""
    return {
        "threshold": per_neuron("v_th", p.v_th, shape) - rest,
        "reset_potential": per_neuron("v_reset", p.v_reset, shape) - rest,
    }


def _rate(what: str, p: Any, dt: float, shape: Shape) -> Array:
    rate = dt * per_neuron(what, getattr(p, what), shape)
    if not ((rate > 0) & (rate <= 1)).all():
        raise SpikeletError(
            f"dt * {what} must be above 0 and at most 1, found {rate.max():g}",
            remedy=f"give a smaller {what} or time step",
        )
    return rate


def _lif_box(module: Any, shape: Shape) -> Cell:
    p = module.p
    rest = per_neuron("v_leak", p.v_leak, shape)
    rate = _rate("tau_mem_inv", p, module.dt, shape)
    parameters = {**_potential(p, shape, rest), "decay": 1 - rate}
    reset = getattr(p.reset_method, "__name__", str(p.reset_method))
    if reset == "reset_subtract":
        if rest.any():
            raise SpikeletError(
                "reset_subtract takes v_th off a potential that starts and rests at v_leak, "
                f"{rest[np.argmax(rest != 0)]:g}",
                remedy="use reset_value, or v_leak 0",
            )
        del parameters["reset_potential"]
        return Cell("lif-subtract", parameters, gain=rate)
    if reset != "reset_value":
        raise SpikeletError(
            f"reset_method {reset} is not known", remedy="use reset_value or reset_subtract"
        )
    return Cell("nir-euler", parameters, gain=rate)


def _lif(module: Any, shape: Shape) -> Cell:
    """``i_jump = i + x``, of which ``v`` takes its part, and which decays behind that."""
    p = module.p
    if getattr(p, "method", "super") == "adjoint":
        raise SpikeletError("method 'adjoint' runs code of its own", remedy="use method 'super'")
    rest = per_neuron("v_leak", p.v_leak, shape)
    rate, rate_i = (_rate(what, p, module.dt, shape) for what in ("tau_mem_inv", "tau_syn_inv"))
    parameters = {**_potential(p, shape, rest), "decay": 1 - rate, "decay_i": 1 - rate_i}
    return Cell("cuba-lif", parameters, gain=rate)


def _iaf(module: Any, shape: Shape) -> Cell:
    """``v' = v + x``; potentials start at the reset potential."""
    rest = per_neuron("v_reset", module.p.v_reset, shape)
    return Cell("nir-euler", _potential(module.p, shape, rest))


def _lif_recurrent(module: Any, shape: Shape) -> Cell:
    cell = _lif(module, shape)
    return Cell(
        cell.model,
        cell.parameters,
        gain=cell.gain,
        arriving=linear_back(module.input_weights),
        back=linear_back(module.recurrent_weights),
    )


_CELLS = {
    "LIFBoxCell": _lif_box,
    "LIFCell": _lif,
    "IAFCell": _iaf,
    "LIFRecurrentCell": _lif_recurrent,
}
_SEQUENCES = {"LIF": _lif, "IAF": _iaf, "LIFRecurrent": _lif_recurrent}


class Norse(Framework):
    """Norse."""

    name = "Norse"
    package = "norse"
    readers: ClassVar = {**_CELLS, **_SEQUENCES}
    bases: ClassVar = ("SNNCell", "SNNRecurrentCell", "SNN", "SNNRecurrent", "CobaLIFCell")
    instead = "use LIFBoxCell, LIFCell, LIF, IAFCell or IAF"

    def reset(self, net: Any) -> None:
        """Do nothing: Norse's modules keep no state."""

    def keeps_state(self, module: Any) -> bool:
        """Return that a state that is not passed is the first one."""
        return False

    def takes(self, module: Any) -> str:
        """Return how a neuron module takes its input."""
        bases = {kind.__name__ for kind in type(module).__mro__}
        return "time first" if bases & {"SNN", "SNNRecurrent"} else "ticks"

    def step(self, net: Any, given: Any, carried: Any) -> tuple[Any, Any]:
        """Call a module for one tick, with its state."""
        returned = net(given, carried)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise SpikeletError(
                "the module does not return its state behind the spikes",
                remedy="return (spikes, state), and take the state as the second argument, as "
                "SequentialState does",
            )
        return returned

    def result(self, returned: Any) -> Any:
        """Return the spikes that stand before the state."""
        return returned[0] if isinstance(returned, tuple) else returned

    def time_step(self, neurons: Sequence[Any], dt: float | None) -> float | None:
        """Return the time step that all neurons have."""
        steps = sorted({float(numbers(module.dt)) for module in neurons})
        if len(steps) > 1:
            raise SpikeletError(
                f"neurons have different time steps: {', '.join(f'{step:g}' for step in steps)} s",
                remedy="give all neurons of a network the same dt",
            )
        return steps[0]
