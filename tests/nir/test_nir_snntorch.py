"""Networks of snnTorch, exported by snnTorch itself; ``tests/fixtures/snntorch/make.py`` did it."""

from pathlib import Path

import nir
import numpy as np
import pytest

from spikelet.description.errors import SpikeletWarning
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from tests.helpers.networks import EULER, LIF_MODELS, SUBTRACT
from tests.helpers.nir_evaluation import refused

EXPORTED = Path(__file__).parents[1] / "fixtures" / "snntorch"
RECORDED = np.load(EXPORTED / "recorded.npz")


@pytest.mark.parametrize("kind", ["all_to_all", "one_to_one"])
@pytest.mark.parametrize(
    "name", ["snntorch-zero-immediate", "snntorch-subtract", "snntorch-subtract-immediate"]
)
def test_equals_snntorch(name: str, kind: str) -> None:
    """Two recurrent layers, exported, written and imported, spike as in snnTorch."""
    network = load_network(EXPORTED / f"rleaky_{kind}.nir", LIF_MODELS[name], 1e-4)
    assert [p.name for p in network.populations] == ["1.lif", "3.lif"]
    runs = run_float(network, RECORDED[f"rleaky_{kind}_spikes"])
    for run, layer in zip(runs, ("hidden", "output"), strict=True):
        fired = RECORDED[f"rleaky_{kind}_{name}_{layer}"]
        np.testing.assert_array_equal(run.spikes, fired)
        assert 0.05 < fired.mean() < 0.95


def test_snntorchs_edge_too_many(tmp_path: Path) -> None:
    """Its exporter joins the way back to the next layer where the recurrent layer comes first."""
    file = EXPORTED / "edge_too_many.nir"
    message = refused(file, "node '0.w_rec' (Affine)", "also feeds '1'", neuron=SUBTRACT, dt=1e-4)
    assert "snnTorch's exporter" in message
    graph = nir.read(file)
    graph.edges.remove(("0.w_rec", "1"))
    mended = tmp_path / "net.nir"
    nir.write(mended, graph)
    assert load_network(mended, SUBTRACT, 1e-4).recurrent("0.lif")


def test_what_snntorchs_import_leaves_behind() -> None:
    """Its import puts a nested graph into the graph it is given, with the input at the weights."""
    file = EXPORTED / "imported_again.nir"
    refused(file, "w_rec' (Affine)", "also is fed by '0'", neuron=SUBTRACT, dt=1e-4)


@pytest.mark.parametrize("file", ["leaky", "rleaky_all_to_all", "rleaky_one_to_one"])
def test_time_step_of_snntorchs_exporter(file: str) -> None:
    """It writes none: 1e-4 s is taken, and said, since all constants are those of that step."""
    path = EXPORTED / f"{file}.nir"
    with pytest.warns(SpikeletWarning, match=rf"{file}\.nir: .* 0\.0001 s .*--dt"):
        network = load_network(path, SUBTRACT)
    assert network.dt == 1e-4
    given = load_network(path, SUBTRACT, 1e-4)
    for assumed, told in zip(network.populations, given.populations, strict=True):
        np.testing.assert_array_equal(assumed.parameters["decay"], told.parameters["decay"])
    refused(path, "the time step is not known", neuron=EULER, dt=None)


def test_spikes_of_a_file_without_a_time_step() -> None:
    with pytest.warns(SpikeletWarning):
        network = load_network(EXPORTED / "leaky.nir", "snntorch-subtract")
    run = run_float(network, RECORDED["leaky_spikes"])[-1]
    np.testing.assert_array_equal(run.spikes, RECORDED["leaky_output"])
    assert 0.05 < run.spikes.mean() < 0.95


@pytest.mark.parametrize("field", ["tau", "r"])
def test_other_constants_than_of_snntorchs_exporter(field: str, tmp_path: Path) -> None:
    """One neuron of another time step, by a millionth already, and nothing is assumed."""
    graph = nir.read(EXPORTED / "leaky.nir")
    getattr(graph.nodes["3"], field)[1] *= 1 + 2e-6
    path = tmp_path / "net.nir"
    nir.write(path, graph)
    message = refused(
        path, "node '3' (LIF)", "the time step is not known", neuron=SUBTRACT, dt=None
    )
    assert "neuron 1" in message and "--dt" in message
