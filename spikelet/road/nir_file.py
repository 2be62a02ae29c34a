"""Reading of NIR files: from HDF5 to a checked graph of nodes, with messages that name the place.

The file is read directly rather than through ``nir.read``, whose type inference refuses scalar
parameters that lost their shape, and whose assertions name neither the file nor the node.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.errors import SpikeletError
from spikelet.road.network import topological_order

__all__ = ["NEURONS", "SUPPORTED", "NirGraph", "NirNode", "read_graph"]

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

NEURONS = ("LIF", "IF")
"""The node types that spike."""


@dataclass(frozen=True, eq=False)
class NirNode:
    """One node; ``fields`` as stored, in their own number formats."""

    name: str
    kind: str
    fields: dict[str, npt.NDArray[Any]]


@dataclass(eq=False)
class NirGraph:
    """The nodes of a file in topological order, and how they are connected.

    Every node is on a way from the one Input to an Output, every parameter is finite.
    """

    path: Path
    nodes: dict[str, NirNode]
    edges: list[tuple[str, str]]
    metadata: dict[str, Any] = field(default_factory=dict)

    def predecessors(self, name: str) -> list[str]:
        """Return the nodes with an edge to ``name``, in the order of the nodes."""
        before = {a for a, b in self.edges if b == name}
        return [node for node in self.nodes if node in before]

    def successors(self, name: str) -> list[str]:
        """Return the nodes with an edge from ``name``, in the order of the nodes."""
        after = {b for a, b in self.edges if a == name}
        return [node for node in self.nodes if node in after]

    def place(self, name: str) -> str:
        """Return where a node is, such as "node 'fc2' (Linear) between 'lif1' and 'lif2'"."""
        before = ", ".join(repr(node) for node in self.predecessors(name))
        after = ", ".join(repr(node) for node in self.successors(name))
        text = f"node {name!r} ({self.nodes[name].kind})"
        if before and after:
            return f"{text} between {before} and {after}"
        return f"{text} after {before}" if before else f"{text} before {after}" if after else text

    def error(self, name: str, message: str, *, remedy: str) -> SpikeletError:
        """Return the error of a node, naming the file and the place."""
        return SpikeletError(f"{self.path}: {self.place(name)}: {message}", remedy=remedy)


def read_graph(path: Path) -> NirGraph:
    """Read and check a NIR file.

    Raises
    ------
    SpikeletError
        For a file that cannot be read or is not NIR, and for a graph that is not a feed-forward
        graph of supported nodes with finite parameters from one Input to one or more Outputs.
    """
    if not path.exists():
        raise SpikeletError(f"{path}: there is no such file", remedy="check the path")
    if path.is_dir():
        raise SpikeletError(f"{path} is a directory", remedy="name the .nir file in it")
    try:
        if not h5py.is_hdf5(path):
            path.open("rb").close()  # a file without read permission looks the same to is_hdf5
            raise SpikeletError(
                f"{path} is not an HDF5 file, as NIR files are, or its beginning is missing",
                remedy="export the network with nir.write(path, graph)",
            )
        with h5py.File(path, "r") as file:
            raw = _read_nodes(path, file)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SpikeletError(
            f"{path} is truncated, damaged or unreadable: {error}",
            remedy="export or copy the file again",
        ) from error
    return _checked(raw)


def _read_nodes(path: Path, file: Any) -> NirGraph:
    root = file.get("node")
    kind = root.get("type") if isinstance(root, h5py.Group) else None
    nodes = root.get("nodes") if kind is not None and _value(kind) == "NIRGraph" else None
    if nodes is None or "edges" not in root:
        raise SpikeletError(
            f"{path} is an HDF5 file but holds no NIR graph: a group 'node' of type NIRGraph with "
            f"'nodes' and 'edges' is missing; found {', '.join(sorted(file)) or 'nothing'}",
            remedy="export the network with nir.write(path, graph)",
        )
    read = {}
    for name, group in nodes.items():
        fields = {
            key: np.asarray(item[()])
            for key, item in group.items()
            if isinstance(item, h5py.Dataset)
        }
        kind = _value(group["type"]) if "type" in group else "no type"
        read[name] = NirNode(name, str(kind), {k: v for k, v in fields.items() if k != "type"})
    edges = [(_text(a), _text(b)) for a, b in np.asarray(root["edges"][()]).reshape(-1, 2)]
    metadata = {k: _value(v) for k, v in root.get("metadata", {}).items() if hasattr(v, "dtype")}
    return NirGraph(path, read, edges, metadata)


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
    order = topological_order(
        {name: graph.predecessors(name) for name in graph.nodes}, str(graph.path)
    )
    graph.nodes = {name: graph.nodes[name] for name in order}
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
    for name in graph.nodes:
        fed.update([name] if fed.intersection(graph.predecessors(name)) else [])
    for name in reversed(list(graph.nodes)):
        used.update([name] if used.intersection(graph.successors(name)) else [])
    if not fed.intersection(outputs):
        raise graph.error(
            inputs[0], "the input does not reach an Output", remedy="add the missing edge"
        )
    _check_on_a_way(graph, ((fed, "gets no input"), (used, "does not lead to an Output")))


def _check_on_a_way(graph: NirGraph, ways: Iterable[tuple[set[str], str]]) -> None:
    for reached, what in ways:
        for name in graph.nodes:
            if name not in reached:
                raise graph.error(
                    name, f"the node {what}", remedy="remove the node or add the missing edge"
                )
