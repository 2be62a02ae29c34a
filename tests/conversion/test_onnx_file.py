"""ONNX files as ReLU networks: held against loops over every number; and all that is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from spikelet.conversion.layers import Convolved, Dense, Pooled
from spikelet.conversion.onnx_file import onnx_file, read_onnx
from spikelet.description.errors import SpikeletError
from tests.helpers.onnx_networks import Builder, computed, residual_cnn, small_cnn


def check_equal(built: Builder, outputs: int, *, rtol: float = 1e-6) -> Any:
    """Compare what is read with the loops, on random samples; return the network."""
    model = built.model(outputs)
    network = read_onnx(model.SerializeToString(), "built.onnx")
    samples = np.random.default_rng(9).normal(0.3, 0.5, (3, *built.shape))
    found = network.outputs(samples.reshape(3, -1))
    for sample, mine in zip(samples, found, strict=True):
        np.testing.assert_allclose(mine, computed(model, sample).ravel(), rtol=rtol, atol=1e-6)
    assert np.ptp(found) > 0
    return network


def test_a_cnn() -> None:
    network = check_equal(small_cnn(), 5)
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(Convolved) == 2 and Pooled in kinds, "normalisation is folded"


@settings(max_examples=40, deadline=None)
@given(
    axes=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    pad=st.integers(0, 2),
    window=st.integers(1, 3),
    pool=st.booleans(),
    seed=st.integers(0, 999),
)
def test_windows(
    axes: int, groups: int, stride: int, dilation: int, pad: int, window: int, pool: bool, seed: int
) -> None:
    built = Builder((2, *(7, 6)[:axes]), seed)
    sizes: dict[str, Any] = {"strides": [stride] * axes, "pads": [pad] * 2 * axes}
    built.conv(4, 2 // groups, (window,) * axes, group=groups, dilations=[dilation] * axes, **sizes)
    built.batch_norm(4).node("Relu")
    if pool:
        built.node("AveragePool", kernel_shape=[2] * axes, pads=[1] * 2 * axes, count_include_pad=1)
    check_equal(built, 1)


def test_normalisation_that_nothing_before_it_takes_up() -> None:
    """Behind a pool, in front of all, and of vectors."""
    built = Builder((2, 6, 6), 1).batch_norm(2).node("AveragePool", kernel_shape=[2, 2])
    built.batch_norm(2).node("Relu").node("Flatten").batch_norm(50)
    network = check_equal(built, 50)
    assert isinstance(network.layers[-1], Dense)


def test_arithmetic_with_constants() -> None:
    rng = np.random.default_rng(2)
    built = Builder((3, 4, 4), 3)
    built.node("Sub", np.array(0.2)).node("Div", np.array([[[0.5]], [[0.25]], [[2.0]]]))
    built.conv(2, 3, (2, 2)).node("Mul", np.array([[[[3.0]], [[-1.0]]]])).node("Identity")
    built.node("GlobalAveragePool").node("Reshape", np.array([-1, 2]))
    built.node("MatMul", rng.normal(size=(2, 4))).node("Add", rng.normal(size=(1, 4)))
    check_equal(built, 4)


def test_flat_inputs_that_become_images() -> None:
    built = Builder((36,)).node("Reshape", np.array([-1, 1, 6, 6])).conv(2, 1, (3, 3)).node("Relu")
    network = check_equal(built.node("Flatten").gemm(3, 32), 3)
    assert network.input_shape == (1, 6, 6)


def test_a_softmax_at_the_end_is_left_out_and_said() -> None:
    with_it = read_onnx(Builder((4,)).gemm(3, 4).node("Softmax").bytes(3), "s.onnx")
    without = read_onnx(Builder((4,)).gemm(3, 4).bytes(3), "s.onnx")
    np.testing.assert_array_equal(with_it.outputs(np.eye(4)), without.outputs(np.eye(4)))
    assert "Softmax" in with_it.notes[0] and not without.notes


def same_upper() -> Builder:
    """Return a convolution with one zero more behind than in front, as padding "same" has it."""
    return Builder((1, 5, 5)).conv(2, 1, (2, 2), pads=[0, 0, 1, 1])


def test_padding_same() -> None:
    check_equal(same_upper(), 1)
    named = Builder((1, 5, 5)).conv(2, 1, (2, 2), auto_pad="SAME_UPPER")
    network = read_onnx(named.bytes(1), "s.onnx")
    twin = read_onnx(same_upper().bytes(1), "s.onnx")
    sample = np.arange(25.0)[None]
    np.testing.assert_array_equal(network.outputs(sample), twin.outputs(sample))


def image() -> Builder:
    """Return a chain without nodes."""
    return Builder((2, 6, 6))


ONES = np.ones(2)

REFUSED = {
    "/maxpool0' (MaxPool): MaxPool has no spiking": image().node("MaxPool", kernel_shape=[2, 2]),
    "train with average pooling": image().node("MaxPool", kernel_shape=[2, 2]),
    "train with ReLU": image().node("LeakyRelu"),
    "what is converted are Conv, Gemm": image().node("Resize", ONES),
    "it leaves the padding out of its averages": image().node(
        "AveragePool", kernel_shape=[2, 2], pads=[1, 1, 1, 1]
    ),
    "ceil_mode must be 0, not 1": image().node("AveragePool", kernel_shape=[2, 2], ceil_mode=1),
    "pads [0, 0, 1, 1] are not the same": image().conv(
        2, 2, (3, 3), pads=[0, 0, 1, 1], strides=[2, 2]
    ),
    "auto_pad SAME_LOWER": image().conv(2, 2, (2, 2), auto_pad="SAME_LOWER"),
    "the kernel of shape (2, 3, 2, 2) is for 3 input": image().conv(2, 3, (2, 2)),
    "the kernel reaches over 9 values": image().conv(2, 2, (9, 9)),
    "(outputs, inputs) get values of shape (2, 6, 6)": image().gemm(3, 72),
    "weights of shape (3, 71)": image().node("Flatten").gemm(3, 71),
    "transA must be 0, not 1": image().node("Flatten").node("Gemm", np.ones((72, 2)), transA=1),
    "a constant of shape (6,) meets values": image().node("Add", np.ones(6)),
    "it divides by 0": image().node("Div", np.zeros(1)),
    "a variance is -1": image().node("BatchNormalization", *[ONES] * 3, -ONES, epsilon=0.0),
    "its kernel must be finite": image().node("Conv", np.full((2, 2, 1, 1), np.nan)),
    "axis must be 1, not 2": image().conv(2, 2, (1, 1)).node("Flatten", axis=2),
    "values of shape (2, 6, 6) become [-1, 2, 36]": image()
    .conv(2, 2, (1, 1))
    .node("Reshape", np.array([-1, 2, 36])),
    "it follows a Softmax": image().node("Flatten").gemm(2, 72).node("Softmax").gemm(2, 2),
    "the network has no weights": image().node("Relu"),
    "all axes behind the samples' must be known": Builder((0, 4)).gemm(2, 4),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message: str) -> None:
    with pytest.raises(SpikeletError) as error:
        read_onnx(REFUSED[message].bytes(2), "refused.onnx")
    text = str(error.value)
    assert message in text and text.startswith("refused.onnx: ")
    assert "remedy" in text or "kernel" in message


def test_shortcuts_are_sums() -> None:
    network = check_equal(residual_cnn(), 5)
    assert [len(feed) for feed in network.feeds].count(2) == 2
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(Convolved) == 6, "normalisation is folded in each branch"


def test_what_two_nodes_take_is_not_changed_for_one() -> None:
    """Normalisation and constants are layers of their own where another node takes the values."""
    for identity in (False, True):
        built = Builder((2, 4, 4), 5).conv(2, 2, (3, 3), pads=[1, 1, 1, 1])
        begun = built.end
        if identity:
            built.node("Identity")
        built.batch_norm(2).node("Relu").conv(2, 2, (1, 1)).sum(begun).batch_norm(2).node("Relu")
        check_equal(built.node("Flatten").gemm(3, 32), 3)
    later = Builder((4,), 6).gemm(4, 4)
    begun = later.end
    relu = later.node("Relu").end
    later.end = begun
    check_equal(later.batch_norm(4).sum(relu).gemm(2, 4), 2)
    triple = Builder((4,), 7).gemm(4, 4)
    begun = triple.end
    triple.node("Relu").sum("x").sum(begun)
    check_equal(triple, 4)


def test_branches_that_are_refused() -> None:
    def refusal(built: Builder, outputs: int = 4) -> str:
        with pytest.raises(SpikeletError) as error:
            read_onnx(built.bytes(outputs), "skip.onnx")
        return str(error.value)

    other = Builder((4,)).gemm(3, 4).sum("x")
    assert "node '/add1' (Add): it adds values of shapes (3,) and (4,)" in refusal(other)
    product = Builder((4,)).gemm(4, 4).sum("x")
    product.nodes[-1].op_type = "Mul"
    assert "it takes 'gemm0.out', 'x'" in refusal(product)
    assert "only Add takes two" in refusal(product)
    twice = Builder((4,)).gemm(4, 4)
    assert "it adds a signal to itself" in refusal(twice.sum(twice.end))
    idle = Builder((4,)).gemm(4, 4).node("Relu")
    idle.end = "x"
    assert "nothing takes its result 'relu1.out'" in refusal(idle.gemm(4, 4))
    model = Builder((4,)).gemm(2, 4).model(2)
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4]))
    with pytest.raises(SpikeletError, match="one input and one output, not 1 and 2"):
        read_onnx(model.SerializeToString(), "two.onnx")
    early = Builder((4,)).gemm(2, 4)
    early.node("Relu").end = early.nodes[0].output[0]
    assert "and it is not the output 'gemm0.out'" in refusal(early, 2)


def test_damaged_files(tmp_path: Path) -> None:
    whole = small_cnn().bytes(5)
    for contents in (b"", b"PK\3\4", whole[:-60], whole[: len(whole) // 2], whole[10:]):
        path = tmp_path / "damaged.onnx"
        path.write_bytes(contents)
        with pytest.raises(SpikeletError, match=r"damaged\.onnx.* is not a valid ONNX file"):
            onnx_file(path)
    with pytest.raises(SpikeletError, match="absent.onnx cannot be read"):
        onnx_file(tmp_path / "absent.onnx")
