"""Flatten: the same values as a vector."""

import numpy as np

from spikelet.nir.handler import Field, ImportedNode, NodeHandler, check_size
from spikelet.nir.signal import Signal

__all__ = ["Flatten"]


class Flatten(NodeHandler):
    """Nothing: row-major order is kept. Its declared size is checked.

    The batch axis, which exporters count or do not count among the axes to be flattened, is none of
    a signal: all axes become one.
    """

    kind = "Flatten"
    fields = (Field("input_type", required=False, numbers=False),)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the signal as a vector."""
        shape = node.fields.get("input_type", np.array("none"))
        if shape.dtype.kind in "iuf":  # some exporters write no shape, or the text None
            check_size(f"shape {shape.tolist()}", int(np.prod(shape)), signal)
        return signal.reshaped((signal.size,))
