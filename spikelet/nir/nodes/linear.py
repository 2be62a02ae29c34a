"""Linear: weights without a bias."""

import numpy as np

from spikelet.network.network import FloatArray
from spikelet.nir.handler import Field, ImportedNode, NodeHandler, check_size
from spikelet.nir.signal import Signal

__all__ = ["WEIGHT", "Linear", "weighted"]

WEIGHT = Field("weight", axes=("outputs", "inputs"))


def weighted(node: ImportedNode, signal: Signal) -> Signal:
    """Return what a node's weights make of a signal; a vector, whatever the signal's shape."""
    weight = node.fields["weight"].astype(np.float64)
    check_size(f"weight of shape {weight.shape}", weight.shape[1], signal)
    return signal.through(weight)


class Linear(NodeHandler):
    """A matrix (outputs, inputs)."""

    kind = "Linear"
    fields = (WEIGHT,)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return ``weight @ signal``."""
        return weighted(node, signal)

    @classmethod
    def written(cls, weight: FloatArray) -> tuple[str, dict[str, FloatArray]]:
        """Return kind and fields of a node with these weights, shape (outputs, inputs)."""
        return cls.kind, {"weight": weight}
