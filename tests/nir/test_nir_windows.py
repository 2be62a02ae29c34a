"""Convolutions and pools in NIR files: what they compute, on floats and on the chip, and errors."""

from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import nir  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikelet.compiler.compile import compile_network
from spikelet.network.matrices import dense
from spikelet.network.network import Network
from spikelet.network.reference import run_float
from spikelet.nir.importer import load_network
from spikelet.runs.run import run as spikelet_run
from tests.helpers.networks import EULER, integrator, linear, sink, source, spikes, write
from tests.helpers.nir_evaluation import check_against_evaluation, refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "net.nir"


def grid(*shape: int, seed: int = 0) -> Any:
    """Weights on a grid of 1/8, lively, with both of its ends."""
    values = np.random.default_rng(seed).integers(-3, 6, shape) / 8
    values.flat[:2] = (-1, 7 / 8)
    return values


def conv2d(*shape: int, **fields: Any) -> nir.Conv2d:
    """A Conv2d with a kernel of a shape, random on a grid."""
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": np.zeros(shape[0])}
    conv = nir.Conv2d(None, grid(*shape), **{**usual, **fields})
    conv.input_shape = "None"  # nir.write cannot write None
    return conv


def conv1d(*shape: int, **fields: Any) -> nir.Conv1d:
    """A Conv1d with a kernel of a shape, random on a grid."""
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": np.zeros(shape[0])}
    conv = nir.Conv1d(None, grid(*shape), **{**usual, **fields})
    conv.input_shape = "None"
    return conv


