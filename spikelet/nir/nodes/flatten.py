"""Flatten: the same values with fewer axes."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.nir.handler import Field, ImportedNode, NodeHandler, check_size
from spikelet.nir.signal import Signal

__all__ = ["Flatten"]


class Flatten(NodeHandler):
    """The axes from `start_dim` to `end_dim` as one, by default all; row-major order is kept.

    A declared size is checked. Axes are counted without the batch, unless there are too few for it.
    """

    kind = "Flatten"
    fields = (
        Field("input_type", required=False, numbers=False),
        *(Field("start_dim", required=False), Field("end_dim", required=False)),
    )

    takes_potentials = True

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the signal with fewer axes."""
        shape = node.fields.get("input_type", np.array("none"))
        if shape.dtype.kind in "iuf":  # some exporters write no shape, or the text None
            check_size(f"shape {shape.tolist()}", int(np.prod(shape)), signal)
        first, last = self._axes(node, signal)
        inside = prod(signal.shape[first : last + 1])
        return signal.reshaped((*signal.shape[:first], inside, *signal.shape[last + 1 :]))

    def _axes(self, node: ImportedNode, signal: Signal) -> tuple[int, int]:
        """Return the first and last axis of those that become one."""
        given = [
            float(node.fields[field].ravel()[0]) if field in node.fields else usual
            for field, usual in (("start_dim", 0), ("end_dim", -1))
        ]
        axes = len(signal.shape)
        for batch in (0, 1):
            first, last = ((dim + axes + batch if dim < 0 else dim) - batch for dim in given)
            if 0 <= first <= last < axes and first == int(first) and last == int(last):
                return int(first), int(last)
        raise SpikeletError(
            f"start_dim {given[0]:g} and end_dim {given[1]:g} are no axes of the shape "
            f"{signal.shape} that arrives",
            remedy=f"give axes in 0..{axes - 1}, in this order, or -1 for the last",
        )

    @classmethod
    def written(cls, shape: tuple[int, ...]) -> tuple[str, dict[str, npt.NDArray[Any]]]:
        """Return kind and fields of a node that makes a vector of values of a shape."""
        fields = {"start_dim": 0, "end_dim": -1, "input_type": shape}
        return cls.kind, {name: np.array(values) for name, values in fields.items()}
