"""Recurrent layers and nested graphs in NIR files: what they mean, and what is refused."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletWarning
from spikelet.network.network import INPUT, Network
from spikelet.nir.importer import load_network
from tests.helpers.networks import (
    DT,
    EULER,
    LIF_MODELS,
    SUBTRACT,
    Edges,
    affine,
    integrator,
    lif,
    linear,
    sink,
    source,
    write,
)
from tests.helpers.nir_evaluation import check_against_evaluation, refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def weights(network: Network) -> dict[tuple[str, str], Any]:
    return {(p.source, p.target): p.weights for p in network.projections}


LOOP: Edges = [("in", "fc"), ("fc", "l"), ("l", "rec"), ("rec", "l"), ("l", "out")]


def looped(file: Path, edges: Edges | None = None, **nodes: Any) -> Path:
    """Write a recurrent layer of 2 neurons behind 3 inputs; nodes and edges may be added."""
    start = {"in": source(3), "fc": linear(2, 3), "l": lif(2), "rec": affine(2, 2, 1)}
    return write(file, {**start, **nodes, "out": sink(2)}, LOOP + (edges or []))


# What a recurrent layer means


def test_a_recurrent_layer(file: Path) -> None:
    """Input gain and reset apply to what comes back as to what comes in; biases add."""
    nodes = {
        "in": source(3),
        "fc": affine(4, 3, 1),
        "l": lif(4, r=[1.0, 2.0, 3.0, 4.0], v_reset=-0.1),
        "rec": affine(4, 4, 2),
        "out": sink(4),
    }
    assert check_against_evaluation(file, nodes, LOOP, ["rec"]) > 0
    network = load_network(file, EULER, DT)
    gain = np.array([0.5, 1, 1.5, 2])  # r dt/tau
    found = weights(network)
    assert set(found) == {(INPUT, "l"), ("l", "l")}
    np.testing.assert_allclose(found[INPUT, "l"], nodes["fc"].weight.T * gain)
    np.testing.assert_allclose(found["l", "l"], nodes["rec"].weight.T * gain)
    bias = (nodes["fc"].bias + nodes["rec"].bias) * gain
    np.testing.assert_allclose(network.populations[0].parameters["bias"], bias)


def test_recurrent_layers_among_others(file: Path) -> None:
    """Several nodes and two ways back, a one to one way back, and a skip connection over both."""
    nodes = {
        "in": source(4),
        "f1": affine(5, 4, 1),
        "l1": lif(5, v_threshold=0.5),
        "a": linear(3, 5, 2),
        "b": affine(5, 3, 3),
        "c": nir.Scale(np.linspace(-1, 1, 5)),
        "f2": linear(6, 5, 4),
        "l2": integrator(6),
        "flat": nir.Flatten({"input": np.array([6])}, 0),
        "d": nir.Scale(np.full(6, -0.4)),
        "skip": linear(3, 5, 5),
        "f3": linear(3, 6, 6),
        "l3": lif(3),
        "out": sink(3),
    }
    edges = [
        *(("in", "f1"), ("f1", "l1"), ("l1", "a"), ("a", "b"), ("b", "l1")),
        *(("l1", "c"), ("c", "l1"), ("l1", "f2"), ("f2", "l2")),
        *(("l2", "flat"), ("flat", "d"), ("d", "l2"), ("l2", "f3"), ("f3", "l3")),
        *(("l1", "skip"), ("skip", "l3"), ("l3", "out")),
    ]
    assert check_against_evaluation(file, nodes, edges, ["a", "b", "c", "flat", "d"]) > 0
    network = load_network(file, EULER, DT)
    assert [network.depth(name) for name in ("l1", "l2", "l3")] == [0, 1, 2]
    found = weights(network)
    back = nodes["a"].weight.T @ nodes["b"].weight.T + np.diag(nodes["c"].scale)
    np.testing.assert_allclose(found["l1", "l1"], back)
    np.testing.assert_allclose(found["l2", "l2"], -0.4 * np.eye(6))
    assert ("l3", "l3") not in found


kinds = st.sampled_from(["Linear", "Affine", "Scale", "Flatten"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    layers=st.lists(
        st.tuples(st.integers(2, 4), st.lists(st.lists(kinds, min_size=1, max_size=3), max_size=2)),
        min_size=1,
        max_size=3,
    ),
    seed=st.integers(0, 1000),
)
def test_any_ways_back(file: Path, layers: list[tuple[int, list[list[str]]]], seed: int) -> None:
    """Layers of any size, each with up to two ways back of up to three nodes of any kind."""
    nodes: dict[str, Any] = {"in": source(3)}
    edges: Edges = []
    back: list[str] = []
    last, width = "in", 3
    for i, (size, ways) in enumerate(layers):
        forward = abs(linear(size, width, seed + i).weight)
        nodes |= {f"f{i}": nir.Affine(forward, np.full(size, 0.6))}
        nodes |= {f"l{i}": lif(size)}
        edges += [(last, f"f{i}"), (f"f{i}", f"l{i}")]
        for w, way in enumerate(ways):
            names = [f"l{i}", *(f"b{i}{w}{k}" for k in range(len(way)))]
            for k, (name, kind) in enumerate(zip(names[1:], way, strict=True)):
                nodes[name] = {
                    "Linear": linear(size, size, seed + 10 * k),
                    "Affine": affine(size, size, seed + 10 * k + 1),
                    "Scale": nir.Scale(np.linspace(-1, 0.5, size)),
                    "Flatten": nir.Flatten({"input": np.array([size])}, 0),
                }[kind]
            edges += zip(names, [*names[1:], f"l{i}"], strict=True)
            back += names[1:]
        last, width = f"l{i}", size
    nodes["out"] = sink(width)
    assume(check_against_evaluation(file, nodes, [*edges, (last, "out")], back) > 0)
    network = load_network(file, EULER, DT)
    recurrent = [f"l{i}" for i, (_, ways) in enumerate(layers) if ways]
    assert [p.name for p in network.populations if network.recurrent(p.name)] == recurrent


# Nested graphs


def snntorch_layer(size: int, w_rec: Any, beta: float = 0.75) -> nir.NIRGraph:
    """As ``snntorch.export_nir`` makes of an RLeaky."""
    tau = 1e-4 / (1 - np.ones(size) * np.float32(beta))
    neurons = nir.LIF(tau, tau / 1e-4, tau * 0, np.ones(size), v_reset=np.zeros(size))
    return nir.NIRGraph(
        {"input": source(size), "lif": neurons, "w_rec": w_rec, "output": sink(size)},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )


def test_a_nested_graph_is_dissolved(file: Path) -> None:
    fc, w_rec = affine(5, 3, 1), affine(5, 5, 2)
    nodes = {"in": source(3), "fc": fc, "rnn": snntorch_layer(5, w_rec), "out": sink(5)}
    network = load_network(write(file, nodes), SUBTRACT, 1e-4)
    assert [p.name for p in network.populations] == ["rnn.lif"]
    assert network.outputs == ("rnn.lif",)
    found = weights(network)
    np.testing.assert_array_equal(found[INPUT, "rnn.lif"], fc.weight.T)
    np.testing.assert_array_equal(found["rnn.lif", "rnn.lif"], w_rec.weight.T)
    np.testing.assert_allclose(network.populations[0].parameters["bias"], fc.bias + w_rec.bias)
    assert network.populations[0].parameters["decay"].tolist() == [0.75] * 5


def test_graphs_in_graphs(file: Path) -> None:
    """Two layers in a row, one of them two levels deep, with a way back around a whole graph."""
    plain = nir.NIRGraph(
        {"input": source(4), "neurons": integrator(4), "output": sink(4)},
        [("input", "neurons"), ("neurons", "output")],
    )
    middle = nir.NIRGraph(
        {"i": source(4), "core": plain, "o": sink(4)}, [("i", "core"), ("core", "o")]
    )
    fc, w_rec, back = linear(4, 3, 1), linear(4, 4, 2), linear(4, 4, 3)
    nodes = {
        "in": source(3),
        "fc": fc,
        "rnn": snntorch_layer(4, w_rec),
        "deep": middle,
        "back": back,
        "out": sink(4),
    }
    edges = [
        *(("in", "fc"), ("fc", "rnn"), ("rnn", "deep"), ("deep", "out")),
        *(("deep", "back"), ("back", "deep")),
    ]
    network = load_network(write(file, nodes, edges), EULER, 1e-4)
    assert [p.name for p in network.populations] == ["rnn.lif", "deep.core.neurons"]
    found = weights(network)
    np.testing.assert_allclose(found["rnn.lif", "rnn.lif"], w_rec.weight.T)
    np.testing.assert_array_equal(found["rnn.lif", "deep.core.neurons"], np.eye(4))
    np.testing.assert_array_equal(found["deep.core.neurons", "deep.core.neurons"], back.weight.T)


def nested(file: Path, nodes: dict[str, Any], edges: Edges, **outer: Any) -> Path:
    inner = nir.NIRGraph(nodes, edges, type_check=False)
    return write(file, {"in": source(2), "n": inner, **outer, "out": sink(2)})


@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (1, 2), (0, 1), (1, 0)])
def test_a_nested_graph_of_several_ports(file: Path, inputs: int, outputs: int) -> None:
    nodes: dict[str, Any] = {"l": lif(2)}
    nodes |= {f"i{k}": source(2) for k in range(inputs)}
    nodes |= {f"o{k}": sink(2) for k in range(outputs)}
    edges = [(f"i{k}", "l") for k in range(inputs)] + [("l", f"o{k}") for k in range(outputs)]
    refused(
        nested(file, nodes, edges),
        "node 'n' (NIRGraph) between 'in' and 'out'",
        f"must have one Input and one Output, found {inputs} and {outputs}",
    )


def test_errors_inside_a_nested_graph(file: Path) -> None:
    nodes = {"i": source(2), "l": lif(2), "o": sink(2)}
    refused(
        nested(file, nodes, [("i", "l"), ("l", "x"), ("l", "o")]),
        "edge 'n.l' -> 'n.x': there is no node 'n.x'",
    )
    nodes["l"] = lif(2, tau=np.nan)
    refused(
        nested(file, nodes, [("i", "l"), ("l", "o")]), "node 'n.l' (LIF) between 'in' and 'out'"
    )


def test_a_name_that_a_nested_graph_makes(file: Path) -> None:
    nodes = {"i": source(2), "l": lif(2), "o": sink(2)}
    path = nested(file, nodes, [("i", "l"), ("l", "o")], **{"n.l": lif(2)})
    refused(path, "node 'n' (NIRGraph)", "nested graph is called 'n.l', and so is an outer node")


def test_a_nested_graph_beside_an_edge(file: Path) -> None:
    """A graph that only passes its input on, beside an edge: both add; no edge is given twice."""
    passing = nir.NIRGraph({"i": source(2), "o": sink(2)}, [("i", "o")])
    nodes = {"in": source(2), "n": passing, "l": lif(2), "out": sink(2)}
    edges = [("in", "n"), ("n", "l"), ("l", "out")]
    assert weights(load_network(write(file, nodes, edges), EULER, DT))[INPUT, "l"].tolist() == [
        [1, 0],
        [0, 1],
    ]
    doubled = load_network(write(file, nodes, [*edges, ("in", "l")]), EULER, DT)
    assert weights(doubled)[INPUT, "l"].tolist() == [[2, 0], [0, 2]]


def test_a_synaptic_layer_that_feeds_back(file: Path) -> None:
    """What snnTorch makes of an RSynaptic."""
    ones = np.ones(2)
    nodes = {
        "input": source(2),
        "lif": nir.CubaLIF(2e-4 * ones, 1e-3 * ones, 10 * ones, 0 * ones, ones, w_in=2 * ones),
        "w_rec": affine(2, 2, 1),
        "output": sink(2),
    }
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    network = load_network(nested(file, nodes, edges), framework="snntorch")
    layer = network.populations[0]
    assert layer.neuron.name == "snntorch-synaptic-subtract"
    np.testing.assert_allclose(layer.parameters["bias_i"], nodes["w_rec"].bias)
    np.testing.assert_allclose(network.recurrent("n.lif").weights, nodes["w_rec"].weight.T)


# What is refused


def test_feedback_over_two_layers(file: Path) -> None:
    edges = [("l", "f2"), ("f2", "l2"), ("l2", "up"), ("up", "l"), ("l2", "o2")]
    nodes = {"f2": linear(2, 2, 3), "l2": lif(2), "up": linear(2, 2, 4), "o2": sink(2)}
    message = refused(
        looped(file, edges, **nodes),
        "layers run one tick apart, so a loop over 2 takes 2 ticks or more, but spikes come round",
        "in 1, too early: ",
    )
    assert "'l' -> 'l2' -> 'l'" in message or "'l2' -> 'l' -> 'l2'" in message
    assert "train it with a Delay of 1 more tick in the loop" in message


def test_a_cycle_without_neurons(file: Path) -> None:
    """On a way back, and beside it."""
    edges = [("rec", "x"), ("x", "rec")]
    refused(
        looped(file, edges, x=linear(2, 2)), "no neuron node takes a tick in the cycle 'rec' ->"
    )
    refused(looped(file, [("rec", "rec")]), "in the cycle 'rec' -> 'rec'")
    edges = [("fc", "x"), ("x", "fc")]
    refused(looped(file, edges, x=linear(2, 2)), "no neuron node takes a tick in the cycle", "'x'")


def test_a_way_back_that_is_not_its_own(file: Path) -> None:
    message = refused(
        looped(file, [("fc", "rec")]),
        "node 'rec' (Affine) between 'fc', 'l' and 'l'",
        "the node leads spikes of 'l' back to it, and also is fed by 'fc'",
    )
    assert "give the way back nodes of its own" in message
    nodes = {"f2": linear(2, 2, 3), "l2": lif(2), "o2": sink(2)}
    edges = [("l", "f2"), ("rec", "f2"), ("f2", "l2"), ("l2", "o2")]
    refused(looped(file, edges, **nodes), "node 'rec'", "of 'l' back to it, and also feeds 'f2'")


def test_layers_that_share_a_way_back(file: Path) -> None:
    """All that passes over it is of the tick before: no matter on which side that is taken."""
    nodes = {
        **{"in": source(3), "fa": linear(2, 3, 1), "a": lif(2), "fb": linear(2, 3, 2)},
        **{
            "b": integrator(2),
            "rec": affine(2, 2, 4),
            "on": linear(2, 2, 5),
        },
        **{"oa": sink(2), "ob": sink(2)},
    }
    edges = [("in", "fa"), ("fa", "a"), ("in", "fb"), ("fb", "b"), ("a", "oa"), ("b", "ob")]
    edges += [("a", "rec"), ("b", "rec"), ("rec", "a"), ("rec", "on"), ("on", "b")]
    assert check_against_evaluation(file, nodes, edges, ["rec"]) > 0
    found = {(p.source, p.target): p.ticks for p in load_network(file, EULER, DT).projections}
    assert {ends: found[ends] for ends in found if INPUT not in ends} == {
        (source, target): 1 for source in "ab" for target in "ab"
    }
    edges += [("a", "own"), ("own", "a")]
    more = {**nodes, "own": linear(2, 2, 3)}
    assert check_against_evaluation(file, more, edges, ["rec", "own"]) > 0


def test_neurons_that_share_a_way_back_are_recurrent(file: Path) -> None:
    """As snnTorch's RLeaky, whose reset to zero drops the input of its tick."""
    nodes = {"in": source(2), "a": lif(2), "b": lif(2), "rec": linear(2, 2), "o": sink(2)}
    edges = [("in", "a"), ("in", "b"), ("a", "rec"), ("b", "rec"), ("rec", "a"), ("rec", "b")]
    path = write(file, nodes | {"p": sink(2)}, [*edges, ("a", "o"), ("b", "p")])
    network = load_network(path, "snntorch-zero", DT)
    assert {p.neuron.name for p in network.populations} == {"snntorch-rleaky-zero"}