def some(low: int, high: int) -> st.SearchStrategy[Any]:
    """One whole number, or a pair of them."""
    return st.one_of(st.integers(low, high), st.tuples(*[st.integers(low, high)] * 2).map(np.array))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_convolution_pool_and_convolution_node_by_node(file: Path, data: st.DataObject) -> None:
    groups = data.draw(st.sampled_from([1, 2]))
    first = conv2d(
        *(4, 2 // groups, 2, 3),
        stride=data.draw(some(1, 2)),
        padding=data.draw(some(0, 2)),
        dilation=data.draw(some(1, 2)),
        groups=groups,
        bias=np.array([0.25, 0, -0.125, 0.5]),
    )
    window, step, zeros = (data.draw(some(*ends)) for ends in ((1, 2), (1, 2), (0, 1)))
    nodes = {
        "in": source(2, 6, 7),
        "conv": first,
        "if": integrator(),
        "pool": data.draw(st.sampled_from([nir.SumPool2d, nir.AvgPool2d]))(window, step, zeros),
        "conv2": conv2d(3, 4, 1, 1, bias=np.full(3, 0.125)),
        "if2": integrator(v_threshold=0.625),
        "out": sink(1),
    }
    assert check_against_evaluation(file, nodes) > 0


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    numbers=st.tuples(*[st.integers(1, 3)] * 2),
    padding=st.integers(0, 3),
    groups=st.sampled_from([1, 3]),
)
def test_convolution_over_one_axis(file: Path, numbers: Any, padding: int, groups: int) -> None:
    stride, dilation = numbers
    conv = conv1d(
        *(6, 3 // groups, 3),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=np.arange(6) / 8,
    )
    nodes = {"in": source(3, 9), "conv": conv, "if": integrator(), "out": sink(1)}
    assert check_against_evaluation(file, nodes) > 0


@pytest.mark.parametrize(("kernel", "zeros"), [((3, 5), (1, 2)), ((1, 3), (0, 1))])
def test_padding_by_name(file: Path, kernel: tuple[int, int], zeros: tuple[int, int]) -> None:
    def weights(padding: Any, **fields: Any) -> Any:
        conv = conv2d(2, 1, *kernel, padding=padding, **fields)
        write(file, {"in": source(1, 6, 6), "c": conv, "if": integrator(), "out": sink(1)})
        return dense(load_network(file, EULER).projections[0].weights)

    np.testing.assert_array_equal(weights("same"), weights(zeros))
    np.testing.assert_array_equal(weights("valid"), weights(0))
    assert weights("same").shape == (36, 72)
    refusal = "padding 'same' is defined for stride 1 only, not [1, 2]"
    conv = conv2d(2, 1, *kernel, padding="same", stride=(1, 2))
    write(file, {"in": source(1, 6, 6), "c": conv, "if": integrator(), "out": sink(1)})
    refused(file, "node 'c' (Conv2d) between 'in' and 'if'", refusal)


def lively(file: Path) -> Network:
    """Conv2d, IF, AvgPool2d, Flatten, Linear, IF, all on grids."""
    nodes = {
        "in": source(2, 8, 8),
        "conv": conv2d(4, 2, 3, 3, stride=2, padding=1, bias=np.arange(4) / 8),
        "if": integrator(r=1.0),
        "pool": nir.AvgPool2d(2, 2, 0),
        "flat": nir.Flatten({"input": np.array([4, 2, 2])}, 0, -1),
        "fc": nir.Linear(grid(5, 16, seed=1)),
        "if2": integrator(v_threshold=0.5),
        "out": sink(5),
    }
    return load_network(write(file, nodes), EULER)


def test_on_the_chip_every_spike_is_the_float_networks(file: Path) -> None:
    network = lively(file)
    given_spikes = spikes(4, 20, 128)
    compiled = compile_network(network, potential_bits=20)
    found = spikelet_run(compiled, given_spikes)
    for population, run in zip(network.populations, run_float(network, given_spikes), strict=True):
        np.testing.assert_array_equal(found.spikes(population.name), run.spikes)
        assert 0.05 < run.spikes.mean() < 0.95
    assert network.sizes["if"] == 64 and network.sizes["if2"] == 5


def test_the_network_knows_its_convolutions(file: Path) -> None:
    """As long as nothing but a gain for each channel is folded into them."""
    network = lively(file)
    conv, linear = network.projections
    assert conv.convolution is not None and linear.convolution is None
    assert sparse.issparse(conv.weights) and not sparse.issparse(linear.weights)
    assert conv.convolution.output_shape == (4, 4, 4) and conv.convolution.stride == (2, 2)
    matrix = np.zeros(conv.weights.shape)
    sources, targets, weights = conv.convolution.triplets()
    matrix[sources, targets] = weights
    np.testing.assert_array_equal(matrix, dense(conv.weights))

    def after(r: Any, *shape: int) -> Any:
        neurons = nir.IF(np.reshape(r, shape), np.ones(shape), np.zeros(shape))
        nodes = {"in": source(1, 4, 4), "c": conv2d(2, 1, 2, 2), "if": neurons, "out": sink(18)}
        (found,) = load_network(write(file, nodes), EULER).projections
        return found

    plain, channels = dense(after(1, 1).weights), np.repeat([2.0, 3.0], 9)
    scaled = after(channels, 2, 3, 3)
    np.testing.assert_array_equal(
        scaled.convolution.kernel, conv2d(2, 1, 2, 2).weight * [[[[2]]], [[[3]]]]
    )
    np.testing.assert_array_equal(dense(scaled.weights), plain * channels)
    per_channel = after([2.0, 3.0], 2, 1, 1)  # parameters of channels, as PyTorch broadcasts them
    np.testing.assert_array_equal(dense(per_channel.weights), dense(scaled.weights))
    uneven = after(np.arange(1.0, 19.0), 2, 3, 3)
    assert uneven.convolution is None
    np.testing.assert_array_equal(dense(uneven.weights), plain * np.arange(1, 19))


def test_a_vector_takes_the_shape_that_the_convolution_declares(file: Path) -> None:
    conv = nir.Conv2d((4, 4), grid(2, 1, 3, 3), 1, 0, 1, 1, np.zeros(2))
    found = []
    for shape in ((16,), (1, 4, 4)):
        nodes = {"in": source(*shape), "c": conv, "if": integrator(), "out": sink(1)}
        found.append(dense(load_network(write(file, nodes), EULER).projections[0].weights))
    np.testing.assert_array_equal(*found)
    write(file, {"in": source(1, 5, 4), "c": conv, "if": integrator(), "out": sink(1)})
    refused(file, "node 'c' (Conv2d)", "input_shape is [4, 4], but values of shape (1, 5, 4) arr")


@pytest.mark.parametrize(
    ("dims", "shape"),
    [
        ((0, -1), (24,)),
        ((1, -1), (2, 12)),
        ((0, 1), (6, 4)),
        ((1, 3), (24,)),  # with the batch among the axes
        ((2, 3), (2, 12)),
        ((-2, -1), (2, 12)),
        ((1, 1), (2, 3, 4)),
        ((2, 1), None),
        ((0, 4), None),
        ((0.5, 1), None),
    ],
)
def test_flatten_takes_the_axes_named(file: Path, dims: Any, shape: Any) -> None:
    """Seen by a convolution behind it, which takes one axis more than it works on."""
    flatten = nir.Flatten({"input": np.array([2, 3, 4])}, 0, -1)
    conv: Any = conv1d(1, 1, 1)
    if shape is not None and len(shape) == 3:
        conv = conv2d(1, 1, 1, 1)
    if shape is not None and len(shape) > 1:
        conv.weight = np.ones((1, shape[0], *(1,) * (len(shape) - 1)))
    nodes = {"in": source(2, 3, 4), "f": flatten, "c": conv, "if": integrator(), "out": sink(1)}
    write(file, nodes)
    with h5py.File(file, "a") as handle:
        for name, value in zip(("start_dim", "end_dim"), dims, strict=True):
            del handle[f"node/nodes/f/{name}"]
            handle[f"node/nodes/f/{name}"] = value
    if shape is None:
        refused(file, "node 'f' (Flatten)", f"start_dim {dims[0]:g} and end_dim {dims[1]:g} are no")
    elif len(shape) == 1:
        refused(file, "node 'c' (Conv1d)", "not of shape (24,)")
    else:
        (found,) = load_network(file, EULER).projections
        assert found.convolution.shape == shape


def test_flatten_of_a_vector_by_pytorchs_default(file: Path) -> None:
    flatten = nir.Flatten({"input": np.array([3])}, 0)
    write(
        file,
        {"in": source(3), "f": flatten, "fc": linear(2, 3), "if": integrator(2), "out": sink(2)},
    )
    with h5py.File(file, "a") as handle:
        handle["node/nodes/f/start_dim"][()] = 1
    assert load_network(file, EULER).sizes["if"] == 2


# What is refused

FIELDS = ("weight", "stride", "padding", "dilation", "groups", "kernel_size")


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        *(("Conv2d", name, None, f"field {name} is missing") for name in FIELDS[:-1]),
        *(("Conv1d", name, None, f"field {name} is missing") for name in FIELDS[:-1]),
        *(("AvgPool2d", name, None, f"field {name} is missing") for name in FIELDS[1:3]),
        ("SumPool2d", "kernel_size", None, "field kernel_size is missing"),
        ("Conv2d", "weight", np.ones((2, 9)), "weight must be an array of 4 axes (outputs, inputs"),
        ("Conv2d", "weight", np.full((2, 1, 2, 2), np.nan), "weight must be finite, found nan"),
        (
            "Conv2d",
            "weight",
            np.ones((2, 1, 7, 2)),
            "reaches over 7 values, more than the height 6",
        ),
        ("Conv2d", "weight", np.ones((2, 1, 0, 2)), "none of them 0, not shape (2, 1, 0, 2)"),
        ("Conv2d", "weight", np.ones((2, 3, 2, 2)), "for 3 input channels, but 1 arrive"),
        ("Conv1d", "weight", np.ones((2, 1, 7)), "reaches over 7 values, more than the length 6"),
        ("Conv2d", "stride", 0, "stride must be one whole number or 2 of 1 or more, not [0]"),
        ("Conv2d", "stride", [1, 1.5], "stride must be one whole number or 2 of 1 or more"),
        ("Conv2d", "stride", [1, 1, 1], "stride must be one whole number or 2"),
        ("Conv2d", "stride", np.zeros(0), "stride must be one whole number or 2"),
        ("Conv2d", "stride", 1e18, "stride must be one whole number or 2"),
        ("Conv1d", "stride", -1, "stride must be a whole number of 1 or more, not [-1]"),
        ("Conv2d", "dilation", [0, 1], "dilation must be one whole number or 2 of 1 or more"),
        ("Conv2d", "dilation", 6, "reaches over 7 values, more than the height 6 with padding, 6"),
        ("Conv2d", "padding", -1, "padding must be one whole number or 2 of 0 or more, not [-1]"),
        ("Conv2d", "padding", "reflect", "must be 'same', 'valid' or whole numbers, not 'reflect'"),
        ("Conv2d", "padding", np.nan, "padding must be finite, found nan"),
        ("Conv1d", "padding", "circular", "must be 'same', 'valid' or whole numbers"),
        ("Conv2d", "groups", 2, "groups must divide the 1 input and 2 output channels, not be 2"),
        ("Conv2d", "groups", 0, "groups must be a whole number of 1 or more, not [0]"),
        ("Conv2d", "bias", np.zeros(3), "bias has 3 values but the layer has 2"),
        ("Conv2d", "bias", np.array([0, np.inf]), "bias must be finite"),
        ("Conv2d", "input_shape", [6, 0], "input_shape must be one whole number or 2 of 1 or more"),
        ("AvgPool2d", "kernel_size", 0, "kernel_size must be one whole number or 2 of 1 or more"),
        ("AvgPool2d", "kernel_size", 7, "reaches over 7 values, more than the height 6"),
        ("AvgPool2d", "stride", 0, "stride must be one whole number or 2 of 1 or more"),
        ("SumPool2d", "padding", [0.5, 0], "padding must be one whole number or 2 of 0 or more"),
    ],
)
def test_odd_fields(file: Path, kind: str, field: str, value: Any, message: str) -> None:
    nodes: dict[str, Any] = {
        "Conv2d": conv2d(2, 1, 2, 2),
        "Conv1d": conv1d(2, 1, 2),
        "AvgPool2d": nir.AvgPool2d(2, 2, 0),
        "SumPool2d": nir.SumPool2d(2, 2, 0),
    }
    shape = (1, 6) if kind == "Conv1d" else (1, 6, 6)
    write(file, {"in": source(*shape), "x": nodes[kind], "if": integrator(), "out": sink(1)})
    load_network(file, EULER)
    with h5py.File(file, "a") as handle:
        node = handle["node/nodes/x"]
        node.pop(field, None)
        if value is not None:
            node[field] = value
    refused(file, f"node 'x' ({kind}) between 'in' and 'if'", message)


