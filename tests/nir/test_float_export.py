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
from spikelet.network.convolution import Convolution
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.nir.export import to_nir
from spikelet.nir.signal import Sparse
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


def test_delays_become_delay_nodes(tmp_path: Path) -> None:
    """Of inputs, of layers, and in loops, where a tick needs none."""
    a, b, c = (population(name, 3, "lif-subtract-ge", bias=0.5) for name in "abc")
    more = [("input", "a", 2), ("a", "c", 0), ("a", "c", 3), ("b", "a", 3), ("c", "c", 1)]
    more += [("c", "c", 4)]
    late = tuple(
        Projection(s, t, RNG.normal(size=(5 if s == INPUT else 3, 3)), delay=d) for s, t, d in more
    )
    network = chain(a, b, c, more=late)
    check_file(network, tmp_path)
    graph = nir.read(tmp_path / "net.nir")
    delays = {name: node.delay for name, node in graph.nodes.items() if isinstance(node, nir.Delay)}
    assert {name: round(d[0] / 1e-3) for name, d in delays.items()} == {
        "input->a after 2 delay": 2,
        "a->c after 3 delay": 3,
        "b->a delay": 2,  # the loop has one of its own
        "c->c after 4 delay": 3,
    }
    assert delays["input->a after 2 delay"].shape == (5,)


