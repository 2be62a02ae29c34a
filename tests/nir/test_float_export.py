"""Float networks as NIR files, which give the same network when they are read."""

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spikelet
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.nir.export import to_nir
from tests.helpers.nir_evaluation import refused
from tests.helpers.nir_round_trip import check_file

RNG = np.random.default_rng(4)


def population(name: str, size: int, model: str, **parameters: Any) -> Population:
    """Return neurons; parameters are numbers or arrays."""
    values = {what: np.atleast_1d(np.asarray(v, float)) for what, v in parameters.items()}
    return Population(name, size, neuron_model(model), {"threshold": np.ones(1), **values})


def chain(*populations: Population, inputs: int = 5, more: tuple[Projection, ...] = ()) -> Network:
    """Return populations one behind the other, the last being the output."""
    sizes = {INPUT: inputs, **{p.name: p.size for p in populations}}
    names = list(sizes)
    projections = [
        Projection(a, b, RNG.normal(size=(sizes[a], sizes[b]))) for a, b in pairwise(names)
    ]
    return Network("net", inputs, 1e-3, populations, (*projections, *more), (populations[-1].name,))


def test_a_network_of_many_models(tmp_path: Path) -> None:
    """With biases, ways back, neurons with and without a leak, and a reset to a value."""
    decays = np.array([0.0, 0.5, 1.0])  # no memory, a leak, and none
    first = population("a", 3, "snntorch-subtract", decay=decays, bias=[0.25, -1, 0])
    current = {"decay": 0.75, "decay_i": [0, 0.25, 1], "bias_i": [0.5, 0, -0.5]}
    second = population("b.1", 3, "cuba-lif", reset_potential=-0.5, **current)
    third = population("c", 2, "lif-subtract-ge", threshold=[0.5, 2])
    back = Projection("b.1", "b.1", RNG.normal(size=(3, 3)))
    skip = Projection("a", "c", RNG.normal(size=(3, 2)))
    check_file(chain(first, second, third, more=(back, skip)), tmp_path)


@settings(deadline=None, max_examples=50)
@given(
    decay=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=4),
    dt=st.sampled_from([1e-4, 1e-3, 0.7, 1.0]),
)
def test_decays_of_float32_come_back(decay: list[float], dt: float) -> None:
    """Also those that are no round fractions, at any time step."""
    size = len(decay)
    fine = np.round(np.array(decay) * 2.0**48) / 2.0**48
    one = population("a", size, "snntorch-zero", decay=fine)
    other = population("b", size, "cuba-lif-ge", decay=fine, decay_i=fine[::-1])
    network = chain(one, other)
    network = Network("net", 5, dt, network.populations, network.projections, ("b",))
    contents, left_out = to_nir(network)
    assert not left_out
    with TemporaryDirectory() as folder:
        path = Path(folder, "net.nir")
        path.write_bytes(contents)
        again = spikelet.load_network(path)
    for before, after in zip(network.populations, again.populations, strict=True):
        for name in before.parameters:
            values = np.broadcast_to(before.values(name), (size,))
            np.testing.assert_array_equal(values, after.values(name))


def test_what_others_read(tmp_path: Path) -> None:
    """NIR's own package, and its equations: the leak, a gain of 1, weights times one spike."""
    network = chain(population("a", 3, "snntorch-subtract", decay=0.75, bias=0.5))
    spikelet.write_nir(network, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    node, weights = graph.nodes["a"], graph.nodes["input->a"]
    assert isinstance(node, nir.LIF) and isinstance(weights, nir.Affine)
    np.testing.assert_array_equal(1 - 1e-3 / node.tau, 0.75)
    np.testing.assert_array_equal(node.r * 1e-3 / node.tau, 1)
    np.testing.assert_array_equal(weights.weight.T, network.projections[0].weights)
    np.testing.assert_array_equal(weights.bias, [0.5, 0.5, 0.5])
    assert graph.metadata["simulator"] == "spikelet"
    assert json.loads(graph.metadata["neuron_models"]) == {"a": "snntorch-subtract"}


def test_what_nir_has_no_words_for(tmp_path: Path) -> None:
    def no_words(network: Network, words: str, **options: Any) -> None:
        with pytest.raises(SpikeletError, match=words) as caught:
            spikelet.write_nir(network, tmp_path / "net.nir", **options)
        assert caught.value.remedy

    refractory = population("a", 2, "lif-refractory", refractory_period=3)
    no_words(chain(refractory), "'a', of model lif-refractory: .* with refractory_period")
    behind = population("a", 2, "cuba-lif", decay=0.5, decay_i=0.5, bias=0.25)
    no_words(chain(behind), "a bias behind its synaptic current")
    plain = chain(population("a", 2, "nir-euler"))
    late = Projection(INPUT, "a", np.ones((5, 2)), delay=3)
    delayed = Network("net", 5, None, plain.populations, (late,), ("a",))
    no_words(delayed, "arrive at 'a' 3 ticks later")
    no_words(plain, "a float network keeps its own thresholds", threshold=2.0)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "is no JSON"),
        ('["lif"]', "must name a model for each neuron node"),
        ('{"b": "nir-euler"}', "there is no neuron node 'b'"),
        ('{"input->a": "nir-euler"}', "there is no neuron node 'input->a'"),
        ('{"a": "lif"}', "there is no neuron model 'lif'"),
        ('{"a": 3}', "there is no neuron model 3"),
        (5, "is no JSON"),
    ],
)
def test_models_that_a_file_cannot_name(said: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    spikelet.write_nir(chain(population("a", 2, "snntorch-zero", decay=0.5)), path)
    with h5py.File(path, "r+") as file:
        metadata = file["node/metadata"]
        del metadata["neuron_models"]
        metadata.create_dataset("neuron_models", data=said)
    refused(path, "metadata 'neuron_models'", words, neuron=None, dt=None)


def test_another_model_than_the_file_names(tmp_path: Path) -> None:
    """An option that contradicts the file is refused; the same model is not."""
    path = tmp_path / "net.nir"
    spikelet.write_nir(chain(population("a", 2, "snntorch-zero", decay=0.5)), path)
    refused(path, "'a' are of model snntorch-zero", neuron="snntorch-subtract", dt=None)
    again = spikelet.load_network(path, "snntorch-zero")
    assert again.populations[0].neuron.name == "snntorch-zero"
