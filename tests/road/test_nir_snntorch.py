"""Recurrent networks of snnTorch, exported by snnTorch itself; skipped where it is missing."""

import logging
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from spikelet.description.profile import PROFILES
from spikelet.road.nir_import import load_network
from spikelet.road.reference import run_float
from tests.road.networks import SUBTRACT, spikes
from tests.road.nir_evaluation import refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def exported(net: Any, inputs: int) -> nir.NIRGraph:
    """Return what snnTorch's exporter makes of a network for one step."""
    torch = pytest.importorskip("torch")
    export_nir = pytest.importorskip("snntorch.export_nir")
    with pytest.warns(DeprecationWarning, match="nirtorch"):
        return export_nir.export_to_nir(net, torch.zeros(inputs))


@pytest.mark.parametrize("all_to_all", [True, False])
@pytest.mark.parametrize(
    "name", ["snntorch-zero-immediate", "snntorch-subtract", "snntorch-subtract-immediate"]
)
def test_equals_snntorch(file: Path, name: str, all_to_all: bool) -> None:
    """Two recurrent layers, exported, written and imported, spike as in snnTorch."""
    snntorch = pytest.importorskip("snntorch")
    torch = pytest.importorskip("torch")
    profile, rng = PROFILES[name], np.random.default_rng(1)

    def drawn(low: int, high: int, *shape: int) -> Any:
        return torch.tensor(rng.integers(low, high, shape) / 8, dtype=torch.float32)

    def recurrent(size: int) -> Any:
        kind = {"linear_features": size} if all_to_all else {"V": torch.zeros(size)}
        return snntorch.RLeaky(
            beta=0.75,
            all_to_all=all_to_all,
            reset_mechanism=profile.reset,
            reset_delay=profile.reset_delay,
            init_hidden=True,
            **kind,
        )

    net = torch.nn.Sequential(
        torch.nn.Linear(6, 12), recurrent(12), torch.nn.Linear(12, 5), recurrent(5)
    )
    for parameter in net.parameters():
        parameter.data = drawn(-6, 8, *parameter.shape) if parameter.dim() else parameter.data
    graph = exported(net, 6)
    nir.write(file, graph)
    network = load_network(file, profile, 1e-4)
    assert [p.name for p in network.populations] == ["1.lif", "3.lif"]
    given_spikes = spikes(3, 40, 6, rate=0.5, seed=2)
    runs = run_float(network, given_spikes)
    with torch.no_grad():
        for layer in (net[1], net[3]):
            layer.reset_mem()
        for tick in range(40):
            hidden = net[1](net[0](torch.tensor(given_spikes[:, tick], dtype=torch.float32)))
            out = net[3](net[2](hidden))
            for run, fired in zip(runs, (hidden, out), strict=True):
                np.testing.assert_array_equal(run.spikes[:, tick], fired.numpy() > 0)
    for run in runs:
        assert 0.05 < run.spikes.mean() < 0.95


def test_snntorchs_edge_too_many(file: Path) -> None:
    """Its exporter joins the way back to the next layer where the recurrent layer comes first."""
    snntorch = pytest.importorskip("snntorch")
    torch = pytest.importorskip("torch")
    recurrent = snntorch.RLeaky(beta=0.75, linear_features=4, init_hidden=True)
    last = snntorch.Leaky(beta=torch.full((2,), 0.5), threshold=torch.ones(2), init_hidden=True)
    graph = exported(torch.nn.Sequential(recurrent, torch.nn.Linear(4, 2), last), 4)
    assert ("0.w_rec", "1") in graph.edges
    nir.write(file, graph)
    message = refused(file, "node '0.w_rec' (Affine)", "also feeds '1'", profile=SUBTRACT, dt=1e-4)
    assert "snnTorch's exporter" in message
    graph.edges.remove(("0.w_rec", "1"))
    nir.write(file, graph)
    assert load_network(file, SUBTRACT, 1e-4).recurrent("0.lif")


def test_what_snntorchs_import_leaves_behind(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its import puts a nested graph into the graph it is given, with the input at the weights."""
    snntorch = pytest.importorskip("snntorch")
    torch = pytest.importorskip("torch")
    import_nir = pytest.importorskip("snntorch.import_nir")
    recurrent = snntorch.RLeaky(beta=0.75, linear_features=4, init_hidden=True)
    graph = exported(torch.nn.Sequential(torch.nn.Linear(3, 4), recurrent), 3)
    with caplog.at_level(logging.ERROR):
        import_nir.import_from_nir(graph)
    nir.write(file, graph)
    refused(file, "w_rec' (Affine)", "also is fed by '0'", profile=SUBTRACT, dt=1e-4)
