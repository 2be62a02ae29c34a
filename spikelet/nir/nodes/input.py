"""Input: the network's input lines."""

from spikelet.nir.handler import Field, ImportedNode, NodeHandler, declared_shape
from spikelet.nir.signal import Signal

__all__ = ["Input"]


class Input(NodeHandler):
    """One input line for each value of its shape, in row-major order; behind those of the `Input`
    nodes that come before it in the file, which has them by name.
    """

    kind = "Input"
    fields = (Field("shape"),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the spikes of the input lines."""
        return node.network.inputs(node.name, declared_shape(node))
