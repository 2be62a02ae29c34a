"""Digits in float and on the grid, for the loops of all frameworks: scikit-learn's, 64-32-10.

A framework's own script gives its network, how that is run, and how its neurons are told constants.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.utils import parametrize

import spikelet
from spikelet.network.network import Network

__all__ = ["BITS", "HIDDEN", "INPUTS", "OUTPUTS", "TICKS", "each_tick", "train_twice"]

INPUTS, HIDDEN, OUTPUTS, TICKS, BITS = 64, 32, 10, 16, 4
_BATCH, _POTENTIAL_BITS = 64, (16, 20, 24)

Outputs = Callable[[nn.Module, Tensor], Tensor]


def each_tick(step: Callable[[Tensor], Tensor], spikes: Tensor) -> Tensor:
    """Return what a step makes of each tick: (samples, ticks, outputs).

    Parameters
    ----------
    step : callable
        From the input spikes of a tick, (samples, inputs), to the output spikes.
    spikes : Tensor, shape (samples, ticks, inputs)
    """
    with parametrize.cached():  # weights are rounded once, not in every tick
        return torch.stack([step(tick) for tick in spikes.unbind(1)], 1)


def fit(
    net: nn.Module, outputs: Outputs, spikes: Tensor, labels: Tensor, epochs: int, rate: float
) -> None:
    """Train by the spikes that each output has."""
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(_BATCH):
            counts = outputs(net, spikes[chosen]).sum(1)
            loss = nn.functional.cross_entropy(counts, labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()


@torch.no_grad()
def report(
    title: str, framework: str, made: Tensor, network: Network | Path, test: Tensor, labels: Tensor
) -> None:
    """Print what is left of the framework's network on the chip's integers."""
    spikes, classes = test.numpy().astype(np.uint8), labels.numpy()
    own = made.numpy().astype(bool)
    print(f"{title}: {framework} {np.mean(own.sum(1).argmax(1) == classes):.2%}")
    for potential_bits in _POTENTIAL_BITS:
        compiled = spikelet.compile(network, weight_bits=BITS, potential_bits=potential_bits)
        ran = spikelet.run(compiled, spikes)
        chip = ran.outputs.astype(bool)
        overlap = (chip & own).sum() / (chip | own).sum()
        print(
            f"  {BITS}-bit weights, {potential_bits}-bit potentials: "
            f"{np.mean(ran.classify() == classes):.2%}, "
            f"overlap of the output spikes with {framework}'s {overlap:.4f}"
        )


def train_twice(
    framework: str,
    network: Callable[[], nn.Module],
    outputs: Outputs,
    put_on_grid: Callable[[nn.Module], None],
    imported: Callable[[nn.Module, Tensor, str], Network | Path],
) -> None:
    """Train in float and then on the grid, as the command line says, and report on both.

    Parameters
    ----------
    framework : str
    network : callable
        Returns the network in float, whose layers with a ``weight`` are ``nn.Linear``.
    outputs : callable
        Returns the output spikes (samples, ticks, outputs) of a network for input spikes (samples,
        ticks, inputs), from its beginning.
    put_on_grid : callable
        Rounds what every layer computes with, and tells its neurons their constants.
    imported : callable
        Returns what Spikelet compiles, from a network, input spikes, and a name.
    """
    parser = argparse.ArgumentParser(description="Train digits in float and on the grid.")
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    levels, classes = load_digits(return_X_y=True)
    parts = train_test_split(
        spikelet.rate(levels.astype(int), 16, TICKS).astype(np.float32),
        classes,
        test_size=360,
        stratify=classes,
        random_state=1,
    )
    shown, test, labels, test_labels = (torch.from_numpy(part) for part in parts)
    net = network()

    def told(title: str, name: str) -> None:
        with torch.no_grad():
            made = outputs(net, test)
        report(title, framework, made, imported(net, test, name), test, test_labels)

    fit(net, outputs, shown, labels, given.epochs, 5e-3)
    told("in float", "float")
    put_on_grid(net)
    fit(net, outputs, shown, labels, given.epochs, 1e-3)
    put_on_grid(net)  # the constants that belong to the last weights
    for module in net.modules():
        if isinstance(module, nn.Linear):
            parametrize.remove_parametrizations(module, "weight")
    told("on the grid", "grid")
