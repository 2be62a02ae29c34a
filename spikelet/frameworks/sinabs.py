"""sinabs (SynSense): which of its neurons are which neuron model.

Read in sinabs 3.1, ``sinabs/layers/functional/lif.py`` and ``sinabs/activation/``. The decay is
``exp(-1/tau)``, tau in ticks; a potential at its threshold spikes (``>=``); what filters the
current decays with the input of the same tick.
"""

from typing import Any, ClassVar

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.framework import Array, Cell, Framework, numbers, per_neuron
from spikelet.frameworks.weights import weights_of
from spikelet.nir.signal import Signal

__all__ = ["Sinabs"]

Shape = tuple[int, ...]


def _cell(module: Any, shape: Shape) -> Cell:
    spike = getattr(module.spike_fn, "__name__", type(module.spike_fn).__name__)
    ending, parameters = _reset(module, shape)
    if spike != "SingleSpike" or module.min_v_mem is not None:
        if ending != "subtract-ge":
            lowest = module.min_v_mem
            floor = "" if lowest is None else f" and min_v_mem {numbers(lowest):g}"
            raise SpikeletError(
                f"spike_fn {spike}{floor} with a reset to 0",
                remedy="use MembraneSubtract(), or spike_fn=SingleSpike and min_v_mem=None",
            )
        ending = "multispike"
        parameters |= _counts(module, spike) | _lowest(module, shape)
    alpha = per_neuron("alpha_mem", module.alpha_mem_calculated, shape)
    alpha_syn = module.alpha_syn_calculated
    gain = 1 - alpha if module.norm_input else np.ones(1)
    if (alpha != 1).any():
        parameters["decay"] = alpha
    if alpha_syn is None:
        return Cell(f"lif-{ending}", parameters, gain=gain)
    parameters["decay_i"] = per_neuron("alpha_syn", alpha_syn, shape)
    return Cell(f"cuba-lif-{ending}", parameters, gain=gain * parameters["decay_i"])


def _counts(module: Any, spike: str) -> dict[str, Array]:
    """Return in how many bits a neuron's spikes of a tick are counted."""
    if spike == "MultiSpike":
        return {}
    most = 1 if spike == "SingleSpike" else getattr(module.spike_fn, "max_num_spikes_per_bin", None)
    if most not in [(1 << bits) - 1 for bits in range(1, 9)]:
        raise SpikeletError(
            f"spike_fn {spike}" + (f" of at most {most} spikes" if most else " is not known"),
            remedy="use MultiSpike, SingleSpike, or MaxSpike of 1, 3, 7, 15, 31, 63, 127 or 255",
        )
    return {"spike_bits": np.array([float(most.bit_length())])}


def _lowest(module: Any, shape: Shape) -> dict[str, Array]:
    """Return the floor under the potential, behind the reset."""
    if module.min_v_mem is None:
        return {}
    lowest = per_neuron("min_v_mem", module.min_v_mem, shape)
    if (lowest > 0).any():
        raise SpikeletError(
            f"min_v_mem is {lowest.max():g}, above 0, where potentials start",
            remedy="train it with a min_v_mem of 0 or less",
        )
    return {"bounded": np.ones(1), "lowest": lowest}


def _reset(module: Any, shape: Shape) -> tuple[str, dict[str, Array]]:
    reset = type(module.reset_fn).__name__
    threshold = per_neuron("spike_threshold", module.spike_threshold, shape)
    if reset == "MembraneSubtract":
        taken = module.reset_fn.subtract_value
        if taken is not None and (np.asarray(taken) != threshold).any():
            raise SpikeletError(
                f"MembraneSubtract takes {taken} off, not the threshold",
                remedy="use MembraneSubtract()",
            )
        return "subtract-ge", {"threshold": threshold}
    if reset == "MembraneReset" and module.reset_fn.reset_value == 0:
        return "ge", {"threshold": threshold}
    if reset == "MembraneReset":  # added in every tick, spike or not (sinabs 3.1)
        raise SpikeletError(
            f"MembraneReset adds reset_value, {module.reset_fn.reset_value:g}, to all potentials "
            "in every tick",
            remedy="use MembraneReset(reset_value=0.0)",
        )
    raise SpikeletError(f"reset_fn {reset} is not known", remedy="use MembraneSubtract()")


def _recurrent(module: Any, shape: Shape) -> Cell:
    cell = _cell(module, shape)
    back = weights_of(module.rec_connect, "rec_connect")
    if back(Signal.spikes("", shape)).bias.any():
        raise SpikeletError(
            "rec_connect has a bias, which sinabs does not add in the first tick",
            remedy="train it with bias=False, and give the layer before it a bias",
        )
    return Cell(cell.model, cell.parameters, gain=cell.gain, back=back)


_ONE = {"IAF": _cell, "LIF": _cell, "IAFSqueeze": _cell, "LIFSqueeze": _cell}
_BACK = ("IAFRecurrent", "LIFRecurrent", "IAFRecurrentSqueeze", "LIFRecurrentSqueeze")


class Sinabs(Framework):
    """sinabs."""

    name = "sinabs"
    package = "sinabs"
    readers: ClassVar = {**_ONE, **dict.fromkeys(_BACK, _recurrent)}
    bases: ClassVar = ("StatefulLayer",)
    instead = "use IAF or LIF"

    def reset(self, net: Any) -> None:
        """Set all states to 0, of any number of samples."""
        for module in net.modules():
            if self.is_neuron(module):
                for name, _ in list(module.named_buffers(recurse=False)):
                    setattr(module, name, getattr(module, name).new_zeros(0))

    def takes(self, module: Any) -> str:
        """Return how a neuron module takes its input."""
        return "merged" if type(module).__name__.endswith("Squeeze") else "samples first"

    def shapes_of(self, net: Any, time_axis: int) -> tuple[str, ...]:
        """Return how a module may take a sample, in the order in which it is tried."""
        return ("samples first", "merged")
