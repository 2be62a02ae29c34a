"""Small ReLU networks as ONNX files, with weights from numpy, and what they compute, in loops."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Floats = npt.NDArray[np.float64]


class Builder:
    """A chain of ONNX nodes; :meth:`node` appends one with its constants.

    Parameters
    ----------
    shape : tuple of int
        Of a sample.
    seed : int
        Of the weights.
    """

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.shape = shape
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.end = "x"

    def node(self, kind: str, *constants: npt.NDArray[Any], **attributes: Any) -> "Builder":
        """Append a node behind the last one; its further inputs are the constants."""
        name = f"{kind.lower()}{len(self.nodes)}"
        inputs = [self.end]
        for index, values in enumerate(constants):
            inputs.append(f"{name}.{index}")
            self.constants[inputs[-1]] = values
        self.end = f"{name}.out"
        self.nodes.append(helper.make_node(kind, inputs, [self.end], name=f"/{name}", **attributes))
        return self

    def conv(self, outputs: int, inputs: int, window: tuple[int, ...], **more: Any) -> "Builder":
        """Append a convolution with a bias; ``inputs`` of a group."""
        kernel = self.rng.normal(0, 0.5, (outputs, inputs, *window))
        return self.node("Conv", kernel, self.rng.normal(0, 0.2, outputs), **more)

    def batch_norm(self, channels: int) -> "Builder":
        """Append a batch normalisation that is far from doing nothing."""
        low, high = np.full((2, channels), [[0.3], [2.0]])
        values = [self.rng.uniform(low, high), self.rng.normal(0, 0.3, channels)]
        values += [self.rng.normal(0, 0.3, channels), self.rng.uniform(low, high)]
        return self.node("BatchNormalization", *values, epsilon=1e-3)

    def gemm(self, outputs: int, inputs: int) -> "Builder":
        """Append a dense layer with a bias."""
        weights = self.rng.normal(0, 0.5, (outputs, inputs))
        return self.node("Gemm", weights, self.rng.normal(0, 0.2, outputs), transB=1)

    def sum(self, other: str) -> "Builder":
        """Append the sum with another node's result."""
        self.node("Add")
        self.nodes[-1].input.append(other)
        return self

    def model(self, outputs: int) -> Any:
        """Return the model; its numbers are float32, as exporters write them."""
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *self.shape])
        last = helper.make_tensor_value_info(self.end, TensorProto.FLOAT, ["batch", outputs])
        constants = [
            numpy_helper.from_array(v if v.dtype.kind == "i" else v.astype(np.float32), name)
            for name, v in self.constants.items()
        ]
        graph = helper.make_graph(self.nodes, "network", [given], [last], constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])

    def bytes(self, outputs: int) -> bytes:
        """Return the file."""
        contents: bytes = self.model(outputs).SerializeToString()
        return contents


def small_cnn(seed: int = 0) -> Builder:
    """Return a network of 1x8x8 images and 5 classes, with normalisation and pooling."""
    built = Builder((1, 8, 8), seed)
    built.conv(4, 1, (3, 3), pads=[1, 1, 1, 1]).batch_norm(4).node("Relu")
    built.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    built.conv(6, 4, (3, 3)).batch_norm(6).node("Relu")
    return built.node("Flatten").gemm(5, 24)


def residual_cnn(seed: int = 0) -> Builder:
    """Return a network of 1x8x8 images and 5 classes, with shortcuts: one as it is, one strided."""
    built = Builder((1, 8, 8), seed)
    same = {"pads": [1, 1, 1, 1]}
    built.conv(3, 1, (3, 3), **same).batch_norm(3).node("Relu")
    begun = built.end
    built.conv(3, 3, (3, 3), **same).batch_norm(3).node("Relu")
    built.conv(3, 3, (3, 3), **same).batch_norm(3).sum(begun).node("Relu")
    begun = built.end
    built.conv(4, 3, (3, 3), strides=[2, 2], **same).batch_norm(4).node("Relu")
    main = built.conv(4, 4, (3, 3), **same).batch_norm(4).end
    built.end = begun
    built.conv(4, 3, (1, 1), strides=[2, 2]).batch_norm(4).sum(main).node("Relu")
    return built.node("Flatten").gemm(5, 64)


