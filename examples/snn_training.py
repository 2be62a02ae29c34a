"""Training of small spiking networks with few bits of weights, shared by the example scripts.

A network is a chain of bias-free linear layers, each followed by snnTorch's ``Leaky`` neuron
(``reset_mechanism="subtract"``, ``reset_delay=True``). The forward pass is written out here in
plain torch, because that is faster than calling the modules tick by tick; `matches_snntorch`
checks that both give the same spikes.

A layer's step of 4-bit weights is a power of two, so that the sums of weights are exact in float32
and do not depend on the order of summation.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import numpy.typing as npt
import snntorch
import torch
from snntorch.export_nir import export_to_nir
from torch import Tensor, nn

from spikelet.samples.encode import rate
from spikelet.samples.samples import winners

LEVEL_MIN, LEVEL_MAX = -8, 7
"""The signed 4-bit weight levels."""

_SURROGATE_SLOPE = 10.0


class _Spike(torch.autograd.Function):
    """1 where the input is above 0; its gradient is that of a fast sigmoid."""

    @staticmethod
    def forward(ctx: Any, above: Tensor) -> Tensor:
        ctx.save_for_backward(above)
        return (above > 0).to(above.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (above,) = ctx.saved_tensors
        return gradients[0] / (1 + _SURROGATE_SLOPE * above.abs()) ** 2


@dataclass(frozen=True)
class LayerPlan:
    """Size and constants of one layer; ``scale`` is the value of one weight level."""

    neurons: int
    beta: float
    threshold: float
    scale: float


@dataclass(frozen=True)
class TrainingPlan:
    """How to encode and to train; images are moved by up to ``reach`` pixels in training."""

    full_scale: int
    ticks: int
    float_epochs: int
    quantised_epochs: int
    batch: int
    reach: int
    seed: int


class SpikingNetwork(nn.Module):
    """Linear and leaky integrate-and-fire layers; all layers run within the same tick."""

    bits = 4

    def __init__(self, inputs: int, layers: list[LayerPlan]) -> None:
        super().__init__()
        self.layers = layers
        self.quantised = False
        sizes = [inputs, *(layer.neurons for layer in layers)]
        self.weights = nn.ParameterList(
            nn.Linear(before, after, bias=False).weight for before, after in pairwise(sizes)
        )

    def weight(self, index: int) -> Tensor:
        """Return a layer's weights, rounded to its 4-bit grid if the network is quantised."""
        weight, scale = self.weights[index], self.layers[index].scale
        if not self.quantised:
            return weight
        levels = (weight / scale).clamp(LEVEL_MIN, LEVEL_MAX)
        return (levels + (levels.round() - levels).detach()) * scale  # straight-through estimator

    def clamp_weights(self) -> None:
        """Move weights outside the 4-bit range to its ends, where they still get gradients."""
        with torch.no_grad():
            for weight, layer in zip(self.weights, self.layers, strict=True):
                weight.clamp_(LEVEL_MIN * layer.scale, LEVEL_MAX * layer.scale)

    def check_range(self) -> None:
        """Raise unless every layer's largest weight tells its scale: as |w| / 8 or / 7."""
        for index, layer in enumerate(self.layers):
            levels = self.weight(index) / layer.scale
            if levels.min() > LEVEL_MIN and levels.max() < LEVEL_MAX:
                raise RuntimeError(f"layer {index} leaves 4-bit levels unused: lower its scale")

    def forward(self, spikes: Tensor) -> Tensor:
        """Map input spikes (ticks, samples, inputs) to the last layer's spikes."""
        for index, layer in enumerate(self.layers):
            currents = spikes @ self.weight(index).T
            potential = torch.zeros_like(currents[0])
            fired = []
            for current in currents:
                reset = (potential > layer.threshold).to(potential.dtype)
                potential = layer.beta * potential + current - reset * layer.threshold
                fired.append(_Spike.apply(potential - layer.threshold))
            spikes = torch.stack(fired)
        return spikes


class Encoder:
    """`spikelet.samples.encode.rate` as a table lookup, with ticks as the first axis."""

    def __init__(self, full_scale: int, ticks: int) -> None:
        trains = rate(np.arange(full_scale + 1)[:, None], full_scale, ticks)[:, :, 0]
        self._table = torch.from_numpy(trains.T.astype(np.float32))

    def __call__(self, levels: Tensor) -> Tensor:
        """Return the spikes (ticks, samples, inputs) of integer levels (samples, inputs)."""
        index = levels.long()
        return torch.stack([row[index] for row in self._table])


@dataclass(frozen=True)
class Images:
    """Flattened square images as integer levels (samples, pixels), and their classes."""

    levels: Tensor
    labels: Tensor

    @classmethod
    def from_numpy(cls, levels: npt.ArrayLike, labels: npt.ArrayLike) -> "Images":
        """Copy two integer arrays."""
        return cls(torch.tensor(levels, dtype=torch.uint8), torch.tensor(labels, dtype=torch.int64))