@pytest.mark.parametrize(
    ("kernel", "shape", "window", "node"),
    [
        ((4, 2, 3, 3), (2, 6, 5), {"stride": (2, 1), "padding": (1, 0)}, nir.Conv2d),
        ((4, 1, 2, 2), (2, 6, 5), {"groups": 2, "dilation": (1, 2)}, nir.Conv2d),
        ((4, 2, 3), (2, 9), {"stride": (2,), "padding": (1,)}, nir.Conv1d),
        ((4, 2, 2, 2), (2, 5, 5), {"behind": 1}, nir.Linear),  # no such padding in NIR
    ],
)
@pytest.mark.parametrize("bias", [0.0, "channels", "each"])
def test_convolutions_become_nodes(
    kernel: Any, shape: Any, window: dict[str, Any], node: Any, bias: Any, tmp_path: Path
) -> None:
    """With a bias of channels; one of each neuron is of no Conv, and its weights are a matrix."""
    axes = len(shape) - 1
    front = window.get("padding", (0,) * axes)
    convolution = Convolution(
        RNG.normal(size=kernel),
        shape,
        window.get("stride", (1,) * axes),
        window.get("dilation", (1,) * axes),
        tuple((n, n + window.get("behind", 0)) for n in front),
        window.get("groups", 1),
    )
    size = convolution.size
    given = {"channels": np.repeat(np.arange(4) / 4, size // 4), "each": np.arange(size) / 8}
    biases = given.get(bias, np.zeros(size))
    first = population("a", size, "snntorch-subtract", decay=0.5, bias=biases)
    second = population("b", 3, "snntorch-subtract", decay=0.5)
    inputs = int(np.prod(shape))
    weights = Sparse.of_convolution(convolution).matrix()
    into = (
        Projection(INPUT, "a", weights, convolution),
        Projection("a", "b", RNG.normal(size=(size, 3))),
    )
    network = Network("net", inputs, 1e-3, (first, second), into, ("b",))
    check_file(network, tmp_path)
    graph = nir.read(tmp_path / "net.nir", type_check="groups" not in window)  # which nir overlooks
    found = graph.nodes["input->a"]
    if node is nir.Linear or bias == "each":
        assert isinstance(found, nir.Linear if bias == 0 else nir.Affine)
        return
    assert isinstance(found, node) and isinstance(graph.nodes["a->b flatten"], nir.Flatten)
    again = spikelet.load_network(tmp_path / "net.nir").projections[0].convolution
    assert again is not None and again.shape == shape


@pytest.mark.parametrize("skip", [False, True])
def test_shapes_follow_the_convolutions(skip: bool, tmp_path: Path) -> None:
    """One behind the other, with a delay; where a matrix leads to a layer too, it is a vector."""
    first, second = (
        Convolution(RNG.normal(size=kernel), shape, (1, 1), (1, 1), ((0, 0), (0, 0)))
        for kernel, shape in (((3, 2, 2, 2), (2, 5, 4)), ((2, 3, 2, 2), (3, 4, 3)))
    )
    names, sizes = "abc", [first.size, second.size, 3]
    layers = [
        population(n, s, "snntorch-subtract", decay=0.5, bias=0.25)
        for n, s in zip(names, sizes, strict=True)
    ]
    into = [
        Projection(INPUT, "a", Sparse.of_convolution(first).matrix(), first),
        Projection("a", "b", Sparse.of_convolution(second).matrix(), second, 2),
        Projection("b", "c", RNG.normal(size=(sizes[1], 3))),
    ]
    if skip:
        into.append(Projection(INPUT, "b", RNG.normal(size=(first.n_source, sizes[1]))))
    network = Network("net", first.n_source, 1e-3, tuple(layers), tuple(into), ("c",))
    check_file(network, tmp_path)
    nodes = nir.read(tmp_path / "net.nir").nodes
    kinds = {name: type(node).__name__ for name, node in nodes.items()}
    assert kinds["a->b"] == ("Affine" if skip else "Conv2d")
    assert kinds["input->a"] == "Conv2d"
    assert nodes["b"].v_threshold.shape == ((12,) if skip else (2, 3, 2))


@pytest.mark.parametrize(
    ("model", "decays", "kind"),
    [
        ("linear", {}, nir.Output),
        ("li", {"decay": [0.5, 0.25]}, nir.LI),
        ("li", {"decay": 1.0}, nir.I),
        ("cuba-li", {"decay": 0.5, "decay_i": [0.0, 0.25]}, nir.CubaLI),
    ],
)
def test_readouts_become_nodes(model: str, decays: Any, kind: Any, tmp_path: Path) -> None:
    values = {name: np.atleast_1d(np.asarray(v, float)) for name, v in decays.items()}
    bias = {"bias_i" if model == "cuba-li" else "bias": np.array([0.5, -1])}
    read = Population("read", 2, neuron_model(model), {**values, **bias})
    network = chain(population("a", 3, "snntorch-subtract", decay=0.75), read)
    check_file(network, tmp_path)
    graph = nir.read(tmp_path / "net.nir")
    node = graph.nodes["read"]
    assert isinstance(node, kind)
    for gain, tau in (("w_in", "tau_syn"), ("r", "tau_mem"), ("r", "tau")):
        if hasattr(node, tau):  # so that an input counts 1 by NIR's equations
            np.testing.assert_allclose(getattr(node, gain) * 1e-3 / getattr(node, tau), 1)
    mixed = Population("read", 2, neuron_model("li"), {"decay": np.array([0.5, 1.0])})
    with pytest.raises(SpikeletError, match="'read', of model li"):
        to_nir(chain(population("a", 3, "snntorch-subtract"), mixed))


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


def test_what_nir_has_no_field_for_is_in_the_metadata(tmp_path: Path) -> None:
    check_file(chain(population("a", 2, "lif-refractory", refractory_period=3)), tmp_path)


def test_what_nir_has_no_words_for(tmp_path: Path) -> None:
    def no_words(network: Network, words: str, **options: Any) -> None:
        with pytest.raises(SpikeletError, match=words) as caught:
            spikelet.write_nir(network, tmp_path / "net.nir", **options)
        assert caught.value.remedy

    behind = population("a", 2, "cuba-lif", decay=0.5, decay_i=0.5, bias=0.25)
    no_words(chain(behind), "a bias behind its synaptic current")
    plain = chain(population("a", 2, "nir-euler"))
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
