"""Train the convolutional spiking network: ``python -m spikelet.examples.mnist.train_spiking_cnn``.

Writes ``spiking_cnn.nir``: two ``Conv2d`` with integrate-and-fire neurons behind them, a pool, and
a ``Linear`` whose values are read in each tick. First the same network is trained with ReLU in
place of spikes, then, from its weights, with spikes and with the weights that the chip will hold.

Trained on the first 50,000 of MNIST's training images; the other 10,000 are held out. Needs the
extra ``train``.
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import snntorch
import torch
from torch import Tensor, nn
from torch.nn import functional

import spikelet
from spikelet.examples.mnist.data import load_mnist
from spikelet.examples.snn_training import LEVEL_MAX, LEVEL_MIN, Encoder, Images, shifted

TRAINED, BATCH, TICKS, FULL_SCALE, REACH = 50_000, 256, 8, 255, 1
SIDE, WINDOW, STRIDE, POOL, CHANNELS, CLASSES = 28, 5, 2, 2, (8, 16), 10
RELU_RATE, SPIKING_RATE = 5e-3, 2e-3
_SURROGATE_SLOPE, _LARGEST = 4.0, 0.999
"""The share of activations that a neuron can tell apart: the ReLU value of that quantile is a
spike in each tick."""


class _IntegrateAndFire(torch.autograd.Function):
    """Neurons without a leak, that subtract their threshold; the reset passes no gradient.

    Spikes are those of snnTorch's ``Leaky`` with beta 1. A spike's gradient is that of a fast
    sigmoid.
    """

    @staticmethod
    def forward(ctx: Any, currents: Tensor, threshold: float) -> Tensor:
        above, spikes = torch.empty_like(currents), torch.empty_like(currents)
        potential = torch.zeros_like(currents[0])
        for tick, current in enumerate(currents):
            potential += current
            torch.sub(potential, threshold, out=above[tick])
            torch.gt(above[tick], 0, out=spikes[tick])
            potential.sub_(spikes[tick], alpha=threshold)
        ctx.save_for_backward(above)
        ctx.threshold = threshold
        return spikes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (above,), threshold = ctx.saved_tensors, ctx.threshold
        slope = above.abs_().mul_(_SURROGATE_SLOPE / threshold).add_(1).square_().reciprocal_()
        found = slope.mul_(gradients[0]).div_(threshold)
        for tick in range(len(found) - 2, -1, -1):
            found[tick] += found[tick + 1]
        return found, None


@dataclass
class Grid:
    """A layer's units: the real value of a weight level, and the threshold in levels."""

    step: float
    threshold: int


