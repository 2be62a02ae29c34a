"""Reading of NIR files: from HDF5 to a checked graph of nodes, with messages that name the place.

The file is read directly rather than through ``nir.read``, whose type inference refuses scalar
parameters that lost their shape, and whose assertions name neither the file nor the node.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.description.array_files import LARGEST_BYTES
from spikelet.description.errors import SpikeletError
from spikelet.nir.checks import check_edges
from spikelet.nir.graph import NirGraph, NirNode
from spikelet.nir.unwritten import broken_off

__all__ = ["read_graph"]


def read_graph(path: Path, neurons: tuple[str, ...]) -> NirGraph:
    """Read a NIR file, whatever its nodes are.

    Nested graphs are dissolved: node "lif" of node "rnn" becomes "rnn.lif".

    Parameters
    ----------
    path : Path
    neurons : tuple of str
        The node types that spike.

    Raises
    ------
    SpikeletError
        For a file that cannot be read or is not NIR, edges that make no sense, and nested graphs
        that cannot be dissolved.
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
            return _read_file(path, file, neurons)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise SpikeletError(
            f"{path} is truncated, damaged or unreadable: {error}",
            remedy="export or copy the file again",
        ) from error


def _read_file(path: Path, file: Any, neurons: tuple[str, ...]) -> NirGraph:
    root = file.get("node")
    kind = root.get("type") if isinstance(root, h5py.Group) else None
    nodes = root.get("nodes") if kind is not None and _value(kind) == "NIRGraph" else None
    if nodes is None or "edges" not in root:
        raise broken_off(path, root) or SpikeletError(
            f"{path} is an HDF5 file but holds no NIR graph: a group 'node' of type NIRGraph with "
            f"'nodes' and 'edges' is missing; found {', '.join(sorted(file)) or 'nothing'}",
            remedy="export the network with nir.write(path, graph)",
        )
    graph = _read_nodes(path, root, neurons)
    graph.metadata = _metadata(root)
    return graph


def _metadata(group: Any) -> dict[str, Any]:
    items = group.get("metadata", {}).items()
    return {key: _value(value) for key, value in items if hasattr(value, "dtype")}


def _read_nodes(path: Path, root: Any, neurons: tuple[str, ...], prefix: str = "") -> NirGraph:
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
        read[name] = NirNode(name, kind, fields, _metadata(group))
        if kind == "NIRGraph":
            nested[name] = _read_nodes(path, group, neurons, f"{name}.")
    edges = _array(path, f"{prefix}edges", root["edges"]).reshape(-1, 2)
    named = [(prefix + _text(a), prefix + _text(b)) for a, b in edges]
    graph = NirGraph(path, read, named, neurons)
    check_edges(graph)
    graph.repeated = [edge for edge, times in Counter(named).items() if times > 1]
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
