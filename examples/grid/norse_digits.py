"""Digits on the grid with Norse: ``python -m spikelet.examples.grid.norse_digits``.

As :mod:`spikelet.examples.grid.snntorch_digits`. Needs torch, norse and scikit-learn.
"""

from typing import Any

import norse.torch as norse
import torch
from torch import Tensor, nn

import spikelet
from spikelet.examples.grid.digits import BITS, HIDDEN, INPUTS, OUTPUTS, each_tick, train_twice
from spikelet.examples.grid.straight_through import on_grid
from spikelet.network.network import Network

DT, TAU_MEM_INV, THRESHOLD = 1e-3, 250.0, 0.5
GAIN = DT * TAU_MEM_INV
"""Of the input, in LIFBoxCell."""


def _parameters(gain: float, threshold: float) -> Any:
    return norse.LIFBoxParameters(
        tau_mem_inv=torch.tensor(gain / DT),
        v_th=torch.tensor(threshold),
        method="super",
        alpha=torch.tensor(10.0),
    )


def network() -> nn.Module:
    """Return linear layers and neurons that multiply their input by 1 - decay, and reset to 0."""
    modules: list[nn.Module] = []
    for inputs, outputs in ((INPUTS, HIDDEN), (HIDDEN, OUTPUTS)):
        cell = norse.LIFBoxCell(_parameters(GAIN, THRESHOLD), dt=DT)
        linear = nn.Linear(inputs, outputs, bias=False)
        linear.weight.data.mul_(1 / GAIN)  # or hardly a neuron spikes in the beginning
        modules += [linear, cell]
    return norse.SequentialState(*modules)


def outputs(net: nn.Module, spikes: Tensor) -> Tensor:
    """Return the output spikes."""
    state = None

    def step(tick: Tensor) -> Tensor:
        nonlocal state
        fired, state = net(tick, state)
        return fired

    return each_tick(step, spikes)


def put_on_grid(net: nn.Module) -> None:
    """Round the weights; the threshold is given in their units, before the gain."""
    modules = list(net.children())
    for linear, cell in zip(modules[::2], modules[1::2], strict=True):
        rounded = on_grid(linear, BITS, threshold=THRESHOLD / GAIN, decay=1 - GAIN)
        gain = 1 - rounded.decay
        cell.p = _parameters(gain, rounded.threshold * gain)


def imported(net: nn.Module, spikes: Tensor, name: str) -> Network:
    """Return the float network, held against the module."""
    return spikelet.from_norse(net, spikes.transpose(0, 1), name=name)[0]


if __name__ == "__main__":
    train_twice("Norse", network, outputs, put_on_grid, imported)
