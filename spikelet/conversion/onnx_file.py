"""From an ONNX file to a ReLU network."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from spikelet.conversion.layers import Convolved, Dense, ReluNetwork
from spikelet.conversion.onnx_chain import Chain, OnnxNode
from spikelet.conversion.onnx_operators import OPERATORS, REMEDIES
from spikelet.description.errors import SpikeletError, file_error

__all__ = ["onnx_file", "read_onnx"]


def onnx_file(path: Path) -> ReluNetwork:
    """Return the ReLU network of an ONNX file; see :func:`read_onnx`."""
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise file_error(f"{path} cannot be read", error) from error
    return read_onnx(contents, str(path))


def read_onnx(contents: bytes, name: str) -> ReluNetwork:
    """Return the ReLU network of an ONNX file.

    Parameters
    ----------
    contents : bytes
    name : str
        Of the file, for messages.

    Raises
    ------
    SpikeletError
        If it is no ONNX file, or a node is of a kind, or has attributes, that have no counterpart,
        joins signals otherwise than by a sum, or is of no use; it names the node.
    """
    try:
        model = onnx.load_model_from_string(contents)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's errors and ONNX's have no common base
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise SpikeletError(
            f"{name} is not a valid ONNX file: {lines[0]}",
            remedy="export it again, with the weights in the file itself",
        ) from error
    try:
        return _network(model.graph, Path(name).stem)
    except SpikeletError as error:
        raise SpikeletError(f"{name}: {error.args[0]}", remedy=error.remedy) from error


def _network(graph: Any, name: str) -> ReluNetwork:
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    given = [i for i in graph.input if i.name not in constants]
    if len(given) != 1 or len(graph.output) != 1:
        raise SpikeletError(
            f"there must be one input and one output, not {len(given)} and {len(graph.output)}",
            remedy="export the part from the images to the classes",
        )
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    for node in graph.node:
        if node.op_type == "Constant":
            found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if "value" in found:
                constants[node.output[0]] = numpy_helper.to_array(found["value"])
    end = graph.output[0].name
    used = Counter([end, *(i for node in nodes for i in node.input if i not in constants)])
    shape = _sample_shape(given[0])
    chain = Chain(shape, shape)
    signals: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {given[0].name: ((-1,), shape)}
    for index, proto in enumerate(nodes):
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
        inputs = tuple(
            constants[i].astype(np.float64) if i in constants else None for i in proto.input
        )
        node = OnnxNode(proto.op_type, proto.name or f"number {index}", attributes, inputs)
        taken = [i for i in proto.input if i and i not in constants]
        used.subtract(taken)
        chain.waiting = [signals[i][0] for i in signals if used[i] > 0]
        _apply(chain, node, proto.domain, taken, signals)
        result = proto.output[0]
        signals[result] = chain.signal, chain.shape
        if not used[result]:
            raise node.error(
                f"nothing takes its result {result!r}, and it is not the output {end!r}",
                "export the part from the images to the classes",
            )
    if end not in signals:
        raise SpikeletError(f"no node has the output {end!r}", remedy="export the network again")
    if not any(isinstance(layer, Dense | Convolved) for layer in chain.layers):
        raise SpikeletError("the network has no weights", remedy="export a trained network")
    layers, feeds = tuple(chain.layers), tuple(chain.feeds)
    ends, notes = signals[end][0], tuple(chain.notes)
    return ReluNetwork(name, chain.input_shape, layers, feeds, ends, notes)


def _apply(
    chain: Chain,
    node: OnnxNode,
    domain: str,
    taken: list[str],
    signals: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]],
) -> None:
    """Append what a node does to the signals that it takes."""
    operator = OPERATORS.get(node.kind) if domain in ("", "ai.onnx") else None
    if operator is None:
        known = f"what is converted are {', '.join(OPERATORS)}"
        raise node.error(
            f"{node.kind} has no spiking counterpart here", REMEDIES.get(node.kind, known)
        )
    if len(taken) != 1 and (node.kind != "Add" or not taken):
        raise node.error(
            f"it takes {', '.join(map(repr, taken)) or 'no signal'}",
            "what is converted takes one signal; only Add takes two, which are currents that add",
        )
    if chain.ended and node.kind != "Identity":
        raise node.error("it follows a Softmax", "end the network there, or leave the Softmax out")
    chain.signal, chain.shape = signals[taken[0]]
    if len(taken) > 1:
        _join(chain, node, [signals[name] for name in taken])
        return
    try:
        operator(chain, node)
    except SpikeletError as error:
        named = str(error.args[0]).startswith("node ")
        raise (error if named else node.error(error.args[0], error.remedy)) from error


def _join(
    chain: Chain, node: OnnxNode, signals: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> None:
    """Take the sum of signals."""
    shapes = {shape for _, shape in signals}
    if len(shapes) > 1:
        raise node.error(
            f"it adds values of shapes {' and '.join(map(str, sorted(shapes)))}",
            "both branches must have the same shape: a shortcut past a stride needs a convolution",
        )
    chain.signal = tuple(index for parts, _ in signals for index in parts)
    if len(set(chain.signal)) < len(chain.signal):
        raise node.error("it adds a signal to itself", "multiply it by 2")


def _sample_shape(given: Any) -> tuple[int, ...]:
    """Return the shape of the input, without the samples' axis."""
    dims = [d.dim_value for d in given.type.tensor_type.shape.dim]
    if len(dims) < 2 or min(dims[1:]) < 1:
        raise SpikeletError(
            f"the input {given.name!r} has shape {dims or 'none'}: all axes behind the samples' "
            "must be known",
            remedy="export with a sample of shape (1, channels, height, width), or (1, inputs)",
        )
    return tuple(dims[1:])
