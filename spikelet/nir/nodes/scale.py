"""Scale: a factor."""

from spikelet.nir.handler import Field, ImportedNode, NodeHandler
from spikelet.nir.signal import Signal

__all__ = ["Scale"]


class Scale(NodeHandler):
    """A factor on its input."""

    kind = "Scale"
    fields = (Field("scale"),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return ``scale * signal``."""
        return signal.scaled(node.parameter("scale", signal.size))
