"""Digits on the grid with snnTorch: ``python -m spikelet.examples.grid.snntorch_digits``.

Trains 64-32-10 on scikit-learn's digits in float, then for some more epochs with the weights on the
grid, and prints for both how the integers of 4-bit weights classify, and how far their output
spikes are snnTorch's own. Needs torch, snntorch and scikit-learn.
"""

import snntorch
import torch
from snntorch import surrogate, utils
from torch import Tensor, nn

import spikelet
from spikelet.examples.grid.digits import BITS, HIDDEN, INPUTS, OUTPUTS, each_tick, train_twice
from spikelet.examples.grid.straight_through import on_grid
from spikelet.network.network import Network

BETA, THRESHOLD = 0.9, 1.0


def network() -> nn.Sequential:
    """Return linear layers and snnTorch's neurons."""
    modules: list[nn.Module] = []
    for inputs, outputs in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS)):
        leaky = snntorch.Leaky(
            beta=BETA,
            threshold=THRESHOLD,
            spike_grad=surrogate.fast_sigmoid(slope=10),
            init_hidden=True,
        )
        modules += [nn.Linear(inputs, outputs, bias=False), leaky]
    return nn.Sequential(*modules)


def outputs(net: nn.Module, spikes: Tensor) -> Tensor:
    """Return the output spikes."""
    utils.reset(net)
    return each_tick(net, spikes)


def put_on_grid(net: nn.Module) -> None:
    """Round the weights; threshold and beta are those of the weights' grid."""
    modules = list(net.children())
    for linear, leaky in zip(modules[::2], modules[1::2], strict=True):
        rounded = on_grid(linear, BITS, threshold=THRESHOLD, decay=BETA, model="snntorch-subtract")
        leaky.threshold.data.fill_(rounded.threshold)
        leaky.beta.data.fill_(rounded.decay)


def imported(net: nn.Module, spikes: Tensor, name: str) -> Network:
    """Return the float network, held against the module."""
    utils.reset(net)
    return spikelet.from_snntorch(net, spikes.transpose(0, 1), name=name)[0]


if __name__ == "__main__":
    torch.set_num_threads(1)
    train_twice("snnTorch", network, outputs, put_on_grid, imported)
