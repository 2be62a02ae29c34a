"""Reading of NIR files: from HDF5 to a checked graph of nodes, with messages that name the place.

The file is read directly rather than through ``nir.read``, whose type inference refuses scalar
parameters that lost their shape, and whose assertions name neither the file nor the node.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import LARGEST_BYTES
from spikelet.description.errors import SpikeletError
from spikelet.nir.graph import NEURONS, NirGraph, NirNode

__all__ = ["SUPPORTED", "read_graph"]

SUPPORTED: dict[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "IF": ("r", "v_threshold"),
    "Flatten": (),
    "Scale": ("scale",),
}
"""The node types that can be read, each with the fields it must have."""


def read_graph(path: Path) -> NirGraph:
    """Read and check a NIR file; every parameter of the graph returned is finite.

    Its nodes are in topological order, but for those that lead a neuron node's spikes back to it,
    and each is on a way from the one Input to an Output. Nested graphs are dissolved: node "lif" of
    node "rnn" becomes "rnn.lif".

    Raises
    ------
    SpikeletError
        For a file that cannot be read or is not NIR, for nodes that are not supported, and for
        feedback other than of a neuron node to itself.
    """
    if not os.path.exists(path):
        raise SpikeletError(f"{path}: there is no such file", remedy="check the path")
    if os.path.isdir(path):
        raise SpikeletError(f"{path} is a directory", remedy="name the .nir file in it")
    try:
        if not h5py.is_hdf5(path):
            path.open("rb").close()  # a file without read permission looks the same to is_hdf5
            raise SpikeletError(
                f"{path} is not an HDF5 file, as NIR files are, or its beginning is missing",
                remedy="export the network with nir.write(path, graph)",
            )
        with h5py.File(path, "r") as file:
            raw = _read_file(path, file)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SpikeletError(
            f"{path} is truncated, damaged or unreadable: {error}",
            remedy="export or copy the file again",
        ) from error
    return _checked(raw)


def _read_file(path: Path, file: Any) -> NirGraph:
    root = file.get("node")
    kind = root.get("type") if isinstance(root, h5py.Group) else None
    nodes = root.get("nodes") if kind is not None and _value(kind) == "NIRGraph" else None
    if nodes is None or "edges" not in root:
        raise SpikeletError(
            f"{path} is an HDF5 file but holds no NIR graph: a group 'node' of type NIRGraph with "
            f"'nodes' and 'edges' is missing; found {', '.join(sorted(file)) or 'nothing'}",
            remedy="export the network with nir.write(path, graph)",
        )
    graph = _read_nodes(path, root)
    metadata = root.get("metadata", {}).items()
    graph.metadata = {key: _value(v) for key, v in metadata if hasattr(v, "dtype")}
    return graph


def _read_nodes(path: Path, root: Any, prefix: str = "") -> NirGraph:
    """Return a graph whose names begin with ``prefix``, without nested graphs."""
    read, nested = {}, {}
    for key, group in _groups(root["nodes"]):
        name = prefix + key
        kind = str(_value(group["type"])) if "type" in group else "no type"
        fields = {
            field: _array(path, f"{name}/{field}", item)
            for field, item in group.items()
            if isinstance(item, h5py.Dataset) and field not in ("type", "edges")
        }
        read[name] = NirNode(name, kind, fields)
        if kind == "NIRGraph":
            nested[name] = _read_nodes(path, group, f"{name}.")
    edges = _array(path, f"{prefix}edges", root["edges"]).reshape(-1, 2)
    graph = NirGraph(path, read, [(prefix + _text(a), prefix + _text(b)) for a, b in edges])
    _check_edges(graph)
    for name, inner in nested.items():
        graph.dissolve(name, inner)
    return graph


def _groups(nodes: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Return the groups of nodes by name; HDF5 makes folders of a name with slashes."""
    for key, group in nodes.items():
        if not isinstance(group, h5py.Group):
            continue
        if len(group) and all(isinstance(inner, h5py.Group) for inner in group.values()):
            yield from _groups(group, f"{before}{key}/")
        else:
            yield before + key, group


def _array(path: Path, name: str, item: Any) -> npt.NDArray[Any]:
    """Return a dataset; SpikeletError, before memory is taken, if it declares too much."""
    if (item.size or 0) * item.dtype.itemsize > LARGEST_BYTES:
        raise SpikeletError(
            f"{path}: {name} declares shape {item.shape} of {item.dtype}, more than the "
            f"{LARGEST_BYTES >> 30} GiB that are read from a file",
            remedy="check how the file was written",
        )
    return np.asarray(item[()])


def _text(value: Any) -> str:
    return value.decode("utf8") if isinstance(value, bytes) else str(value)


