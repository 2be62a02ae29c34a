"""Digits on the grid with SpikingJelly: ``python -m spikelet.examples.grid.spikingjelly_digits``.

As :mod:`spikelet.examples.grid.snntorch_digits`. Needs torch, spikingjelly and scikit-learn.
"""

from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

import spikelet
from spikelet.examples.grid.digits import BITS, HIDDEN, INPUTS, OUTPUTS, each_tick, train_twice
from spikelet.examples.grid.straight_through import on_grid
from spikelet.network.network import Network

TAU, THRESHOLD = 4.0, 1.0


def network() -> nn.Sequential:
    """Return linear layers and neurons that divide their input by tau, and reset to 0."""
    modules: list[nn.Module] = []
    for inputs, outputs in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS)):
        node = neuron.LIFNode(
            tau=TAU,
            decay_input=True,
            v_threshold=THRESHOLD,
            v_reset=0.0,
            surrogate_function=surrogate.ATan(),
        )
        linear = nn.Linear(inputs, outputs, bias=False)
        linear.weight.data.mul_(TAU)  # or hardly a neuron spikes in the beginning
        modules += [linear, node]
    return nn.Sequential(*modules)


def outputs(net: nn.Module, spikes: Tensor) -> Tensor:
    """Return the output spikes."""
    functional.reset_net(net)
    return each_tick(net, spikes)


def put_on_grid(net: nn.Module) -> None:
    """Round the weights; the threshold is given in their units, before the division by tau."""
    modules = list(net.children())
    for linear, node in zip(modules[::2], modules[1::2], strict=True):
        rounded = on_grid(
            linear, BITS, threshold=THRESHOLD * TAU, decay=1 - 1 / TAU, model="lif-ge"
        )
        node.tau = 1 / (1 - rounded.decay)
        node.v_threshold = rounded.threshold / node.tau


def imported(net: nn.Module, spikes: Tensor, name: str) -> Network:
    """Return the float network, held against the module."""
    functional.reset_net(net)
    return spikelet.from_spikingjelly(net, spikes.transpose(0, 1), name=name)[0]


if __name__ == "__main__":
    train_twice("SpikingJelly", network, outputs, put_on_grid, imported)
