"""A network file whose weights are those of another training: near the first, off its grid."""

from pathlib import Path

import nir  # type: ignore[import-untyped]
import numpy as np


def retrained(source: Path, target: Path, seed: int, spread: float = 0.02) -> Path:
    """Write a NIR file with normally distributed changes of all weights; return its path."""
    graph = nir.read(source)
    rng = np.random.default_rng(seed)
    for node in graph.nodes.values():
        if hasattr(node, "weight"):
            changes = rng.normal(0, spread, node.weight.shape)
            node.weight = (node.weight + changes).astype(node.weight.dtype)
    nir.write(target, graph)
    return target
