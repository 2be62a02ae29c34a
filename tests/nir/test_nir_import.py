"""NIR files: what is folded, and what is refused with which words."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.network.network import INPUT
from spikelet.nir.importer import load_network
from spikelet.support import check
from tests.helpers.networks import (
    DT,
    EULER,
    LIF_MODELS,
    RESETS,
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


# What a file means


def test_chain_with_every_node_type(file: Path) -> None:
    nodes = {
        "in": source(2, 3),
        "flat": nir.Flatten({"input": np.array([2, 3])}, 0, -1),
        "fc1": affine(5, 6, 1),
        "gain": nir.Scale(np.linspace(0.5, 2, 5)),
        "lif1": lif(5, tau=[2e-3, 3e-3, 4e-3, 5e-3, 1e-3], r=2.5, v_leak=0.1, v_reset=-0.2),
        "scaled": nir.Scale(np.full(5, 1.5)),
        "fc2": linear(4, 5, 2),
        "fc3": affine(3, 4, 3),
        "if1": integrator(3, v_threshold=0.7, r=0.8),
        "out": sink(3),
    }
    assert check_against_evaluation(file, nodes) > 0


def test_graph_with_branches_merges_and_skips(file: Path) -> None:
    nodes = {
        "in": source(4),
        "fa": affine(5, 4, 1),
        "la": lif(5),
        "fb": linear(3, 4, 2),
        "lb": integrator(3),
        "fa2": affine(6, 5, 3),
        "fb2": linear(6, 3, 4),
        "skip": linear(6, 4, 5),
        "parallel": linear(6, 5, 6),
        "lc": lif(6, v_threshold=0.5),
        "direct": nir.Scale(np.full(6, 0.6)),
        "ld": integrator(6, v_threshold=0.5),
        "out": sink(6),
    }
    edges = [
        ("in", "fa"),
        ("fa", "la"),
        ("in", "fb"),
        ("fb", "lb"),
        ("la", "fa2"),
        ("lb", "fb2"),
        ("in", "skip"),
        ("la", "parallel"),
        ("fa2", "lc"),
        ("fb2", "lc"),
        ("skip", "lc"),
        ("parallel", "lc"),
        ("lc", "ld"),
        ("lc", "direct"),
        ("direct", "ld"),
        ("skip", "ld"),
        ("ld", "out"),
    ]
    assert check_against_evaluation(file, nodes, edges) > 0
    network = load_network(file, EULER, DT)
    assert {p.source for p in network.into("lc")} == {INPUT, "la", "lb"}
    assert {p.source for p in network.into("ld")} == {INPUT, "lc"}
    np.testing.assert_allclose(
        next(p.weights for p in network.into("ld") if p.source == "lc"), 1.6 * np.eye(6)
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5), seed=st.integers(0, 1000))
def test_random_linear_chains_fold(file: Path, sizes: list[int], seed: int) -> None:
    nodes: dict[str, Any] = {"in": source(sizes[0])}
    product, bias = np.eye(sizes[0]), np.zeros(sizes[0])
    for i, (n, m) in enumerate(pairwise(sizes)):
        node = affine(m, n, seed + i)
        nodes[f"fc{i}"] = node
        product, bias = product @ node.weight.T, node.weight @ bias + node.bias
    nodes |= {"if": integrator(sizes[-1]), "out": sink(sizes[-1])}
    network = load_network(write(file, nodes), EULER)
    np.testing.assert_allclose(network.projections[0].weights, product, atol=1e-9)
    np.testing.assert_allclose(network.populations[0].parameters["bias"], bias, atol=1e-9)


def test_several_outputs_are_concatenated(file: Path) -> None:
    nodes = {"in": source(2), "a": integrator(2), "b": lif(2), "o1": sink(2), "o2": sink(2)}
    edges = [("in", "a"), ("in", "b"), ("b", "o2"), ("a", "o1")]
    assert load_network(write(file, nodes, edges), EULER, DT).outputs == ("a", "b")


def test_forward_euler_constants(file: Path) -> None:
    node = lif(2, tau=[2e-3, 4e-3], r=[1.0, 8.0], v_leak=0.5, v_reset=-0.25, v_threshold=[1, 2])
    write(file, {"in": source(2), "lif": node, "out": sink(2)})
    (layer,) = (network := load_network(file, EULER, DT)).populations
    np.testing.assert_allclose(layer.parameters["decay"], [0.5, 0.75])
    np.testing.assert_allclose(network.projections[0].weights, np.diag([0.5, 2.0]))
    np.testing.assert_allclose(layer.parameters["bias"], [0.25, 0.125])
    np.testing.assert_allclose(layer.parameters["threshold"], [1, 2])
    np.testing.assert_allclose(layer.parameters["reset_potential"], -0.25)
    assert network.dt == DT


def test_scalars_that_lost_their_shape(file: Path) -> None:
    node = nir.LIF(*(np.float64(x) for x in (2e-3, 2.0, 0.0, 1.0, 0.0)))
    one = nir.IF(*(np.array([x]) for x in (1.0, 1.0)))
    fc1, fc2 = linear(4, 3), nir.Affine(np.ones((2, 4)), np.float64(0.5))
    write(
        file,
        {"in": source(3), "fc1": fc1, "lif": node, "fc2": fc2, "if": one, "out": sink(1)},
    )
    network = load_network(file, EULER, DT)
    assert [p.size for p in network.populations] == [4, 2]
    np.testing.assert_array_equal(network.populations[1].parameters["bias"], [0.5, 0.5])
    np.testing.assert_allclose(network.projections[0].weights, fc1.weight.T)


def test_float32_from_snntorch_is_exact(file: Path) -> None:
    """As snnTorch's export computes: tau = dt / (1 - beta), r = tau / dt, all in float32."""
    for beta in (0.5, 0.75, 0.9375, 0.984375):
        tau = np.full(3, np.float32(1e-4) / (np.float32(1) - np.float32(beta)), np.float32)
        node = nir.LIF(tau, tau / np.float32(1e-4), tau * 0, np.ones(3, np.float32))
        weight = np.array([[0.125, -0.5, 0.0625]] * 3, np.float32)
        nodes = {"in": source(3), "fc": nir.Linear(weight), "lif": node, "out": sink(3)}
        network = load_network(write(file, nodes, dt=np.float32(1e-4)), SUBTRACT)
        assert network.dt == 1e-4
        assert network.populations[0].parameters["decay"].tolist() == [beta] * 3
        assert (network.projections[0].weights == weight.T).all()


