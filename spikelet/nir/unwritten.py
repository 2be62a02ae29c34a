"""Files that an exporter began and did not finish: which node it broke off at, and why."""

from pathlib import Path
from typing import Any

import h5py

from spikelet.description.errors import SpikeletError

__all__ = ["broken_off"]


def broken_off(path: Path, root: Any) -> SpikeletError | None:
    """Return the error of a file whose writing was broken off; None if that is not the reason.

    ``nir.write`` writes a node's fields, then its type, and the edges behind all nodes. It fails at
    what is no array: a scalar tensor, as Norse's parameters are unless they have a value for each
    neuron, or a shape that nobody told, as of sinabs' convolutions.

    Parameters
    ----------
    path : Path
        For the message.
    root : h5py group, or anything else
        The node that holds the graph.
    """
    nodes = root.get("nodes") if isinstance(root, h5py.Group) else None
    if not isinstance(nodes, h5py.Group) or "edges" in root:
        return None
    groups = {name: node for name, node in nodes.items() if isinstance(node, h5py.Group)}
    open_ones = [name for name, node in groups.items() if "type" not in node]
    if not open_ones:
        where, node = "behind the nodes", {}
    else:
        where, node = f"at node {open_ones[0]!r}", groups[open_ones[0]]
    scalars = [name for name, values in node.items() if getattr(values, "shape", None) == ()]
    remedy = "look at what nir.write said, and export again"
    if scalars:
        remedy = (
            f"its parameters ({', '.join(scalars)}) are scalars: give the neurons one value for "
            "each, such as norse.torch.LIFBoxParameters(tau_mem_inv=torch.full((32,), 100.0), "
            "v_th=torch.ones(32), v_leak=torch.zeros(32)) for 32 neurons, in all layers, and "
            "export again"
        )
    elif open_ones and not len(node):
        remedy = (
            "if the node is a convolution, its input_shape is not known, as in sinabs' export: set "
            f"graph.nodes[{open_ones[0]!r}].input_shape = (rows, columns), and so of all others, "
            "before nir.write"
        )
    return SpikeletError(
        f"{path}: its writing was broken off {where}: there are no edges"
        f"{', and the node has no type' if open_ones else ''}; what comes behind is not in the "
        "file, which cannot be read",
        remedy=remedy,
    )
