"""Modules of snnTorch."""

from typing import Any

from tests.frameworks.cases import Case, cases, exact

CASES: dict[str, Case] = {}


def _sequential(kind: str, hidden: dict[str, Any], last: dict[str, Any]) -> Any:
    """Return a chain of two layers that keeps its states itself."""
    import snntorch
    from torch import nn

    neurons = getattr(snntorch, kind)
    return exact(
        nn.Sequential(
            nn.Linear(10, 8),
            neurons(**hidden, init_hidden=True),
            nn.Linear(8, 4),
            neurons(**last, init_hidden=True),
        )
    )


def _looped(**options: Any) -> Any:
    """Return a module that loops over the ticks, as snnTorch's tutorials do."""
    import snntorch
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = nn.Linear(10, 8)
            self.lif1 = snntorch.Leaky(beta=0.75, **options)
            self.fc2 = nn.Linear(8, 4)
            self.lif2 = snntorch.Leaky(beta=0.5, **options)

        def forward(self, x: Any) -> Any:
            mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
            spikes, potentials = [], []
            for step in range(x.size(0)):
                spk1, mem1 = self.lif1(self.fc1(x[step]), mem1)
                spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
                spikes.append(spk2)
                potentials.append(mem2)
            return torch.stack(spikes), torch.stack(potentials)

    return exact(Net())


@cases(CASES, "snntorch-subtract", "snntorch-subtract")
def leaky_looped() -> Any:
    return _looped()


@cases(CASES, "snntorch-subtract", "linear")
def readout_of_ticks() -> Any:
    """Weights behind the last neurons, of a chain that takes one tick after the other."""
    import snntorch
    from torch import nn

    neurons = snntorch.Leaky(beta=0.75, init_hidden=True)
    return exact(nn.Sequential(nn.Linear(10, 8), neurons, nn.Linear(8, 4)))


