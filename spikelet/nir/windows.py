"""What the nodes with a window have in common: convolutions and pools over one or two axes."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.network.convolution import Convolution, same_padding
from spikelet.network.network import FloatArray
from spikelet.nir.handler import Field, ImportedNode, NodeHandler
from spikelet.nir.signal import Signal, Sparse

__all__ = ["ConvolutionHandler", "PoolHandler", "convolution_fields", "whole_numbers"]

_LARGEST = 1 << 24
"""Of a stride and the like."""


def whole_numbers(node: ImportedNode, field: str, axes: int, least: int) -> tuple[int, ...]:
    """Return a field of one whole number for all axes, or one for each.

    SpikeletError unless it is that, and none is below ``least``.
    """
    values = node.fields[field].ravel()
    right = values.size in (1, axes) and bool((values == np.round(values)).all())
    if not right or values.min() < least or values.max() > _LARGEST:
        number = "a whole number" if axes == 1 else f"one whole number or {axes}"
        raise SpikeletError(
            f"{field} must be {number} of {least} or more, not {values.tolist()[:8]}",
            remedy=f"store {field} as the layer has it, an integer for each axis",
        )
    found = tuple(int(value) for value in values)
    return found * (axes if len(found) == 1 else 1)


def convolution_fields(*window: str) -> tuple[Field, ...]:
    """Return the fields of a convolution whose kernel has these axes besides its channels."""
    return (
        Field("weight", axes=("outputs", "inputs of a group", *window)),
        *(Field("stride"), Field("padding", numbers=False), Field("dilation"), Field("groups")),
        *(Field("bias", required=False), Field("input_shape", required=False, numbers=False)),
    )


class ConvolutionHandler(NodeHandler):
    """A convolution over the axes behind that of channels.

    Attributes
    ----------
    axes : int
    """

    axes: ClassVar[int]

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the convolution of a signal whose shape is (channels, *extent), plus the bias."""
        kernel = node.fields["weight"].astype(np.float64)
        stride, dilation = (whole_numbers(node, f, self.axes, 1) for f in ("stride", "dilation"))
        (groups,) = whole_numbers(node, "groups", 1, 1)
        shape = self._shape(node, signal, kernel.shape[1] * groups)
        convolution = Convolution(
            *(kernel, shape, stride, dilation),
            self._padding(node, kernel.shape[2:], dilation, stride),
            groups,
        )
        found = signal.through(Sparse.of_convolution(convolution), convolution.output_shape)
        if "bias" not in node.fields:
            return found
        bias = np.broadcast_to(node.parameter("bias", len(kernel)), (len(kernel),))
        return found.plus(convolution.per_value(bias))

    @classmethod
    def written(
        cls, convolution: Convolution, bias: FloatArray
    ) -> tuple[str, dict[str, npt.NDArray[Any]]] | None:
        """Return kind and fields of a node; None if NIR has none with such padding.

        Parameters
        ----------
        convolution : Convolution
            Of as many axes as the kind.
        bias : array of float64, shape (outputs,)
        """
        front = tuple(before for before, _ in convolution.padding)
        same = replace(convolution, padding=tuple((n, n) for n in front))
        if same.output_shape != convolution.output_shape:
            return None
        numbers = {
            "stride": convolution.stride,
            "padding": front,
            "dilation": convolution.dilation,
            "input_shape": convolution.shape[1:],
        }
        return cls.kind, {
            "weight": convolution.kernel,
            "bias": bias,
            "groups": np.array(convolution.groups),
            # of one axis, nir has numbers
            **{n: np.array(v if cls.axes > 1 else v[0]) for n, v in numbers.items()},
        }

    def _padding(
        self,
        node: ImportedNode,
        window: Sequence[int],
        dilation: Sequence[int],
        stride: Sequence[int],
    ) -> tuple[tuple[int, int], ...]:
        """Return the zeros in front and behind, as numbers or by name."""
        values = node.fields["padding"]
        if values.dtype.kind in "SUO":
            name = values.ravel()[0] if values.size else b""
            text = name.decode("utf8", "replace") if isinstance(name, bytes) else str(name)
            if text == "same":
                return same_padding(window, dilation, stride)
            if text != "valid":
                raise SpikeletError(
                    f"padding must be 'same', 'valid' or whole numbers, not {text!r}",
                    remedy="other kinds, such as 'reflect', have no zeros for what is outside",
                )
            return ((0, 0),) * self.axes
        Field("padding").check(values)
        return tuple((n, n) for n in whole_numbers(node, "padding", self.axes, 0))

    def _shape(self, node: ImportedNode, signal: Signal, channels: int) -> tuple[int, ...]:
        """Return the shape of what arrives; of a vector, that which the node declares."""
        declared = node.fields.get("input_shape", np.array("none"))
        if declared.dtype.kind not in "iuf" or not declared.size:  # some exporters write no shape
            return signal.shape
        extent = whole_numbers(node, "input_shape", self.axes, 1)
        if len(signal.shape) == 1 and signal.size == channels * prod(extent):
            return channels, *extent
        if signal.shape[1:] != extent:
            raise SpikeletError(
                f"input_shape is {list(extent)}, but values of shape {signal.shape} arrive",
                remedy="it is the shape of a channel: what arrives is (channels, *input_shape)",
            )
        return signal.shape


class PoolHandler(NodeHandler):
    """A sum over windows of each channel, times a factor."""

    fields = (Field("kernel_size"), Field("stride"), Field("padding"))

    def weight(self, window: tuple[int, ...]) -> float:
        """Return the factor of a window's sum."""
        return 1.0

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return the pooled signal, of one whose shape is (channels, height, width)."""
        window, stride = (whole_numbers(node, f, 2, 1) for f in ("kernel_size", "stride"))
        padding = whole_numbers(node, "padding", 2, 0)
        if len(signal.shape) != 3:
            raise SpikeletError(
                f"values of shape {signal.shape} arrive, where it takes (channels, height, width)",
                remedy="let the Input declare this shape, and leave out a Flatten before the node",
            )
        pooling = Convolution.pooling(signal.shape, window, stride, padding, self.weight(window))
        return signal.through(Sparse.of_convolution(pooling), pooling.output_shape)
