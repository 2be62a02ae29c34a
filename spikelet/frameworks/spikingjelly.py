"""SpikingJelly (Fang et al. 2023): which of its neurons are which neuron model.

Read in SpikingJelly 2.0, ``activation_based/neuron/``. A potential at its threshold spikes
(``>=``). With a reset to a value, potentials start at it and leak towards it; here they are counted
from it.
"""

from typing import Any, ClassVar

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.framework import Array, Cell, Framework, per_neuron

__all__ = ["SpikingJelly"]

Shape = tuple[int, ...]


def _potential(module: Any, shape: Shape) -> tuple[str, dict[str, Array]]:
    """Return the ending of the model's name, and the threshold, counted from the reset value."""
    threshold = per_neuron("v_threshold", module.v_threshold, shape)
    if module._neuron_precision is not None:
        raise SpikeletError(
            "it computes in a number format of its own", remedy="use it with float32"
        )
    if module.v_reset is None:
        return "subtract-ge", {"threshold": threshold}
    return "ge", {"threshold": threshold - per_neuron("v_reset", module.v_reset, shape)}


def _if(module: Any, shape: Shape) -> Cell:
    ending, parameters = _potential(module, shape)
    return Cell(f"lif-{ending}", parameters)


def _leaking(module: Any, shape: Shape, rate: Array) -> Cell:
    """``v' = v + (x - (v - v_reset)) rate``, or the input apart from it."""
    ending, parameters = _potential(module, shape)
    gain = rate if module.decay_input else np.ones(1)
    return Cell(f"lif-{ending}", {**parameters, "decay": 1 - rate}, gain=gain)


def _lif(module: Any, shape: Shape) -> Cell:
    return _leaking(module, shape, 1 / per_neuron("tau", module.tau, shape))


def _parametric_lif(module: Any, shape: Shape) -> Cell:
    return _leaking(module, shape, 1 / (1 + np.exp(-per_neuron("w", module.w, shape))))


def _cuba_lif(module: Any, shape: Shape) -> Cell:
    """``c' = c c_decay + x``, ``v' = v v_decay + c'``: the potential leaks towards 0."""
    if module.v_reset:
        raise SpikeletError(
            f"v_reset is {module.v_reset:g}, from which its potential starts and leaks to 0",
            remedy="use v_reset=0.0, or None",
        )
    ending, parameters = _potential(module, shape)
    for ours, theirs in (("decay", "v_decay"), ("decay_i", "c_decay")):
        parameters[ours] = per_neuron(theirs, getattr(module, theirs), shape)
    return Cell(f"cuba-lif-{ending}", parameters)


class SpikingJelly(Framework):
    """SpikingJelly."""

    name = "SpikingJelly"
    package = "spikingjelly"
    readers: ClassVar = {
        "IFNode": _if,
        "LIFNode": _lif,
        "ParametricLIFNode": _parametric_lif,
        "CUBALIFNode": _cuba_lif,
    }
    neuron_package = "spikingjelly.activation_based.neuron"
    instead = "use IFNode, LIFNode, ParametricLIFNode or CUBALIFNode"

    def reset(self, net: Any) -> None:
        """Bring all states, of neurons and of other modules, to their first value."""
        for module in net.modules():
            if type(module).__module__.split(".")[0] == self.package and hasattr(module, "reset"):
                module.reset()

    def takes(self, module: Any) -> str:
        """Return how a neuron module takes its input: by its step mode."""
        return "time first" if getattr(module, "step_mode", "m") == "m" else "ticks"