def test_a_node_that_feeds_itself(file: Path) -> None:
    """With a weight of 1, beside its way back; exporters leave such an edge by mistake."""
    with pytest.warns(SpikeletWarning, match="'l' .LIF.* an edge from the node to itself.*remove"):
        found = load_network(looped(file, [("l", "l")]), EULER, DT).recurrent("l")
    without = load_network(looped(file), EULER, DT).recurrent("l")
    assert found is not None and without is not None
    np.testing.assert_allclose(found.weights, without.weights + np.eye(2))


def test_a_layer_that_only_feeds_itself(file: Path) -> None:
    nodes = {"in": source(3), "fc": linear(2, 3), "l": lif(2), "m": lif(2), "rec": linear(2, 2)}
    edges = [("in", "fc"), ("fc", "l"), ("l", "out"), ("m", "rec"), ("rec", "m"), ("m", "o2")]
    path = write(file, {**nodes, "out": sink(2), "o2": sink(2)}, edges)
    refused(path, "node 'm' (LIF)", "the node gets no input")


def test_a_layer_that_leads_only_to_itself(file: Path) -> None:
    nodes = {"m": lif(2), "f2": linear(2, 2), "again": linear(2, 2)}
    edges = [("l", "f2"), ("f2", "m"), ("m", "again"), ("again", "m")]
    refused(looped(file, edges, **nodes), "node 'f2' (Linear)", "does not lead to an Output")


def test_a_way_back_of_another_size(file: Path) -> None:
    path = looped(file, rec=linear(3, 2))
    refused(path, "node 'l' (LIF)", "different sizes meet: 2 from 'fc' and 3 from 'rec'")
    path = looped(file, rec=linear(2, 3))
    refused(path, "node 'rec' (Linear)", "weight of shape (2, 3) is for 3 values but 2 arrive")


def test_a_reset_that_snntorchs_recurrent_layer_computes_otherwise(file: Path) -> None:
    """RLeaky with reset to zero loses the input of that tick, which Leaky does not."""
    found = load_network(looped(file), "snntorch-zero", DT)
    assert found.populations[0].neuron.name == "snntorch-rleaky-zero"
    for name in LIF_MODELS.keys() - {"snntorch-zero"}:
        found = load_network(file, name, DT)
        assert found.recurrent("l") and found.populations[0].neuron.name == name
