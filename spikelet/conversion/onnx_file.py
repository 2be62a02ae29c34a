"""From an ONNX file to a ReLU network."""

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
        or is no part of a chain; it names the node.
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
    shape, signal = _sample_shape(given[0]), given[0].name
    chain = Chain(shape, shape)
    for index, proto in enumerate(graph.node):
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
        if proto.op_type == "Constant" and "value" in attributes:
            constants[proto.output[0]] = numpy_helper.to_array(attributes["value"])
            continue
        inputs = tuple(
            constants[i].astype(np.float64) if i in constants else None for i in proto.input
        )
        name_of_node = proto.name or f"number {index}"
        node = OnnxNode(proto.op_type, name_of_node, attributes, inputs)
        signals = [i for i in proto.input if i and i not in constants]
        _apply(chain, node, proto.domain, signals, signal)
        signal = proto.output[0]
    if signal != graph.output[0].name:
        raise SpikeletError(
            f"the chain ends in {signal!r}, not in the output {graph.output[0].name!r}",
            remedy="what is converted is a chain, without branches",
        )
    if not any(isinstance(layer, Dense | Convolved) for layer in chain.layers):
        raise SpikeletError("the network has no weights", remedy="export a trained network")
    return ReluNetwork(name, chain.input_shape, tuple(chain.layers), tuple(chain.notes))


def _apply(chain: Chain, node: OnnxNode, domain: str, signals: list[str], signal: str) -> None:
    """Append what a node does to a chain that ends in ``signal``."""
    operator = OPERATORS.get(node.kind) if domain in ("", "ai.onnx") else None
    if operator is None:
        known = f"what is converted are {', '.join(OPERATORS)}"
        raise node.error(
            f"{node.kind} has no spiking counterpart here", REMEDIES.get(node.kind, known)
        )
    if signals != [signal]:
        raise node.error(
            f"it takes {', '.join(map(repr, signals)) or 'no signal'}, where the chain is at "
            f"{signal!r}",
            "what is converted is a chain: no branches, and no skip connections",
        )
    if chain.ended and node.kind != "Identity":
        raise node.error("it follows a Softmax", "end the network there, or leave the Softmax out")
    try:
        operator(chain, node)
    except SpikeletError as error:
        named = str(error.args[0]).startswith("node ")
        raise (error if named else node.error(error.args[0], error.remedy)) from error


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
