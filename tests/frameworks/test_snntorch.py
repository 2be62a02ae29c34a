"""Modules of snnTorch, in an environment that has it: ``docs/frameworks.md`` says how."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikelet
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.frameworks.from_module import from_snntorch
from spikelet.runs.recorded import compare_recorded
from spikelet.runs.run import run
from tests.frameworks.cases import exact, sample
from tests.frameworks.running import check_case
from tests.frameworks.snntorch_cases import CASES

pytestmark = [pytest.mark.framework, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", CASES)
def test_spikes_as_the_module_does(name: str, tmp_path: Path) -> None:
    check_case(CASES[name], from_snntorch, tmp_path)


def net_with(forward: Any, **options: Any) -> Any:
    """Return a module of two layers with a ``forward(net, x)`` of its own."""
    import snntorch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2, self.extra = nn.Linear(10, 8), nn.Linear(8, 4), nn.Linear(8, 8)
            self.lif1 = snntorch.Leaky(beta=0.75, **options)
            self.lif2 = snntorch.Leaky(beta=0.5)

        def forward(self, x: Any) -> Any:
            return forward(self, x)

    return exact(Net())


def looped(step: Any) -> Any:
    """Return a forward that calls ``step(net, x, tick, spikes before)`` in each tick."""

    def forward(net: Any, x: Any) -> Any:
        import torch

        found, before = [], torch.zeros(x.shape[1], 8)
        for tick in range(len(x)):
            before, out = step(net, x[tick], tick, before)
            found.append(out)
        return torch.stack(found)

    return forward


def plain(net: Any, x: Any, tick: int, before: Any) -> Any:
    """Two layers, one behind the other."""
    spk1, _ = net.lif1(net.fc1(x))
    return spk1, net.lif2(net.fc2(spk1))[0]


def refused(net: Any, *parts: str, given: Any = None, **options: Any) -> None:
    """The call must refuse a module, with an error that has all parts, and a remedy."""
    with pytest.raises(SpikeletError) as caught:
        from_snntorch(net, sample((10,)) if given is None else given, **options)
    for part in parts:
        assert part in str(caught.value)
    assert caught.value.remedy


def test_states_that_were_left_over() -> None:
    """A run before makes no difference, whole or tick by tick, nor do hooks stay."""
    import torch

    loop = net_with(looped(plain))
    chain, inputs = CASES["rleaky_all_to_all"].make(), CASES["rleaky_all_to_all"].inputs
    for net, given in ((loop, sample((10,), rate=0.9)), (chain, sample(inputs, rate=0.9)[0])):
        first = from_snntorch(net, sample(inputs))
        net(torch.as_tensor(given))
        again = from_snntorch(net, sample(inputs))
        assert first.samples.digest == again.samples.digest
        assert first.network.digest == again.network.digest
        assert not any(module._forward_hooks for module in net.modules())


def test_weights_that_are_not_exact() -> None:
    """Random float32 weights; and every difference, if there is one, is by rounding."""
    import torch

    torch.manual_seed(5)
    net = net_with(looped(plain))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    given = (np.random.default_rng(1).random((30, 200, 10)) < 0.5).astype(np.float32)
    imported = from_snntorch(net, given)
    assert all(layer.spikes > 1000 and not layer.different for layer in imported.agreement)


def test_spikes_that_differ_by_rounding_are_counted() -> None:
    """A threshold that float32's sum is not above, but the exact sum is."""
    import torch

    net = net_with(looped(plain))
    for weight in np.arange(1, 100, dtype=np.float32) / 128 + np.float32(0.001):
        with torch.no_grad():
            net.fc1.weight.fill_(float(weight))
            net.fc1.bias.zero_()
            total = net.fc1(torch.ones(5, 10)).max()
            net.lif1.threshold.copy_(total)
        if 10 * float(weight) > float(total):
            break
    with pytest.warns(SpikeletWarning, match=r"'lif1': 40 of 40 neurons .* rounding"):
        imported = from_snntorch(net, np.ones((6, 5, 10)))
    assert imported.agreement[0].different == 40


def test_labels_and_names() -> None:
    imported = from_snntorch(
        net_with(looped(plain)), sample((10,)), labels=range(5), dt=1e-4, name="two"
    )
    assert imported.samples.labels is not None
    assert imported.samples.labels.tolist() == [0, 1, 2, 3, 4]
    assert (imported.network.name, imported.network.dt) == ("two", 1e-4)
    assert {name: v.shape for name, v in imported.samples.expected.items()} == {
        "lif1": (5, 12, 8),
        "lif2": (5, 12, 4),
    }
    refused(net_with(looped(plain)), "labels must be whole numbers of shape (5,)", labels=[1, 2])