@cases(CASES, "snntorch-subtract", "snntorch-subtract", "linear", "linear")
def spikes_and_readouts() -> Any:
    """Spikes, and two readouts, of whole sequences and of a list of ticks."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.spiking, self.behind, self.beside = _looped(), nn.Linear(4, 3), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            spikes, _ = self.spiking(x)
            return spikes, self.behind(spikes), [self.beside(tick) for tick in torch.unbind(spikes)]

    return exact(Net())


@cases(CASES, "snntorch-subtract-immediate", "snntorch-subtract-immediate")
def leaky_subtract_immediate() -> Any:
    return _looped(reset_delay=False, threshold=0.75)


@cases(CASES, "snntorch-zero", "snntorch-zero")
def leaky_zero() -> Any:
    return _looped(reset_mechanism="zero")


@cases(CASES, "snntorch-zero-immediate", "snntorch-zero-immediate")
def leaky_zero_immediate() -> Any:
    return _looped(reset_mechanism="zero", reset_delay=False)


@cases(CASES, "snntorch-none", "snntorch-none")
def leaky_none() -> Any:
    return _looped(reset_mechanism="none")


@cases(CASES, "snntorch-subtract", "snntorch-subtract")
def leaky_of_tensors() -> Any:
    """A beta above 1 and one below 0, which snnTorch clamps, and a threshold for each neuron."""
    import torch

    beta = torch.tensor([1.25, 1.0, 0.5, 0.75, 0.875, -0.25, 0.0, 0.5])
    threshold = torch.linspace(0.5, 1.375, 8)
    return _sequential(
        "Leaky", {"beta": beta, "threshold": threshold, "learn_beta": True}, {"beta": 0.75}
    )


@cases(CASES, "snntorch-subtract", "snntorch-zero-immediate")
def rleaky_all_to_all() -> Any:
    import snntorch
    from torch import nn

    return exact(
        nn.Sequential(
            nn.Linear(10, 8),
            snntorch.RLeaky(beta=0.75, linear_features=8, init_hidden=True),
            nn.Linear(8, 4),
            snntorch.RLeaky(
                beta=0.5,
                linear_features=4,
                init_hidden=True,
                reset_mechanism="zero",
                reset_delay=False,
            ),
        )
    )


@cases(CASES, "snntorch-rleaky-zero", "snntorch-rleaky-zero")
def rleaky_one_to_one() -> Any:
    """One strength for each neuron, and one for all; a loop that hands the spikes on."""
    import snntorch
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            options = {"all_to_all": False, "reset_mechanism": "zero"}
            self.fc1 = nn.Linear(10, 8)
            self.lif1 = snntorch.RLeaky(beta=0.75, V=torch.linspace(-1, 0.75, 8), **options)
            self.fc2 = nn.Linear(8, 4)
            self.lif2 = snntorch.RLeaky(beta=0.5, V=0.5, **options)

        def forward(self, x: Any) -> Any:
            spk1, mem1 = self.lif1.init_rleaky()
            spk2, mem2 = self.lif2.init_rleaky()
            found = []
            for given in x:
                spk1, mem1 = self.lif1(self.fc1(given), spk1, mem1)
                spk2, mem2 = self.lif2(self.fc2(spk1), spk2, mem2)
                found.append(spk2)
            return torch.stack(found).sum(dim=0)

    return exact(Net())


@cases(CASES, "snntorch-subtract", "snntorch-subtract")
def recurrence_by_hand() -> Any:
    """Spikes that forward itself leads back, through weights and a bias, from 0 on."""
    import snntorch
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.back, self.fc2 = nn.Linear(10, 8), nn.Linear(8, 8), nn.Linear(8, 4)
            self.lif1, self.lif2 = snntorch.Leaky(beta=0.75), snntorch.Leaky(beta=0.5)

        def forward(self, x: Any) -> Any:
            mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
            spk1 = torch.zeros(x.shape[1], 8)
            found = []
            for given in x:
                spk1, mem1 = self.lif1(self.fc1(given) + self.back(spk1), mem1)
                skip = 0.5 * given[:, 2:6] - given[:, 6:]
                spk2, mem2 = self.lif2(self.fc2(spk1) + skip, mem2)
                found.append(spk2)
            return torch.stack(found)

    return exact(Net())


def _synaptic(**options: Any) -> Any:
    first, second = {"alpha": 0.5, "beta": 0.75}, {"alpha": 0.25, "beta": 0.5}
    return _sequential("Synaptic", {**first, **options}, {**second, **options})


@cases(CASES, "snntorch-synaptic-subtract", "snntorch-synaptic-subtract")
def synaptic() -> Any:
    return _synaptic()


@cases(CASES, "snntorch-synaptic-subtract-immediate", "snntorch-synaptic-subtract-immediate")
def synaptic_subtract_immediate() -> Any:
    return _synaptic(reset_delay=False)


@cases(CASES, "snntorch-synaptic-zero", "snntorch-synaptic-zero")
def synaptic_zero() -> Any:
    return _synaptic(reset_mechanism="zero")


@cases(CASES, "cuba-lif", "cuba-lif")
def synaptic_zero_immediate() -> Any:
    return _synaptic(reset_mechanism="zero", reset_delay=False)


@cases(CASES, "snntorch-synaptic-none", "snntorch-synaptic-none")
def synaptic_none() -> Any:
    return _synaptic(reset_mechanism="none")


@cases(CASES, "snntorch-synaptic-subtract", "snntorch-synaptic-zero")
def rsynaptic() -> Any:
    import snntorch
    from torch import nn

    given = {"alpha": 0.5, "beta": 0.75, "init_hidden": True}
    return exact(
        nn.Sequential(
            nn.Linear(10, 8),
            snntorch.RSynaptic(**given, linear_features=8),
            nn.Linear(8, 4),
            snntorch.RSynaptic(**given, all_to_all=False, V=0.5, reset_mechanism="zero"),
        )
    )


@cases(CASES, "snntorch-subtract", "snntorch-rleaky-zero")
def lapicque() -> Any:
    """``R`` and ``C`` of powers of two; beta alone gives constants that are not exact."""
    import snntorch
    from torch import nn

    return exact(
        nn.Sequential(
            nn.Linear(10, 8),
            snntorch.Lapicque(R=2, C=2, time_step=1, init_hidden=True),
            nn.Linear(8, 4),
            snntorch.Lapicque(R=2, C=1, threshold=0.5, init_hidden=True, reset_mechanism="zero"),
        )
    )


@cases(CASES, "snntorch-subtract", "snntorch-subtract", "snntorch-subtract", inputs=(2, 8, 8))
def convolution() -> Any:
    """Convolutions with stride, padding, dilation and groups, pooling and batch normalisation."""
    import snntorch
    import torch
    from torch import nn

    norm = nn.BatchNorm2d(4)
    net = exact(
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1),
            norm,
            nn.AvgPool2d(2),
            snntorch.Leaky(beta=0.75, init_hidden=True),
            nn.Conv2d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2),
            nn.Dropout(0.5),
            snntorch.Leaky(beta=0.5, threshold=0.5, init_hidden=True),
            nn.Flatten(),
            nn.Linear(6, 3),
            snntorch.Leaky(beta=0.5, threshold=0.25, init_hidden=True),
        )
    )
    with torch.no_grad():
        norm.eps = 0.0
        norm.running_var.copy_(torch.tensor([1.0, 4.0, 0.25, 1.0]))
        norm.running_mean.copy_(torch.tensor([0.0, 0.5, -0.25, 1.0]))
        norm.weight.copy_(torch.tensor([1.0, 2.0, 0.5, 1.5]))
    return net


@cases(CASES, "snntorch-subtract", "snntorch-subtract", inputs=(6, 6))
def convolution_back() -> Any:
    """RLeaky with a Conv2d as its way back, after axes were permuted, cut and joined."""
    import snntorch
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1)
            self.lif1 = snntorch.RLeaky(
                beta=0.75, conv2d_channels=2, kernel_size=3, init_hidden=True
            )
            self.fc = nn.Linear(72, 4)
            self.lif2 = snntorch.Leaky(beta=0.5, init_hidden=True)

        def forward(self, x: Any) -> Any:
            both = torch.stack([x, x.transpose(1, 2)], dim=1)
            spk = self.lif1(self.conv(both) / 2)
            left, right = spk.chunk(2, dim=3)
            joined = torch.cat([right, left], dim=3)
            return self.lif2(self.fc(-joined.flatten(1)) + 2.0)

    return exact(Net())