def _value(dataset: Any) -> Any:
    """Return a dataset's text, number or array; a float32 as the shortest decimal that reads so."""
    value = dataset[()]
    if isinstance(value, bytes):
        return value.decode("utf8")
    value = np.asarray(value)
    if value.size != 1:
        return value
    # 1e-4 stored as float32 is meant to be 1e-4, not 9.99999974737875e-05
    return float(str(value.ravel()[0])) if value.dtype.kind == "f" else value.ravel()[0].item()


def _checked(graph: NirGraph) -> NirGraph:
    """Return the graph in topological order; SpikeletError for anything unsupported in it."""
    _check_edges(graph)
    for name, node in graph.nodes.items():
        if node.kind not in SUPPORTED:
            raise graph.error(
                name,
                f"node type {node.kind} is not supported",
                remedy=f"supported node types are {', '.join(SUPPORTED)}",
            )
        _check_fields(graph, node)
    graph.sort()
    _check_ends(graph)
    return graph


def _check_edges(graph: NirGraph) -> None:
    seen = set()
    for edge in graph.edges:
        for name in edge:
            if name not in graph.nodes:
                raise SpikeletError(
                    f"{graph.path}: edge {edge[0]!r} -> {edge[1]!r}: there is no node {name!r}",
                    remedy=f"the nodes are {', '.join(graph.nodes) or 'none'}",
                )
        if edge in seen:
            raise SpikeletError(
                f"{graph.path}: edge {edge[0]!r} -> {edge[1]!r} is given twice, which NIR forbids",
                remedy="remove one; to double a connection, scale its weights by 2",
            )
        seen.add(edge)
        kinds = [graph.nodes[name].kind for name in edge]
        if kinds[0] == "Output" or kinds[1] == "Input":
            raise SpikeletError(
                f"{graph.path}: edge {edge[0]!r} -> {edge[1]!r}: an edge cannot leave an Output "
                "nor end at an Input",
                remedy="connect the nodes before or behind it",
            )


def _check_fields(graph: NirGraph, node: NirNode) -> None:
    for name in SUPPORTED[node.kind]:
        if name not in node.fields:
            raise graph.error(
                node.name,
                f"field {name} is missing",
                remedy=f"{node.kind} nodes have the fields {', '.join(SUPPORTED[node.kind])}",
            )
    for name in (*SUPPORTED[node.kind], "v_reset"):
        values = node.fields.get(name)
        if values is None:
            continue
        if values.dtype.kind not in "fiub":
            raise graph.error(
                node.name,
                f"{name} holds {values.dtype}, not real numbers",
                remedy="store it as an array of float32 or float64",
            )
        wrong = ~np.isfinite(values)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise graph.error(
                node.name,
                f"{name} must be finite, found {values[place]} at {list(place)} "
                f"({int(wrong.sum())} of {values.size} values)",
                remedy=_remedy_not_finite(node.kind, name),
            )


def _remedy_not_finite(kind: str, field_name: str) -> str:
    if kind == "LIF" and field_name in ("tau", "r"):
        return "a neuron without leak (beta = 1) is an IF node, not a LIF of infinite tau"
    return "check the training for divergence and export again"


def _check_ends(graph: NirGraph) -> None:
    inputs = [name for name, node in graph.nodes.items() if node.kind == "Input"]
    outputs = [name for name, node in graph.nodes.items() if node.kind == "Output"]
    if len(inputs) != 1 or not outputs:
        raise SpikeletError(
            f"{graph.path}: a network must have one Input and at least one Output, found "
            f"{len(inputs)} and {len(outputs)}",
            remedy="build the graph with nir.NIRGraph.from_list or add the nodes and their edges",
        )
    if not any(node.kind in NEURONS for node in graph.nodes.values()):
        raise SpikeletError(
            f"{graph.path}: there is no neuron in the network",
            remedy=f"add a {' or '.join(NEURONS)} node after the weights",
        )
    fed, used = {inputs[0]}, set(outputs)
    for name in graph.forward:
        fed.update([name] if fed.intersection(graph.predecessors(name)) else [])
    for name in reversed(graph.forward):
        used.update([name] if used.intersection(graph.successors(name)) else [])
    if not fed.intersection(outputs):
        raise graph.error(
            inputs[0], "the input does not reach an Output", remedy="add the missing edge"
        )
    _check_on_a_way(graph, ((fed, "gets no input"), (used, "does not lead to an Output")))


def _check_on_a_way(graph: NirGraph, ways: Iterable[tuple[set[str], str]]) -> None:
    for reached, what in ways:
        for name in graph.forward:
            if name not in reached:
                raise graph.error(
                    name, f"the node {what}", remedy="remove the node or add the missing edge"
                )