# Time step and neuron


def leaky(file: Path, **metadata: Any) -> Path:
    return write(
        file,
        {"in": source(3), "fc1": linear(2, 3), "lif1": lif(2), "out": sink(2)},
        **metadata,
    )


def test_time_step_from_option_then_metadata(file: Path) -> None:
    leaky(file, dt=5e-4)
    assert load_network(file, EULER).dt == 5e-4
    assert load_network(file, EULER, 1e-3).dt == 1e-3


def test_time_step_unknown(file: Path) -> None:
    message = refused(
        leaky(file), "node 'lif1' (LIF) between 'fc1' and 'out'", "time step is not known", dt=None
    )
    assert "pass --dt" in message and "snnTorch" in message and "1e-4" in message


def test_no_time_step_needed_without_leak(file: Path) -> None:
    write(file, {"in": source(2), "if": integrator(2), "out": sink(2)})
    assert load_network(file, EULER).dt is None


@pytest.mark.parametrize("dt", [0.0, -1e-3, np.nan, "1 ms", np.array([1.0, 2.0])])
def test_time_step_nonsense(file: Path, dt: Any) -> None:
    with pytest.raises(SpikeletError, match=r"metadata 'dt' must be (a number|above 0)"):
        load_network(leaky(file, dt=dt), EULER)
    if isinstance(dt, float):
        with pytest.raises(SpikeletError, match=r"the time step \(--dt\) must be above 0"):
            load_network(file, EULER, dt)


def test_time_step_longer_than_tau(file: Path) -> None:
    message = refused(leaky(file), "node 'lif1' (LIF)", "dt/tau must be above 0 and", "5", dt=1e-2)
    assert "dt 0.01 s, tau 0.002 s" in message
    assert load_network(file, EULER, 2e-3).populations[0].parameters["decay"] == pytest.approx(0)


@pytest.mark.parametrize("tau", [0.0, -2e-3])
def test_time_constant_nonsense(file: Path, tau: float) -> None:
    write(file, {"in": source(1), "lif": lif(tau=tau), "out": sink(1)})
    refused(file, "node 'lif' (LIF)", "dt/tau must be above 0 and at most 1")


