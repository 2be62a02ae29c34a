"""A NIR graph that is being written: nodes, edges and metadata, and the file they become."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.description.summary import summary

__all__ = ["Fields", "WrittenGraph"]

_NIR_VERSION = "1.0"
_FEW = 1000

Fields = Mapping[str, npt.NDArray[Any]]


@dataclass(eq=False)
class WrittenGraph:
    """A graph, as ``nir.write`` stores it.

    Parameters
    ----------
    nodes : dict of str to (str, mapping)
        Kind and fields, by name.
    edges : list of (str, str)
    metadata : dict
        Texts and numbers.
    """

    __repr__ = summary

    nodes: dict[str, tuple[str, Fields]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def add(
        self, name: str, kind: str, fields: Fields, source: str | None, target: str | None
    ) -> None:
        """Add a node with the edges from ``source`` and to ``target``, as far as they are given."""
        self.nodes[name] = (kind, fields)
        self.edges += [(source, name)] if source else []
        self.edges += [(name, target)] if target else []

    def contents(self) -> bytes:
        """Return the file, HDF5."""
        contents = io.BytesIO()
        with h5py.File(contents, "w") as hdf:
            hdf.create_dataset("version", data=_NIR_VERSION, dtype=h5py.string_dtype())
            self._write(hdf.create_group("node"))
        return contents.getvalue()

    def _write(self, root: Any) -> None:
        root.create_dataset("type", data="NIRGraph", dtype=h5py.string_dtype())
        nodes = root.create_group("nodes")
        for name, (kind, fields) in self.nodes.items():
            node = nodes.create_group(name)
            node.create_dataset("type", data=kind, dtype=h5py.string_dtype())
            for key, values in fields.items():
                packed = "gzip" if np.size(values) > _FEW else None  # a chunk takes kilobytes
                node.create_dataset(key, data=values, compression=packed)
        root.create_dataset("edges", data=self.edges, dtype=h5py.string_dtype())
        metadata = root.create_group("metadata")
        for key, value in self.metadata.items():
            metadata.create_dataset(key, data=value)
