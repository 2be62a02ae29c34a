"""The operators of ONNX that are converted, as https://onnx.ai/onnx/operators has them."""

from collections.abc import Callable
from math import prod

import numpy as np

from spikelet.conversion.layers import Convolved, Dense, FloatArray, Pooled, Rectified, Reshaped
from spikelet.conversion.onnx_chain import Chain, OnnxNode
from spikelet.network.convolution import Convolution

__all__ = ["OPERATORS", "REMEDIES"]


def _conv(chain: Chain, node: OnnxNode) -> None:
    kernel = node.constant(1, "its kernel")
    axes = kernel.ndim - 2
    if axes not in (1, 2):
        raise node.error(
            f"a kernel of shape {kernel.shape} is not converted", "use one or two axes"
        )
    stride, dilation = (node.numbers(name, axes, 1) for name in ("strides", "dilations"))
    made = Convolution(
        *(kernel, chain.shape, stride, dilation, node.padding(kernel.shape[2:], dilation, stride)),
        node.attributes.get("group", 1),
    )
    chain.add(Convolved(node.name, made, node.bias(len(kernel))))


def _dense(chain: Chain, node: OnnxNode, weight: FloatArray, bias: FloatArray) -> None:
    if weight.ndim != 2 or chain.shape != weight.shape[1:]:
        raise node.error(
            f"weights of shape {weight.shape} (outputs, inputs) get values of shape {chain.shape}",
            "flatten what arrives, and check the layer sizes",
        )
    chain.add(Dense(node.name, weight, bias))


def _gemm(chain: Chain, node: OnnxNode) -> None:
    node.refuse("transA", 0, "export the layer as x @ w.T + b")
    weight = node.constant(1, "its weights")
    weight = weight if node.attributes.get("transB", 0) else weight.T
    alpha, beta = (node.attributes.get(name, 1.0) for name in ("alpha", "beta"))
    _dense(chain, node, weight * alpha, node.bias(len(weight)) * beta)


def _matmul(chain: Chain, node: OnnxNode) -> None:
    weight = node.constant(1, "the matrix on the right").T
    _dense(chain, node, weight, np.zeros(len(weight)))


def _other(node: OnnxNode) -> tuple[FloatArray, bool]:
    """Return the constant of an operator of two inputs, and whether it is the second."""
    second = node.inputs[0] is None
    return node.constant(int(second), "one of its inputs"), second


def _add(chain: Chain, node: OnnxNode) -> None:
    chain.scale(node, np.ones(1), chain.per_channel(node, _other(node)[0]))


def _sub(chain: Chain, node: OnnxNode) -> None:
    values, second = _other(node)
    sign = 1.0 if second else -1.0
    chain.scale(node, np.full(1, sign), -sign * chain.per_channel(node, values))


def _mul(chain: Chain, node: OnnxNode) -> None:
    chain.scale(node, chain.per_channel(node, _other(node)[0]), np.zeros(1))


def _div(chain: Chain, node: OnnxNode) -> None:
    values = node.constant(1, "what it divides by")
    if not values.all():
        raise node.error("it divides by 0", "check the constant")
    chain.scale(node, 1 / chain.per_channel(node, values), np.zeros(1))


def _batch_normalisation(chain: Chain, node: OnnxNode) -> None:
    node.refuse("training_mode", 0, "export the network for inference: model.eval()")
    names = ("scale", "bias", "mean", "variance")
    gain, bias, mean, variance = (
        chain.per_channel(
            node, node.constant(1 + n, name).reshape(-1, *(1,) * (len(chain.shape) - 1))
        )
        for n, name in enumerate(names)
    )
    variance = variance + node.attributes.get("epsilon", 1e-5)
    if not (variance > 0).all():
        raise node.error(f"a variance is {variance.min():g}", "check the training for divergence")
    gain = gain / np.sqrt(variance)
    chain.scale(node, gain, bias - gain * mean)


def _relu(chain: Chain, node: OnnxNode) -> None:
    if not isinstance(chain.last, Rectified):
        chain.add(Rectified(node.name, chain.shape))


