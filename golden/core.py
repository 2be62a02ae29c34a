"""Golden model of a core: crossbar and neurons. Twin of ``rtl_gen/core.py``."""

import numpy as np
import numpy.typing as npt

from golden.crossbar import synaptic_sums
from golden.neuron_array import NeuronArray

__all__ = ["run_core"]


def run_core(
    neurons: NeuronArray,
    active: npt.NDArray[np.bool_],
    first_tick: int,
    potentials: npt.NDArray[np.int32] | None = None,
) -> npt.NDArray[np.bool_]:
    """Advance one core by the ticks of ``active``.

    Parameters
    ----------
    neurons : NeuronArray
        Left as after the last tick.
    active : array of bool, shape (samples, ticks, n_axons)
    first_tick : int
        Number of the first of these ticks.
    potentials : array of int32, shape (samples, ticks, n_neurons), or None
        Receives the potentials after each tick.

    Returns
    -------
    array of bool, shape (samples, ticks, n_neurons)
        Who fired.
    """
    sums = synaptic_sums(active, neurons.image.weights)
    return neurons.update(sums, first_tick, potentials)