def test_infinite_tau_hints_at_if(file: Path) -> None:
    write(file, {"in": source(1), "lif": lif(tau=np.inf), "out": sink(1)})
    refused(file, "node 'lif' (LIF)", "tau must be finite, found inf at [0]", "is an IF node")


def test_reset_value_needs_the_profile(file: Path) -> None:
    write(file, {"in": source(2), "lif": lif(2, v_reset=[0, -0.5]), "out": sink(2)})
    message = refused(file, "node 'lif' (LIF)", "v_reset is -0.5", neuron=SUBTRACT)
    assert "--neuron nir-euler" in message


@pytest.mark.parametrize(
    ("metadata", "neuron", "words"),
    [
        (
            {"reset_mechanism": "subtract"},
            "nir-euler",
            "says reset_mechanism 'subtract', but that of neuron model nir-euler",
        ),
        (
            {"reset": "subtract"},
            "snntorch-zero",
            "says reset_mechanism 'subtract', but that of neuron model snntorch-zero",
        ),
        ({"reset_mechanism": "none"}, "snntorch-zero", "says reset_mechanism 'none'"),
        (
            {"reset_delay": True},
            "snntorch-zero-immediate",
            "says reset_delay True, but that of",
        ),
        (
            {"reset_delay": False},
            "snntorch-subtract",
            "says reset_delay False, but that of",
        ),
    ],
)
def test_reset_contradicts_profile(
    file: Path, metadata: dict[str, Any], neuron: str, words: str
) -> None:
    refused(leaky(file, **metadata), words, "snntorch-subtract", neuron=neuron)


def test_reset_agrees_with_profile(file: Path) -> None:
    leaky(file, reset_mechanism="subtract", reset_delay=True)
    assert load_network(file, "snntorch-subtract", DT).neurons == (SUBTRACT,)
    assert load_network(leaky(file, reset_mechanism="zero"), EULER, DT).neurons == (EULER,)


@pytest.mark.parametrize("name", [name for name in LIF_MODELS if name.startswith("snntorch")])
def test_profile_from_metadata(file: Path, name: str) -> None:
    neuron = LIF_MODELS[name]
    leaky(
        file,
        simulator="snntorch 1.0",
        reset_mechanism=RESETS[name].kind,
        reset_delay=RESETS[name].delayed,
    )
    assert load_network(file, dt=DT).neurons == (neuron,)


def test_profile_unknown(file: Path) -> None:
    message = refused(leaky(file), "the model of its neurons is not known", "--neuron", neuron=None)
    assert all(name in message for name in LIF_MODELS)
    with pytest.raises(SpikeletError, match="there is no neuron model 'norse'"):
        load_network(file, "norse", DT)


# Files


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "no.nir", "there is no such file")


def test_directory(tmp_path: Path) -> None:
    refused(tmp_path, "is a directory")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a network" * 100])
def test_not_hdf5(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    refused(file, "is not an HDF5 file", "nir.write")


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.9, 0.99])
def test_truncated(file: Path, keep: float) -> None:
    data = leaky(file).read_bytes()
    file.write_bytes(data[: int(keep * len(data))])
    refused(file, "is truncated, damaged or unreadable")


def test_damaged_inside(file: Path) -> None:
    data = bytearray(leaky(file).read_bytes())
    rng = np.random.default_rng(0)
    for i in range(0, len(data) - 200, 200):
        data[100 + i : 120 + i] = rng.bytes(20)
    file.write_bytes(bytes(data))
    refused(file)


def test_unreadable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leaky(file)

    def fail(*_: Any) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(h5py, "is_hdf5", fail)
    refused(file, "unreadable", "Permission denied")


def test_hdf5_but_not_nir(file: Path) -> None:
    with h5py.File(file, "w") as handle:
        handle["weights"] = np.ones(3)
    refused(file, "holds no NIR graph", "found weights")
    with h5py.File(file, "w") as handle:
        handle["node/type"] = "LIF"
    refused(file, "holds no NIR graph")
    with h5py.File(file, "w") as handle:
        handle["node"] = 3
    refused(file, "holds no NIR graph")


# Graphs


def chain_of(file: Path, edges: Edges | None = None, **nodes: Any) -> Path:
    return write(file, {"in": source(3), **nodes, "out": sink(2)}, edges)