def test_a_bias_may_be_missing(file: Path) -> None:
    write(
        file, {"in": source(1, 6, 6), "c": conv2d(2, 1, 2, 2), "if": integrator(), "out": sink(1)}
    )
    with h5py.File(file, "a") as handle:
        del handle["node/nodes/c/bias"]
    assert "bias" not in load_network(file, EULER).populations[0].parameters


@pytest.mark.parametrize("kind", [nir.AvgPool2d, nir.SumPool2d])
def test_pools_need_channels_height_and_width(file: Path, kind: Any) -> None:
    nodes = {"in": source(36), "p": kind(2, 2, 0), "if": integrator()}
    write(file, {**nodes, "out": sink(1)})
    refused(file, "node 'p'", "values of shape (36,) arrive, where it takes (channels, height, wid")


def test_convolutions_need_channels(file: Path) -> None:
    write(file, {"in": source(6, 6), "c": conv2d(2, 1, 2, 2), "if": integrator(), "out": sink(1)})
    refused(file, "node 'c' (Conv2d)", "needs values of 3 axes, channels and 2 more")


def test_a_map_too_large_for_a_matrix(file: Path) -> None:
    nodes = {"in": source(2, 128, 128), "c": conv2d(4, 2, 3, 3), "if": integrator(), "out": sink(1)}
    write(file, nodes)
    refused(file, "32,768 values lead to 63,504", "2,080,899,072 weights", "a larger stride")


def test_cores_share_kernels_from_the_file_on(file: Path) -> None:
    """Also the one that a convolution and the pool in front of it become; outputs are the same."""
    nodes = {
        "in": source(2, 12, 12),
        "conv": conv2d(4, 2, 3, 3, padding=1),
        "if": integrator(),
        "pool": nir.SumPool2d(2, 2, 0),
        "conv2": conv2d(4, 4, 3, 3, padding=1),
        "if2": integrator(),
        "out": sink(4, 6, 6),
    }
    write(file, nodes)
    compiled = [
        compile_network(file, EULER, limits={"synapses": name}) for name in ("auto", "dense")
    ]
    assert [core.synapses for core in compiled[0].chip.cores] == ["shared"] * 2
    given = spikes(3, 8, 288)
    outputs = [spikelet_run(one, given).outputs for one in compiled]
    assert (outputs[0] == outputs[1]).all() and outputs[0].any()
