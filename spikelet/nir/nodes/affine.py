"""Affine: weights and a bias."""

from spikelet.network.network import FloatArray
from spikelet.nir.handler import Field, ImportedNode, NodeHandler
from spikelet.nir.nodes.linear import WEIGHT, weighted
from spikelet.nir.signal import Signal

__all__ = ["Affine"]


class Affine(NodeHandler):
    """A matrix (outputs, inputs), and a bias that acts in every tick."""

    kind = "Affine"
    fields = (WEIGHT, Field("bias"))

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return ``weight @ signal + bias``."""
        found = weighted(node, signal)
        return found.plus(node.parameter("bias", found.size))

    @classmethod
    def written(cls, weight: FloatArray, bias: FloatArray) -> tuple[str, dict[str, FloatArray]]:
        """Return kind and fields of a node, shapes (outputs, inputs) and (outputs,)."""
        return cls.kind, {"weight": weight, "bias": bias}