def test_unsupported_node(file: Path) -> None:
    chain_of(file, fc1=linear(2, 3), lif1=lif(2))
    with h5py.File(file, "a") as handle:
        handle["node/nodes/lif1/type"][()] = "GRU"
    message = refused(
        file, "node 'lif1' (GRU) between 'fc1' and 'out'", "node type GRU is not supported"
    )
    assert "Input, Output, Linear, Affine, Conv1d" in message and "LIF, IF" in message


def test_node_without_type(file: Path) -> None:
    leaky(file)
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/fc1/type"]
    refused(file, "node 'fc1' (no type) between 'in' and 'lif1'", "is not supported")


def test_field_missing_or_text(file: Path) -> None:
    leaky(file)
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/lif1/tau"]
    refused(file, "node 'lif1' (LIF)", "field tau is missing", "tau, r, v_leak, v_threshold")
    with h5py.File(file, "a") as handle:
        handle["node/nodes/lif1/tau"] = "fast"
    refused(file, "node 'lif1' (LIF)", "tau holds |S4, not real numbers")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_not_finite(file: Path, value: float) -> None:
    bad = linear(2, 3)
    bad.weight[1, 2] = value
    refused(
        chain_of(file, fc1=bad, lif1=lif(2)),
        "node 'fc1' (Linear) between 'in' and 'lif1'",
        f"weight must be finite, found {value} at [1, 2] (1 of 6 values)",
    )