def shifted(levels: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Move flattened square images together by up to ``reach`` pixels, filling with 0."""
    side = math.isqrt(levels.shape[1])
    down, right = torch.randint(0, 2 * reach + 1, (2,), generator=generator).tolist()
    padded = nn.functional.pad(levels.reshape(-1, side, side), (reach,) * 4)
    return padded[:, down : down + side, right : right + side].flatten(1)


def fit(network: SpikingNetwork, images: Images, encoder: Encoder, plan: TrainingPlan) -> None:
    """Train with Adam, a cosine schedule, and cross-entropy on the output spike counts."""
    epochs = plan.quantised_epochs if network.quantised else plan.float_epochs
    learning_rate = 1e-3 if network.quantised else 3e-3
    generator = torch.Generator().manual_seed(plan.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    steps = epochs * math.ceil(len(images.labels) / plan.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(images.labels), generator=generator).split(plan.batch):
            levels = images.levels[chosen]
            if plan.reach:
                levels = shifted(levels, plan.reach, generator)
            counts = network(encoder(levels)).sum(0)
            loss = nn.functional.cross_entropy(counts, images.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            network.clamp_weights()
            total += loss.item() * len(chosen) / len(images.labels)
        if (epoch + 1) % math.ceil(epochs / 10) == 0:
            print(f"  epoch {epoch + 1}/{epochs}: loss {total:.4f}", flush=True)


@torch.no_grad()
def accuracy(network: SpikingNetwork, images: Images, encoder: Encoder) -> float:
    """Return the share of images whose class spikes most; ties go to the lowest class.

    An image without an output spike has no class.
    """
    hits = 0
    for levels, labels in zip(images.levels.split(500), images.labels.split(500), strict=True):
        counts = network(encoder(levels)).sum(0).numpy()
        hits += int((winners(counts) == labels.numpy()).sum())
    return hits / len(images.labels)


def snntorch_modules(network: SpikingNetwork) -> nn.Sequential:
    """Return the same network as snnTorch modules that keep their state between calls."""
    modules: list[nn.Module] = []
    for index, layer in enumerate(network.layers):
        weight = network.weight(index).detach()
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        linear.weight.data.copy_(weight)
        # One constant per neuron: NIR needs shapes, and the export copies those of the constants.
        leaky = snntorch.Leaky(
            beta=torch.full((layer.neurons,), layer.beta),
            threshold=torch.full((layer.neurons,), layer.threshold),
            reset_mechanism="subtract",
            init_hidden=True,
        )
        modules += [linear, leaky]
    return nn.Sequential(*modules)


@torch.no_grad()
def matches_snntorch(network: SpikingNetwork, spikes: Tensor) -> bool:
    """Return whether snnTorch's modules give exactly this network's output spikes."""
    modules = snntorch_modules(network)
    return torch.equal(network(spikes), torch.stack([modules(tick) for tick in spikes]))


def export(network: SpikingNetwork, path: Path, plan: TrainingPlan) -> None:
    """Write the network as a NIR file; what NIR cannot say of it goes to the metadata."""
    inputs = network.weights[0].shape[1]
    graph = export_to_nir(snntorch_modules(network), torch.zeros(1, inputs), ignore_dims=[0])
    graph.edges.sort()  # they come in the order of a set, and the file should be reproducible
    graph.metadata = {
        "dt": 1e-4,  # in seconds, as export_to_nir takes for granted
        "simulator": f"snntorch {snntorch.__version__}",
        "reset_mechanism": "subtract",
        "reset_delay": True,
        "encoder": "rate",
        "full_scale": plan.full_scale,
        "ticks": plan.ticks,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    nir.write(path, graph)


def modules_in(path: Path) -> dict[str, nn.Module]:
    """Return the snnTorch modules of a NIR file that :func:`export` wrote, by node, in order."""
    graph = nir.read(path)
    after = dict(graph.edges)
    modules: dict[str, nn.Module] = {}
    name = after["input"]
    while name != "output":
        node = graph.nodes[name]
        if isinstance(node, nir.Linear):
            modules[name] = nn.Linear(*node.weight.shape[::-1], bias=False)
            modules[name].weight.data = torch.tensor(node.weight)
        else:
            modules[name] = snntorch.Leaky(
                beta=torch.tensor(1 - 1 / node.r),  # r is 1 / (1 - beta)
                threshold=torch.tensor(node.v_threshold),
                reset_mechanism=graph.metadata["reset_mechanism"],
                reset_delay=bool(graph.metadata["reset_delay"]),
                init_hidden=True,
            )
        name = after[name]
    return modules


@torch.no_grad()
def record(path: Path, spikes: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    """Return what snnTorch makes of input spikes (samples, ticks, inputs), for a samples file.

    ``expected`` are the spikes of the last layer, ``layer_NODE`` those of a hidden one, each of
    shape (samples, ticks, neurons).
    """
    modules = modules_in(path)
    found: dict[str, list[Tensor]] = {
        name: [] for name, module in modules.items() if isinstance(module, snntorch.Leaky)
    }
    for tick in torch.tensor(spikes, dtype=torch.float32).swapaxes(0, 1):
        signal = tick
        for name, module in modules.items():
            signal = module(signal)
            if name in found:
                found[name].append(signal > 0)
    *hidden, last = ((name, torch.stack(ticks, 1).numpy()) for name, ticks in found.items())
    return {"expected": last[1], **{f"layer_{name}": values for name, values in hidden}}


def train_and_export(
    layers: list[LayerPlan],
    plan: TrainingPlan,
    training: Images,
    held_out: Images,
    path: Path,
    kind: type[SpikingNetwork] = SpikingNetwork,
) -> None:
    """Train in float, then with few bits; write the NIR file and print the accuracies."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    encoder = Encoder(plan.full_scale, plan.ticks)
    network = kind(training.levels.shape[1], layers)
    fit(network, training, encoder, plan)
    print(f"unquantised weights: {accuracy(network, held_out, encoder):.2%} of the held-out images")
    network.quantised = True
    fit(network, training, encoder, plan)
    reached = accuracy(network, held_out, encoder)
    print(f"{network.bits}-bit weights: {reached:.2%} of the held-out images")
    network.check_range()
    if not matches_snntorch(network, encoder(held_out.levels[:200])):
        raise RuntimeError("snnTorch's Leaky modules do not give the spikes of this network")
    export(network, path, plan)
    sizes = "-".join(map(str, [training.levels.shape[1], *(layer.neurons for layer in layers)]))
    print(f"wrote {path}: {sizes}, {plan.ticks} ticks")
