"""snnTorch (Eshraghian et al. 2023): which of its neurons are which neuron model.

Read in snnTorch 1.0, ``snntorch/_neurons/``. Potentials are compared by ``>``; betas and alphas are
clamped to 0..1 in each step; a reset is delayed by a tick unless ``reset_delay=False``.
"""

from typing import Any, ClassVar

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.framework import Array, Cell, Framework, numbers, per_neuron
from spikelet.frameworks.weights import weights_of
from spikelet.nir.signal import Signal, Sparse

__all__ = ["SnnTorch"]

Shape = tuple[int, ...]


def _common(module: Any, shape: Shape) -> dict[str, Array]:
    """Return threshold and decay; SpikeletError for what no neuron model has."""
    if module.inhibition:
        raise SpikeletError(
            "inhibition=True, by which only the neuron with the highest potential may spike",
            remedy="train it with inhibition=False",
        )
    if module.state_quant:
        raise SpikeletError(
            "state_quant rounds potentials in its own way",
            remedy="train it without; compile rounds as the chip will",
        )
    factor = numbers(module.graded_spikes_factor)
    if (factor != 1).any():
        raise SpikeletError(
            f"graded_spikes_factor is {factor.ravel()[0]:g}",
            remedy="multiply the weights behind it, and set it to 1",
        )
    beta = np.clip(per_neuron("beta", module.beta, shape), 0, 1)
    return {"threshold": per_neuron("threshold", module.threshold, shape), "decay": beta}


def _reset(module: Any) -> str:
    """Return the ending of the neuron model's name that a module's reset is."""
    if module.reset_mechanism == "none":
        return "none"
    return f"{module.reset_mechanism}{'' if module.reset_delay else '-immediate'}"


def _back(module: Any, shape: Shape) -> Any:
    """Return what a module's own weights make of its spikes."""
    if module.all_to_all:
        return weights_of(module.recurrent, "recurrent")
    strength = per_neuron("V", module.recurrent.V, shape)

    def back(signal: Signal) -> Signal:
        return signal.through(Sparse.one_to_one(signal.size).scaled(strength), signal.shape)

    return back


def _leaky(module: Any, shape: Shape) -> Cell:
    return Cell(f"snntorch-{_reset(module)}", _common(module, shape))


def _rleaky(module: Any, shape: Shape) -> Cell:
    reset = _reset(module)
    model = "snntorch-rleaky-zero" if reset == "zero" else f"snntorch-{reset}"
    return Cell(model, _common(module, shape), back=_back(module, shape))


def _synaptic(module: Any, shape: Shape) -> Cell:
    reset = _reset(module)
    model = "cuba-lif" if reset == "zero-immediate" else f"snntorch-synaptic-{reset}"
    alpha = np.clip(per_neuron("alpha", module.alpha, shape), 0, 1)
    return Cell(model, {**_common(module, shape), "decay_i": alpha})


def _rsynaptic(module: Any, shape: Shape) -> Cell:
    cell = _synaptic(module, shape)
    return Cell(cell.model, cell.parameters, back=_back(module, shape))


def _lapicque(module: Any, shape: Shape) -> Cell:
    """``v' = x R dt/(R C) + (1 - dt/(R C)) v``; what the class calls beta is not used."""
    names = ("R", "C", "time_step")
    r, c, step = (per_neuron(name, getattr(module, name), shape) for name in names)
    rate = step / (r * c)
    if not ((rate > 0) & (rate <= 1)).all():
        raise SpikeletError(
            f"time_step/(R C) must be above 0 and at most 1, found {rate.max():g}",
            remedy="give a smaller time_step",
        )
    parameters = {**_common(module, shape), "decay": 1 - rate}
    # Reset to zero loses the input of its tick, as in RLeaky, not as in Leaky.
    reset = "rleaky-zero" if module.reset_mechanism == "zero" else module.reset_mechanism
    return Cell(f"snntorch-{reset}", parameters, gain=r * rate)


class SnnTorch(Framework):
    """snnTorch."""

    name = "snnTorch"
    package = "snntorch"
    readers: ClassVar = {
        "Leaky": _leaky,
        "RLeaky": _rleaky,
        "Synaptic": _synaptic,
        "RSynaptic": _rsynaptic,
        "Lapicque": _lapicque,
    }
    bases: ClassVar = ("SpikingNeuron",)
    instead = "use Leaky, RLeaky, Synaptic, RSynaptic or Lapicque"

    def reset(self, net: Any) -> None:
        """Set the hidden states to 0."""
        for module in net.modules():
            if self.is_neuron(module) and hasattr(module, "reset_mem"):
                module.reset_mem()