def test_weight_not_a_matrix(file: Path) -> None:
    bad = nir.Linear(np.ones((1, 2, 3)))
    refused(chain_of(file, fc1=bad, lif1=lif(2)), "node 'fc1' (Linear)", "must be a matrix")


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ({"fc1": linear(2, 4), "l": lif(2)}, ("node 'fc1'", "shape (2, 4) is for 4 values but 3")),
        ({"fc1": linear(4, 3), "l": lif(2)}, ("node 'l'", "has 2 values but the layer has 4")),
        ({"fc1": linear(4, 3), "l": lif(4)}, ("node 'out'", "shape [2] is for 2 values but 4")),
        (
            {"s": nir.Scale(np.ones(2)), "l": lif(3)},
            ("node 's'", "scale has 2 values but the layer"),
        ),
        (
            {"fc1": nir.Affine(np.ones((2, 3)), np.ones(3)), "l": lif(2)},
            ("node 'fc1'", "bias has 3 values but the layer has 2"),
        ),
        (
            {"f": nir.Flatten({"input": np.array([2, 2])}, 0), "l": lif(4)},
            ("node 'f'", "shape [2, 2] is for 4 values but 3 arrive"),
        ),
    ],
)
def test_shapes_that_do_not_chain(
    file: Path, nodes: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(chain_of(file, **nodes), *words)


def test_flatten_without_a_shape(file: Path) -> None:
    chain_of(file, fc=linear(2, 3), l=lif(2), f=nir.Flatten({"input": np.array([2])}, 0))
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/f/input_type"]
    assert load_network(file, EULER, DT).outputs == ("l",)


def test_sizes_that_do_not_merge(file: Path) -> None:
    nodes = {"a": linear(2, 3), "b": linear(4, 3), "l": lif(2)}
    edges = [("in", "a"), ("in", "b"), ("a", "l"), ("b", "l"), ("l", "out")]
    refused(chain_of(file, edges, **nodes), "node 'l'", "meet: 2 from 'a' and 4 from 'b'")


def test_no_neuron(file: Path) -> None:
    refused(chain_of(file, fc=linear(2, 3)), "there is no neuron in the network")


def test_input_does_not_reach_the_output(file: Path) -> None:
    nodes = {"fc": linear(2, 3), "l": lif(2)}
    edges = [("in", "fc"), ("l", "out")]
    refused(chain_of(file, edges, **nodes), "node 'in' (Input)", "does not reach an Output")


def test_nodes_beside_the_way(file: Path) -> None:
    nodes = {"fc": linear(2, 3), "l": lif(2), "x": linear(2, 2)}
    way = [("in", "fc"), ("fc", "l"), ("l", "out")]
    refused(chain_of(file, [*way, ("l", "x")], **nodes), "node 'x'", "does not lead to an Output")
    refused(chain_of(file, [*way, ("x", "l")], **nodes), "node 'x'", "gets no input")


def test_inputs_and_outputs_missing(file: Path) -> None:
    write(file, {"l": lif(2), "out": sink(2)})
    refused(file, "must have at least one Input and one Output, found 0 and 1")
    write(file, {"in": source(2), "l": lif(2)})
    refused(file, "found 1 and 0")


def test_edges_behind_the_ends(file: Path) -> None:
    nodes = {"fc": linear(2, 3), "l": lif(2), "fc2": linear(2, 2), "l2": lif(2), "o2": sink(2)}
    way = [("in", "fc"), ("fc", "l"), ("l", "out")]
    on = [("out", "fc2"), ("fc2", "l2"), ("l2", "o2")]
    refused(chain_of(file, [*way, *on], **nodes), "edge 'out' -> 'fc2'", "cannot leave an Output")
    nodes = {"fc": linear(2, 3), "l": lif(2), "fc2": linear(3, 2)}
    back = [("l", "fc2"), ("fc2", "in")]
    refused(chain_of(file, [*way, *back], **nodes), "edge 'fc2' -> 'in'", "nor end at an Input")


def test_edges_that_make_no_sense(file: Path) -> None:
    nodes = {"fc": linear(2, 3), "l": lif(2)}
    way = [("in", "fc"), ("fc", "l"), ("l", "out")]
    refused(chain_of(file, [*way, ("l", "x")], **nodes), "edge 'l' -> 'x': there is no node 'x'")


@pytest.mark.parametrize("twice", [("fc", "l"), ("in", "fc"), ("l", "f2")])
def test_an_edge_that_is_given_twice_adds_twice(file: Path, twice: tuple[str, str]) -> None:
    """As if its weights were doubled; nir's own reader refuses it, so there is a warning."""
    nodes = {"in": source(3), "fc": linear(2, 3), "l": lif(2), "f2": linear(2, 2, 1), "m": lif(2)}
    edges = [("in", "fc"), ("fc", "l"), ("l", "f2"), ("f2", "m"), ("m", "out"), twice]
    with pytest.warns(SpikeletWarning, match=f"edge '{twice[0]}' -> '{twice[1]}' is given more"):
        assert check_against_evaluation(file, {**nodes, "out": sink(2)}, edges) > 0
    (doubt,) = (d for d in check(file, EULER, DT).doubts if "edge" in d)
    assert "added as often" in doubt


def test_potentials_cannot_be_added_twice(file: Path) -> None:
    ones = np.ones(2)
    nodes = {"fc": linear(2, 3), "l": lif(2), "li": nir.LI(2e-3 * ones, ones, 0 * ones)}
    edges = [("in", "fc"), ("fc", "l"), ("l", "li"), ("li", "out")]
    path = write(file, {"in": source(3), **nodes, "out": sink(2)}, [*edges, ("li", "out")])
    with pytest.warns(SpikeletWarning, match="given more than once"):
        refused(path, "the potentials of 'li' arrive")


def test_threshold_not_positive(file: Path) -> None:
    refused(
        chain_of(file, fc=linear(2, 3), l=lif(2, v_threshold=[1, -1])),
        "node 'l' (LIF) between 'fc' and 'out'",
        "v_threshold must be above 0, found -1",
    )


def test_if_written_with_dt_in_r(file: Path) -> None:
    chain_of(file, fc=linear(2, 3), l=integrator(2, r=1000.0))
    words = "node 'l' (IF)", "as of SpikingJelly 2.0 (r = 1/dt)", "--framework spikingjelly"
    refused(file, *words)
    chain_of(file, fc=linear(2, 3), l=integrator(2, r=1e4))  # by the exporter's own time step
    refused(file, *words, dt=None)


def test_neuron_named_input(file: Path) -> None:
    write(file, {"x": source(2), "input": lif(2), "out": sink(2)})
    refused(file, "a population is called 'input'", "rename it, for example to 'input_neurons'")


def test_products_that_overflow(file: Path) -> None:
    huge = nir.Linear(np.full((2, 2), 1e200))
    write(file, {"in": source(2), "a": huge, "b": huge, "l": lif(2), "out": sink(2)})
    refused(file, "projection 'input' -> 'l': weights must be finite, found inf at (0, 0)")


@pytest.mark.parametrize(
    ("field", "what"), [("r", "weights from 'input'"), ("v_threshold", "threshold")]
)
def test_numbers_whose_squares_are_none(file: Path, field: str, what: str) -> None:
    chain_of(file, fc=linear(2, 3), l=lif(2, **{field: 1e200}))
    refused(file, "node 'l' (LIF)", what, "must be at most 1e+100, found", "e+", "units")


def test_two_outputs_of_one_layer(file: Path) -> None:
    nodes = {"in": source(2), "l": lif(2), "o1": sink(2), "o2": sink(2)}
    write(file, nodes, [("in", "l"), ("l", "o1"), ("l", "o2")])
    refused(file, "node 'o2' (Output)", "the output 'l' is that of another Output already")


def questioned(file: Path, dt: float = 1e-4, **fields: Any) -> str | None:
    """Return the warning that a layer of 4 inputs and 3 neurons gives, None if there is none."""
    nodes = {"in": source(4), "fc": linear(3, 4, 1), "lif": lif(3, **fields), "out": sink(3)}
    nodes["fc"].weight = np.full((3, 4), 0.4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_network(write(file, nodes), EULER, dt)
    return str(caught[0].message) if caught else None


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        (
            {"tau": 1.0, "r": 10.0},  # milliseconds
            (
                "node 'lif' (LIF) between 'fc' and 'out': tau is 1 s, 10,000 ticks of 0.0001 s",
                "645",
            ),
        ),
        ({"tau": 20.0, "r": 1.1, "v_threshold": 2.0}, ("no neuron fires at all", "--dt 0.1)")),
        ({"tau": 1e-3, "v_leak": -65.0}, ("v_leak is -65 where v_threshold is 1", "at all")),
        (
            {"tau": 1e-3, "r": 0.7, "v_reset": -65.0},
            ("v_reset is -65 where v_threshold is 1", "within 60 ticks"),
        ),
    ],
)
def test_units_that_were_mixed_up_are_asked_about(
    file: Path, fields: dict[str, float], parts: tuple[str, ...]
) -> None:
    text = questioned(file, **fields)
    assert text and "remedy: " in text
    for part in (str(file), *parts):
        assert part in text, text


