"""A layer's weights and neuron constants on the grid in a torch training loop.

The forward pass uses what a chip will hold; gradients pass straight through to the weights behind
(Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons"). Nothing here
belongs to one framework: the weights are those of a ``torch.nn`` module, and the neurons are told
their threshold and decay.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor, from_numpy, nn
from torch.nn.utils import parametrize

import spikelet

__all__ = ["Rounded", "on_grid"]


@dataclass(frozen=True)
class Rounded:
    """A layer's threshold and decay, as the chip holds them; what the neurons are to be told."""

    threshold: float
    decay: float


class _OnGrid(nn.Module):
    """Rounds a weight on its way into the forward pass, and no gradient on its way back."""

    def __init__(self, bits: int, threshold: float, decay: float, model: str) -> None:
        super().__init__()
        self.bits, self.threshold, self.decay, self.model = bits, threshold, decay, model

    def rounded(self, weight: Tensor) -> dict[str, np.ndarray]:
        layer = {
            "weights": weight.detach().cpu().numpy(),
            "threshold": np.float64(self.threshold),
            "decay": np.float64(self.decay),
        }
        return spikelet.grid(layer, self.bits, neuron=self.model)

    def forward(self, weight: Tensor) -> Tensor:
        values = from_numpy(self.rounded(weight)["weights"]).to(weight)
        return weight + (values - weight).detach()


def on_grid(
    layer: nn.Module, bits: int, *, threshold: float, decay: float, model: str = "nir-euler"
) -> Rounded:
    """Let a layer compute with weights on the grid from now on; return its neurons' constants.

    Parameters
    ----------
    layer : nn.Module
        ``Linear`` or ``Conv2d``, with a ``weight``.
    bits : int
        As ``weight_bits`` of :func:`spikelet.compile`.
    threshold, decay : float
        Of the neurons behind it.
    model : str
        Their neuron model.
    """
    rounding = _OnGrid(bits, threshold, decay, model)
    if not parametrize.is_parametrized(layer, "weight"):
        parametrize.register_parametrization(layer, "weight", rounding)
    found = rounding.rounded(layer.weight)
    return Rounded(float(found["threshold"]), float(found["decay"]))