class SpikingCnn(nn.Module):
    """Both networks, of the same weights: with ReLU, or, with a grid, with spikes."""

    def __init__(self) -> None:
        super().__init__()
        first, second = CHANNELS
        self.first = nn.Conv2d(1, first, WINDOW, STRIDE, bias=False)
        self.second = nn.Conv2d(first, second, WINDOW, bias=False)
        left = ((SIDE - WINDOW) // STRIDE + 2 - WINDOW) // POOL
        self.readout = nn.Linear(second * left**2, CLASSES, bias=False)
        self.layers = (self.first, self.second, self.readout)
        self.grids: list[Grid] = []

    def relu(self, levels: Tensor) -> list[Tensor]:
        """Return what each layer makes of levels (samples, pixels), the last without ReLU."""
        first = self.first(levels.reshape(-1, 1, SIDE, SIDE) / FULL_SCALE).relu()
        second = self.second(first).relu()
        return [first, second, self.readout(_pooled(second).flatten(1))]

    @torch.no_grad()
    def put_on_grid(self, levels: Tensor) -> None:
        """Scale the weights so that spikes can stand for the ReLU values, and choose the grids."""
        before = 1.0
        for layer, values in zip(self.layers, self.relu(levels), strict=True):
            largest = float(np.quantile(values.abs().numpy(), _LARGEST))
            largest = before if layer is self.readout else largest
            layer.weight *= before / largest
            before = largest
            rounded = spikelet.grid(layer.weight.flatten(1).numpy(), 4)
            step = float(np.diff(np.unique(rounded)).min())
            threshold = max(1, round(1 / step))
            self.grids.append(Grid(step if layer is self.readout else 1 / threshold, threshold))

    def levels(self, index: int) -> Tensor:
        """Return a layer's weights as the chip's integers."""
        values = self.layers[index].weight / self.grids[index].step
        values = values.clamp(LEVEL_MIN, LEVEL_MAX)
        return values + (values.round() - values).detach()  # straight-through estimator

    def forward(self, spikes: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map input spikes (ticks, samples, pixels) to values of the classes, and to spikes.

        The values, (ticks, samples, classes), are in levels.
        """
        ticks, samples, _ = spikes.shape

        def fire(currents: Tensor, index: int) -> Tensor:
            each = currents.reshape(ticks, samples, *currents.shape[1:])
            return _IntegrateAndFire.apply(each, float(self.grids[index].threshold))

        images = spikes.reshape(-1, 1, SIDE, SIDE)
        first = fire(functional.conv2d(images, self.levels(0), stride=STRIDE), 0)
        second = fire(functional.conv2d(first.flatten(0, 1), self.levels(1)), 1)
        pooled = _pooled(second.flatten(0, 1)).flatten(1)
        values = functional.linear(pooled, self.levels(2))
        return values.reshape(ticks, samples, CLASSES), [first, second]

    def score(self, levels: Tensor, encoder: Encoder) -> Tensor:
        """Return the value of each class, (samples, classes), as cross-entropy takes it."""
        if not self.grids:
            return self.relu(levels)[-1]
        return self(encoder(levels))[0].sum(0) * (self.grids[-1].step / TICKS * 4)


def _pooled(values: Tensor) -> Tensor:
    """Return the sums over windows."""
    return functional.avg_pool2d(values, POOL) * POOL**2


def fit(network: SpikingCnn, images: Images, encoder: Encoder, epochs: int, rate: float) -> None:
    """Train with Adam and cross-entropy, on images moved by up to a pixel."""
    generator = torch.Generator().manual_seed(len(network.grids))
    optimiser = torch.optim.Adam(network.parameters())
    steps = epochs * -(-len(images.labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for epoch in range(epochs):
        losses = []
        for chosen in torch.randperm(len(images.labels), generator=generator).split(BATCH):
            levels = shifted(images.levels[chosen], REACH, generator)
            found = network.score(levels, encoder)
            loss = functional.cross_entropy(found, images.labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        print(f"  epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}", flush=True)


@torch.no_grad()
def accuracy(network: SpikingCnn, images: Images, encoder: Encoder) -> float:
    """Return the share of images whose class has the largest value."""
    pairs = zip(images.levels.split(500), images.labels.split(500), strict=True)
    right = [(network.score(levels, encoder).argmax(1) == labels).sum() for levels, labels in pairs]
    return float(sum(right)) / len(images.labels)


@torch.no_grad()
def matches_snntorch(network: SpikingCnn, spikes: Tensor) -> bool:
    """Return whether snnTorch's ``Leaky`` modules give the same spikes and values."""
    neurons = [
        snntorch.Leaky(beta=1.0, threshold=float(grid.threshold), reset_mechanism="subtract")
        for grid in network.grids[:2]
    ]
    states = [module.init_leaky() for module in neurons]
    weights, found = [network.levels(index) for index in range(3)], []
    for tick in spikes.reshape(*spikes.shape[:2], 1, SIDE, SIDE):
        currents = functional.conv2d(tick, weights[0], stride=STRIDE)
        first, states[0] = neurons[0](currents, states[0])
        second, states[1] = neurons[1](functional.conv2d(first, weights[1]), states[1])
        values = functional.linear(_pooled(second).flatten(1), weights[2])
        found.append((values, first, second))
    values, layers = network(spikes)
    pairs = zip((values, *layers), zip(*found, strict=True), strict=True)
    return all(torch.equal(mine, torch.stack(theirs)) for mine, theirs in pairs)


@torch.no_grad()
def export(network: SpikingCnn, path: Path) -> None:
    """Write the network as a NIR file, in whole levels: nothing of it is rounded."""
    weights = [network.levels(index).numpy() for index in range(3)]
    first = (SIDE - WINDOW) // STRIDE + 1
    second = first - WINDOW + 1
    maps = ((CHANNELS[0], first, first), (CHANNELS[1], second, second))

    def convolution(index: int, extent: int, stride: int) -> nir.Conv2d:
        kernel = weights[index]
        sizes = {"stride": stride, "padding": 0, "dilation": 1, "groups": 1}
        return nir.Conv2d((extent, extent), kernel, bias=np.zeros(len(kernel)), **sizes)

    def neurons(index: int) -> nir.IF:
        shape, threshold = maps[index], network.grids[index].threshold
        ones = np.ones(shape, np.float32)
        return nir.IF(r=ones, v_threshold=threshold * ones, v_reset=0 * ones)

    pooled = (CHANNELS[1], second // POOL, second // POOL)
    pool = np.array([POOL, POOL])
    nodes = {
        "input": nir.Input({"input": np.array([1, SIDE, SIDE])}),
        "conv1": convolution(0, SIDE, STRIDE),
        "if1": neurons(0),
        "conv2": convolution(1, first, 1),
        "if2": neurons(1),
        "pool": nir.SumPool2d(pool, pool, np.array([0, 0])),
        "flatten": nir.Flatten({"input": np.array(pooled)}, 0, -1),
        "linear": nir.Linear(weights[2]),
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(pairwise(names)))
    graph.metadata = {
        "dt": 1e-4,
        "simulator": "snntorch",
        "reset_mechanism": "subtract",
        "reset_delay": True,
        "encoder": "rate",
        "full_scale": FULL_SCALE,
        "ticks": TICKS,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    nir.write(path, graph)


def main() -> None:
    """Train, and write the network."""
    parser = argparse.ArgumentParser(description="Train the convolutional spiking network.")
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--relu-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=12, help="with spikes")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("spiking_cnn.nir"))
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    levels, labels = load_mnist(options.data)
    training = Images.from_numpy(levels[:TRAINED], labels[:TRAINED])
    held_out = Images.from_numpy(levels[TRAINED:], labels[TRAINED:])
    encoder, network = Encoder(FULL_SCALE, TICKS), SpikingCnn()
    fit(network, training, encoder, options.relu_epochs, RELU_RATE)
    print(f"ReLU: {accuracy(network, held_out, encoder):.2%} of the held-out images", flush=True)
    network.put_on_grid(training.levels[:1_000])
    print(f"spikes, before training: {accuracy(network, held_out, encoder):.2%}", flush=True)
    fit(network, training, encoder, options.epochs, SPIKING_RATE)
    print(f"spikes, weights of 4 bits: {accuracy(network, held_out, encoder):.2%}", flush=True)
    if not matches_snntorch(network, encoder(held_out.levels[:200])):
        raise RuntimeError("snnTorch's Leaky modules do not give the spikes of this network")
    export(network, options.out)


if __name__ == "__main__":
    main()
