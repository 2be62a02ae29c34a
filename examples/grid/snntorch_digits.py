"""Digits on the grid with snnTorch: ``python -m spikelet.examples.grid.snntorch_digits``.

Trains 64-32-10 in float, then for some more epochs with the weights on the grid, and prints for
both how the integers of 4-bit weights classify, and how far their output spikes are snnTorch's own.
Needs torch, snntorch, nir, nirtorch and scikit-learn (the extra ``train``).
"""

import argparse
import tempfile
from pathlib import Path

import nir
import numpy as np
import snntorch
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from snntorch import surrogate, utils
from snntorch.export_nir import export_to_nir
from torch import Tensor, nn
from torch.nn.utils import parametrize

import spikelet
from spikelet.examples.grid.straight_through import on_grid

TICKS, BETA, THRESHOLD, HIDDEN, BATCH = 16, 0.9, 1.0, 32, 64
MODEL = "snntorch-subtract"


def network() -> nn.Sequential:
    """Return linear layers and snnTorch's neurons, one constant a neuron: NIR needs their shape."""
    modules: list[nn.Module] = []
    for inputs, outputs in ((64, HIDDEN), (HIDDEN, 10)):
        leaky = snntorch.Leaky(
            beta=torch.full((outputs,), BETA),
            threshold=torch.full((outputs,), THRESHOLD),
            spike_grad=surrogate.fast_sigmoid(slope=10),
            init_hidden=True,
        )
        modules += [nn.Linear(inputs, outputs, bias=False), leaky]
    return nn.Sequential(*modules)


def outputs(net: nn.Sequential, spikes: Tensor) -> Tensor:
    """Return output spikes, (samples, ticks, outputs), of input spikes (samples, ticks, inputs)."""
    utils.reset(net)
    with parametrize.cached():  # weights are rounded once, not in every tick
        return torch.stack([net(tick) for tick in spikes.unbind(1)], 1)


def fit(net: nn.Sequential, spikes: Tensor, labels: Tensor, epochs: int, rate: float) -> None:
    """Train by the spikes that each output has."""
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            counts = outputs(net, spikes[chosen]).sum(1)
            loss = nn.functional.cross_entropy(counts, labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()


def put_on_grid(net: nn.Sequential, bits: int) -> None:
    """Round what every layer computes with, and tell its neurons their constants."""
    for linear, leaky in zip(net[::2], net[1::2], strict=True):
        rounded = on_grid(linear, bits, threshold=THRESHOLD, decay=BETA, model=MODEL)
        leaky.threshold.data.fill_(rounded.threshold)
        leaky.beta.data.fill_(rounded.decay)


def exported(net: nn.Sequential, path: Path) -> Path:
    """Write a NIR file with what NIR cannot say in its metadata."""
    graph = export_to_nir(net, torch.zeros(1, 64), ignore_dims=[0])
    graph.metadata = {
        "dt": 1e-4,  # as export_to_nir takes for granted
        "simulator": f"snntorch {snntorch.__version__}",
        "reset_mechanism": "subtract",
        "reset_delay": True,
    }
    nir.write(path, graph)
    return path


@torch.no_grad()
def report(title: str, net: nn.Sequential, path: Path, test: tuple[Tensor, Tensor]) -> None:
    """Print what is left of the framework's network on the chip's integers."""
    spikes, labels = test[0].numpy().astype(np.uint8), test[1].numpy()
    framework = outputs(net, test[0]).numpy().astype(bool)
    classes = framework.sum(1).argmax(1)
    print(f"{title}: snnTorch {np.mean(classes == labels):.2%}")
    for potential_bits in (16, 20, 24):
        compiled = spikelet.compile(path, weight_bits=4, potential_bits=potential_bits)
        ran = spikelet.run(compiled, spikes)
        chip = ran.outputs.astype(bool)
        overlap = (chip & framework).sum() / (chip | framework).sum()
        accuracy = np.mean(ran.classify() == labels)
        print(
            f"  4-bit weights, {potential_bits}-bit potentials: {accuracy:.2%}, "
            f"overlap of the output spikes with snnTorch's {overlap:.4f}"
        )


def main() -> None:
    """Train twice, and print what the chip keeps of each."""
    parser = argparse.ArgumentParser(description="Train digits in float and on the grid.")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, help="Folder for float.nir and grid.nir.")
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
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder)
        net = network()
        fit(net, shown, labels, given.epochs, 5e-3)
        report("in float", net, exported(net, out / "float.nir"), (test, test_labels))
        put_on_grid(net, 4)
        fit(net, shown, labels, given.epochs, 1e-3)
        put_on_grid(net, 4)  # the constants that belong to the last weights
        for linear in net[::2]:
            parametrize.remove_parametrizations(linear, "weight")
        report("on the grid", net, exported(net, out / "grid.nir"), (test, test_labels))


if __name__ == "__main__":
    main()