def _average_pool(chain: Chain, node: OnnxNode) -> None:
    axes = len(chain.shape) - 1
    if axes not in (1, 2):
        raise node.error(f"values of shape {chain.shape} arrive", "pool over one or two axes")
    window, stride = node.numbers("kernel_shape", axes, 1), node.numbers("strides", axes, 1)
    node.refuse("ceil_mode", 0, "crop or pad the images so that windows cover them")
    if any(step != 1 for step in node.numbers("dilations", axes, 1)):
        raise node.error("dilations must be 1", "use a convolution")
    padding = node.padding(window, (1,) * axes, stride)
    included = node.attributes.get("count_include_pad", 0)
    if not included and any(front or behind for front, behind in padding):
        raise node.error(
            "it leaves the padding out of its averages (count_include_pad 0)",
            "pool with count_include_pad=True, or without padding",
        )
    _pool(chain, node, window, stride, padding)


def _global_average_pool(chain: Chain, node: OnnxNode) -> None:
    extent = chain.shape[1:]
    if len(extent) not in (1, 2):
        raise node.error(f"values of shape {chain.shape} arrive", "pool over one or two axes")
    _pool(chain, node, extent, extent, ((0, 0),) * len(extent))


def _pool(
    chain: Chain,
    node: OnnxNode,
    window: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
) -> None:
    if any(front != behind for front, behind in padding):
        raise node.error("its padding is not the same in front and behind", "pad by equal numbers")
    front = tuple(front for front, _ in padding)
    if len(window) == 2:
        chain.add(Pooled(node.name, chain.shape, window, stride, front))
        return
    made = Convolution.pooling(chain.shape, window, stride, front, 1 / prod(window))
    chain.add(Convolved(node.name, made, np.zeros(chain.shape[0])))  # NIR has no AvgPool1d


def _flatten(chain: Chain, node: OnnxNode) -> None:
    node.refuse("axis", 1, "flatten all axes but the samples'")
    chain.add(Reshaped(node.name, chain.shape))


def _reshape(chain: Chain, node: OnnxNode) -> None:
    size = prod(chain.shape)
    wanted = [int(n) for n in node.constant(1, "the new shape").ravel()]
    shape = tuple(wanted[1:])
    if -1 in shape and wanted[0] != -1:
        rest = -prod(shape)
        shape = tuple(size // rest if n == -1 and rest else n for n in shape)
    if shape == (size,):
        chain.add(Reshaped(node.name, chain.shape))
    elif not chain.layers and shape and prod(shape) == size and min(shape) > 0:
        chain.input_shape = chain.shape = shape  # of the same values in row-major order
    else:
        raise node.error(
            f"values of shape {chain.shape} become {wanted}",
            "only the input may get another shape, or all axes but the samples' become one",
        )


def _passed(chain: Chain, node: OnnxNode) -> None:
    """Leave values as they are."""


def _softmax(chain: Chain, node: OnnxNode) -> None:
    chain.notes.append("the Softmax at the end: the class is the same without it")
    chain.ended = True


OPERATORS: dict[str, Callable[[Chain, OnnxNode], None]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_normalisation,
    "Relu": _relu,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average_pool,
    "Flatten": _flatten,
    "Reshape": _reshape,
    **{"Add": _add, "Sub": _sub, "Mul": _mul, "Div": _div},
    **dict.fromkeys(("Identity", "Dropout"), _passed),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
}
"""How each kind of node is read."""

_AVERAGES = (
    "the largest of several rates is no sum of spikes: train with average pooling, or with a "
    "convolution of stride 2 in its place"
)
_RELU = "train with ReLU, which the rate of a neuron without a leak follows"
REMEDIES = {
    **dict.fromkeys(("MaxPool", "GlobalMaxPool"), _AVERAGES),
    **dict.fromkeys(
        ("Clip", "Elu", "Gelu", "HardSwish", "LeakyRelu", "PRelu", "Selu", "Sigmoid", "Tanh"), _RELU
    ),
}
"""What to do about operators that are not converted."""