def test_samples_that_are_none() -> None:
    net = net_with(looped(plain))
    refused(net, "sample must be spikes, 0 or 1", given=sample((10,)) * 0.5)
    refused(net, "must have the axes (ticks, samples, inputs...)", given=sample((10,))[0])
    refused(net, "two ticks and two samples", given=sample((10,))[:, :1])
    refused(net, "two ticks and two samples", given=sample((10,))[:1])
    refused(net, "it gets samples and time", "time axis is where", time_axis=1)
    refused(net, "time_axis must be 0 or 1", time_axis=2)
    refused(net, "cannot be traced", "mat1 and mat2", given=sample((11,)))


def test_modules_that_are_none_of_snntorch() -> None:
    from torch import nn

    refused(nn.Sequential(nn.Linear(10, 8), nn.ReLU()), "no neurons of snnTorch", "ReLU")
    refused("net.nir", "is a torch.nn.Module, not str")


@pytest.mark.parametrize("kind", ["Dropout", "BatchNorm1d"])
def test_training_mode(kind: str) -> None:
    import snntorch
    from torch import nn

    layer = getattr(nn, kind)(8) if kind == "BatchNorm1d" else nn.Dropout(0.5)
    net = nn.Sequential(nn.Linear(10, 8), layer, snntorch.Leaky(beta=0.5, init_hidden=True))
    refused(net.train(), f"'1' ({kind}) is in training mode", "net.eval()")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"graded_spikes_factor": 0.5}, "graded_spikes_factor is 0.5"),
        ({"state_quant": lambda v: v}, "state_quant"),
        pytest.param(
            {"inhibition": True},
            "inhibition=True",
            marks=pytest.mark.filterwarnings("ignore:Inhibition"),
        ),
    ],
)
def test_options_that_no_chip_has(options: dict[str, Any], part: str) -> None:
    refused(net_with(looped(plain), **options), "module 'lif1'", part)


def test_neurons_that_no_chip_has() -> None:
    import snntorch
    from torch import nn

    alpha = snntorch.Alpha(alpha=0.9, beta=0.5, init_hidden=True)
    refused(
        nn.Sequential(nn.Linear(10, 8), alpha), "module '1'", "neurons of class Alpha", "Synaptic"
    )

    class Own(snntorch.Leaky):  # type: ignore[misc]
        pass

    own = nn.Sequential(nn.Linear(10, 8), Own(beta=0.5, init_hidden=True))
    refused(own, "module '1': Own is a class of its own, made from Leaky")