def computed(model: Any, sample: Floats) -> Floats:
    """Return what an ONNX model makes of one sample, node by node and number by number."""
    constants = {t.name: numpy_helper.to_array(t).astype(float) for t in model.graph.initializer}
    values = {model.graph.input[0].name: sample}
    for node in model.graph.node:
        given = [constants[name] for name in node.input if name in constants]
        first, *others = (values[name] for name in node.input if name not in constants)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if others:
            assert node.op_type == "Add"
            found = first + others[0]
        else:
            found = _EVALUATED[node.op_type](first, given, attributes)
        values[node.output[0]] = found
    return found


def _windows(values: Floats, kernel: Floats, groups: int, attributes: Any) -> Floats:
    axes = values.ndim - 1
    strides = attributes.get("strides", [1] * axes)
    dilations = attributes.get("dilations", [1] * axes)
    pads = attributes.get("pads", [0] * 2 * axes)
    padded = np.pad(values, [(0, 0), *zip(pads[:axes], pads[axes:], strict=True)])
    reach = [d * (k - 1) + 1 for k, d in zip(kernel.shape[2:], dilations, strict=True)]
    extent = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:], reach, strides, strict=True)]
    found = np.zeros((len(kernel), *extent))
    per_group = len(kernel) // groups
    for out in range(len(kernel)):
        for place in np.ndindex(*extent):
            for inner in range(kernel.shape[1]):
                channel = out // per_group * kernel.shape[1] + inner
                for at in np.ndindex(*kernel.shape[2:]):
                    each = zip(place, strides, at, dilations, strict=True)
                    where = [p * s + a * d for p, s, a, d in each]
                    found[out, *place] += kernel[out, inner, *at] * padded[channel, *where]
    return found


def _conv(values: Floats, given: list[Floats], attributes: Any) -> Floats:
    found = _windows(values, given[0], attributes.get("group", 1), attributes)
    return found + given[1].reshape(-1, *(1,) * (values.ndim - 1))


def _pool(values: Floats, given: list[Floats], attributes: Any) -> Floats:
    window = attributes.get("kernel_shape", values.shape[1:])
    kernel = np.full((len(values), 1, *window), 1 / np.prod(window))
    return _windows(values, kernel, len(values), attributes)


def _normalised(values: Floats, given: list[Floats], attributes: Any) -> Floats:
    found = np.empty_like(values)
    for channel in range(len(values)):
        scale, bias, mean, variance = (g[channel] for g in given)
        found[channel] = (values[channel] - mean) / (variance + attributes["epsilon"]) ** 0.5
        found[channel] = found[channel] * scale + bias
    return found


def _gemm(values: Floats, given: list[Floats], attributes: Any) -> Floats:
    weights = given[0] if attributes.get("transB") else given[0].T
    sums = [sum(w * v for w, v in zip(row, values, strict=True)) for row in weights]
    return np.array(sums) + given[1]


_EVALUATED: dict[str, Any] = {
    "Conv": _conv,
    "AveragePool": _pool,
    "GlobalAveragePool": _pool,
    "BatchNormalization": _normalised,
    "Gemm": _gemm,
    "MatMul": lambda values, given, _: values @ given[0],
    "Add": lambda values, given, _: values + given[0].reshape(given[0].shape[-values.ndim :]),
    "Sub": lambda values, given, _: values - given[0],
    "Mul": lambda values, given, _: values * given[0].reshape(given[0].shape[-values.ndim :]),
    "Div": lambda values, given, _: values / given[0],
    "Relu": lambda values, given, _: np.where(values > 0, values, 0),
    "Flatten": lambda values, given, _: values.ravel(),
    "Reshape": lambda values, given, _: values.reshape([int(n) for n in given[0][1:]]),
    "Identity": lambda values, given, _: values,
    "Softmax": lambda values, given, _: np.exp(values) / np.exp(values).sum(),
}