@pytest.mark.parametrize(
    ("fields", "dt"),
    [
        ({"tau": 1e-3, "r": 10.0}, 1e-4),
        ({"tau": 1.0, "r": 10.0}, 0.1),  # the milliseconds of above, and so the time step
        ({"tau": 1.0, "r": 1e4}, 1e-4),  # slow on purpose: the input is strong
        ({"tau": 1e-3, "r": 0.1}, 1e-4),  # mute, but not for its units
        ({"tau": 1e-3, "v_leak": -5.0, "r": 1.0}, 1e-4),  # mute, by a rest of a few thresholds
        ({"tau": 1e-3, "v_reset": -15.0, "r": 20.0}, 1e-4),
    ],
)
def test_units_that_are_right_are_not(file: Path, fields: dict[str, float], dt: float) -> None:
    assert questioned(file, dt, **fields) is None


def test_a_threshold_in_millivolts(file: Path) -> None:
    nodes = {"in": source(2), "lif": lif(2, v_threshold=-50.0, v_leak=-65.0), "out": sink(2)}
    refused(
        write(file, nodes),
        "v_threshold must be above 0, found -50, where v_leak is -65",
        "subtract the rest from v_leak, v_reset and v_threshold",
    )


@pytest.mark.parametrize("shape", [10**12, 2**62, 0, -3, 1.5])
def test_shapes_without_measure(file: Path, shape: float) -> None:
    write(file, {"in": source(2), "lif": lif(2), "out": sink(2)})
    with h5py.File(file, "a") as handle:
        nodes = handle["node/nodes"]
        del nodes["in/shape"]
        nodes["in/shape"] = np.array([shape])
    refused(file, "node 'in' (Input)", "shape must be", "16,777,216, not", "one sample")


def test_datasets_without_measure(file: Path) -> None:
    write(file, {"in": source(2), "fc": linear(2, 2, 1), "lif": lif(2), "out": sink(2)})
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/fc/weight"]
        handle["node/nodes/fc"].create_dataset("weight", (10**6, 10**6), "f4", chunks=(1000, 1000))
    assert file.stat().st_size < 1 << 20
    refused(file, "fc/weight declares shape (1000000, 1000000)", "8 GiB", "check how")


def test_a_wide_one_to_one_connection(file: Path) -> None:
    n = 11_586
    write(file, {"in": source(n), "lif": lif(n), "out": sink(n)})
    refused(file, "11,586 values lead to 11,586 one to one", "at most 134,217,728")