def _relu(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, net.lif2(net.fc2(net.lif1(net.fc1(x).relu())[0]))[0]


def _potential(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, net.lif2(net.fc2(net.lif1(net.fc1(x))[1]))[0]


def _product(net: Any, x: Any, tick: int, before: Any) -> Any:
    spk, _ = net.lif1(net.fc1(x))
    return before, net.lif2(net.fc2(spk * net.fc1(x)))[0]


def _fresh_state(net: Any, x: Any, tick: int, before: Any) -> Any:
    import torch

    spk, _ = net.lif1(net.fc1(x), torch.zeros(len(x), 8))
    return before, net.lif2(net.fc2(spk))[0]


def _halved_state(net: Any, x: Any, tick: int, before: Any) -> Any:
    net.kept = net.lif1(net.fc1(x), net.kept * 0.5 if tick else None)[1]
    return before, net.lif2(net.fc2(net.kept.detach() * 0))[0]


def _behind_pytorch(net: Any, x: Any, tick: int, before: Any) -> Any:
    import torch

    spk, _ = net.lif1(net.fc1(x))
    return before, net.lif2(net.fc2(torch.from_numpy(spk.numpy())))[0]


def _by_value(net: Any, x: Any, tick: int, before: Any) -> Any:
    spk, _ = net.lif1(net.fc1(x))
    return before, net.lif2(net.fc2(spk if spk.sum() > 3 else -spk))[0]


def _other_in_tick_3(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, net.lif2(net.fc2(net.lif1(net.fc1(-x if tick == 3 else x))[0]))[0]


def _twice(net: Any, x: Any, tick: int, before: Any) -> Any:
    spk, _ = net.lif1(net.fc1(x))
    return before, net.lif2(net.fc2(net.lif1(net.extra(spk))[0]))[0]


def late(net: Any, x: Any, tick: int, before: Any) -> Any:
    spk, _ = net.lif1(net.fc1(x))
    return spk, net.lif2(net.fc2(before))[0]


def _two_ticks_late(net: Any, x: Any, tick: int, before: Any) -> Any:
    older = before if tick == 0 else net.older
    net.older = before
    spk, _ = net.lif1(net.fc1(x) + net.extra(older))
    return spk, net.lif2(net.fc2(spk))[0]


def _first_tick_not_0(net: Any, x: Any, tick: int, before: Any) -> Any:
    spk, _ = net.lif1(net.fc1(x) + net.extra(before + 1 if tick == 0 else before))
    return spk, net.lif2(net.fc2(spk))[0]


def _readout(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, net.fc2(net.lif1(net.fc1(x))[0])


def _readout_in_some_ticks(net: Any, x: Any, tick: int, before: Any) -> Any:
    import torch

    found = _readout(net, x, tick, before)
    return found if tick else (before, torch.zeros(x.shape[0], 4))


def _only_potential(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, net.lif2(net.fc2(net.lif1(net.fc1(x))[0]))[1]


def _softmax(net: Any, x: Any, tick: int, before: Any) -> Any:
    return before, plain(net, x, tick, before)[1].softmax(1)


def _changed_while_running(net: Any, x: Any, tick: int, before: Any) -> Any:
    net.lif1.threshold.fill_(1.0 if tick % 2 else 0.25)
    return plain(net, x, tick, before)


def test_spikes_of_another_layer_a_tick_later() -> None:
    network, _, agreement = from_snntorch(net_with(looped(late)), sample((10,)))
    assert {p.target: p.ticks for p in network.projections} == {"lif1": 0, "lif2": 1}
    assert all(layer.spikes and not layer.different for layer in agreement)


def test_a_readout_summed_over_ticks() -> None:
    def forward(net: Any, x: Any) -> Any:
        return looped(_readout)(net, x).sum(0)

    refused(net_with(forward), "summed over ticks", "which no neuron is")


def test_a_readout_of_most_ticks() -> None:
    def forward(net: Any, x: Any) -> Any:
        return list(looped(_readout)(net, x))[1:]

    refused(net_with(forward), "returns 11 readouts of single ticks, and there are 12 ticks")


def test_a_readout_is_compared_and_compiled() -> None:
    """Its values are recorded, and the chip's potentials say the classes."""
    network, samples, agreement = from_snntorch(net_with(looped(_readout)), sample((10,)))
    assert network.outputs == network.readouts == ("readout",)
    assert [layer.layer for layer in agreement] == ["lif1", "readout"]
    found = compare_recorded(network, samples)
    assert found is not None and found.all_equal
    assert {layer.name: layer.what for layer in found.layers}["readout"] == "potentials"
    compiled = spikelet.compile(network, weight_bits=8)
    values = run(compiled, samples.spikes).output_values
    assert np.abs(values - samples.expected["readout"]).max() < 0.1 < values.std()


@pytest.mark.parametrize(
    ("step", "parts"),
    [
        (_relu, ("module 'lif1': what arrives", "operation relu")),
        (_potential, ("module 'lif2'", "state 0 of 'lif1'", "only spikes pass")),
        (_product, ("module 'lif2'", "operation mul", "two signals are multiplied")),
        (_fresh_state, ("module 'lif1'", "state in tick 1 is not what it returned")),
        (_halved_state, ("module 'lif1'", "state in tick 1 is not what it returned")),
        (_behind_pytorch, ("behind PyTorch's back",)),
        (_by_value, ("asks for a value of a signal",)),
        (_other_in_tick_3, ("module 'lif1'", "tick 3 is computed in another way")),
        (_twice, ("module 'lif1'", "more often than there are ticks")),
        (_two_ticks_late, ("module 'lif1'", "used 2 ticks later")),
        (_first_tick_not_0, ("module 'lif1'", "tick 0 is computed in another way")),
        (_readout_in_some_ticks, ("module 'readout': what arrives in tick 0",)),
        (_only_potential, ("nothing that the module returns depends on spikes", "'lif2'")),
        (_softmax, ("what the module returns", "operation _softmax")),
        (_changed_while_running, ("module 'lif1': neuron", "class and parameters say otherwise")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_no_chip_can_mean(step: Any, parts: tuple[str, ...]) -> None:
    refused(net_with(looped(step)), *parts)


def test_results_written_into_a_tensor_that_is_there() -> None:
    def forward(net: Any, x: Any) -> Any:
        import torch

        found = torch.zeros(len(x), x.shape[1], 4)
        for tick, given in enumerate(x):
            found[tick] = plain(net, given, tick, None)[1]
        return found

    refused(net_with(forward), "written into a tensor that is there already", "torch.stack")


def test_pooling_by_maximum() -> None:
    import snntorch
    from torch import nn

    layers = (nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), snntorch.Leaky(beta=0.5, init_hidden=True))
    refused(
        nn.Sequential(*layers),
        "module '2': what arrives",
        "module '1': the operation max_pool2d",
        "AvgPool2d",
        given=sample((1, 6, 6)),
    )


def test_a_network_that_was_read_compiles(tmp_path: Path) -> None:
    """What was recorded is what verification compares with."""
    imported = from_snntorch(net_with(looped(plain)), sample((10,)), name="two")
    compiled = spikelet.compile(imported.network, calibration=imported.samples.spikes)
    assert compiled.network.floats is imported.network


def test_convolutions_stay_known_as_such() -> None:
    """So that a chip can share their weights; also one that is normalised and pooled behind."""
    imported = from_snntorch(CASES["convolution"].make(), sample((2, 8, 8)))
    found = {p.target: p.convolution is not None for p in imported.network.projections}
    assert found == {"3": True, "6": True, "9": False}
    back = from_snntorch(CASES["convolution_back"].make(), sample((6, 6))).network
    assert back.recurrent("lif1").convolution is not None
