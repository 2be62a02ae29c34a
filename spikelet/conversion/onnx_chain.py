"""What operators of an ONNX file are read with: a node, and the layers so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikelet.conversion.layers import FloatArray, Layer, scaled_and_shifted
from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.convolution import same_padding

__all__ = ["Chain", "OnnxNode"]


@dataclass(frozen=True, eq=False)
class OnnxNode:
    """A node.

    Parameters
    ----------
    kind, name : str
    attributes : dict
    inputs : tuple of array of float64, or None
        None for one that is no constant.
    """

    __repr__ = summary

    kind: str
    name: str
    attributes: Mapping[str, Any]
    inputs: tuple[FloatArray | None, ...]

    def error(self, message: str, remedy: str = "") -> SpikeletError:
        """Return an error that names the node."""
        return SpikeletError(f"node {self.name!r} ({self.kind}): {message}", remedy=remedy)

    def constant(self, index: int, what: str) -> FloatArray:
        """Return an input; SpikeletError unless it is a constant of finite numbers."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            raise self.error(f"{what} must be a constant", "export the network as it was trained")
        if not np.isfinite(found).all():
            raise self.error(f"{what} must be finite", "check the training for divergence")
        return found

    def bias(self, outputs: int) -> FloatArray:
        """Return the third input, zeros where it is missing."""
        if len(self.inputs) < 3:
            return np.zeros(outputs)
        found = self.constant(2, "its bias").ravel()
        if found.size not in (1, outputs):
            raise self.error(f"its bias has {found.size} values for {outputs} outputs")
        return np.broadcast_to(found, (outputs,)).copy()

    def numbers(self, name: str, axes: int, usual: int) -> tuple[int, ...]:
        """Return an attribute of a number for each axis."""
        found = tuple(self.attributes.get(name, (usual,) * axes))
        if len(found) != axes:
            raise self.error(f"{name} must be {axes} numbers, not {list(found)}")
        return found

    def refuse(self, name: str, usual: Any, remedy: str) -> None:
        """SpikeletError unless an attribute has the one value that has a meaning here."""
        found = self.attributes.get(name, usual)
        if found != usual:
            raise self.error(f"{name} must be {usual!r}, not {found!r}", remedy)

    def padding(
        self, window: Sequence[int], dilation: Sequence[int], stride: Sequence[int]
    ) -> tuple[tuple[int, int], ...]:
        """Return the zeros in front of and behind each axis.

        SpikeletError unless they are as many, or those that keep the extent.
        """
        axes, auto = len(window), self.attributes.get("auto_pad", b"NOTSET").decode()
        if auto == "SAME_UPPER":
            return same_padding(window, dilation, stride)
        if auto not in ("NOTSET", "VALID"):
            raise self.error(f"auto_pad {auto} is not converted", "give the padding as numbers")
        pads = self.numbers("pads", 2 * axes, 0)
        found = tuple(zip(pads[:axes], pads[axes:], strict=True))
        if any(front != behind for front, behind in found) and (
            any(step != 1 for step in stride) or found != same_padding(window, dilation, stride)
        ):
            raise self.error(
                f"pads {list(pads)} are not the same in front and behind",
                "pad by the same number of zeros on both sides",
            )
        return found


@dataclass(eq=False)
class Chain:
    """The layers so far, and the signal that a node takes.

    Parameters
    ----------
    input_shape : tuple of int
        Without the samples' axis.
    shape : tuple of int
        Of the signal.
    signal : tuple of int
        Numbers of the layers whose results are added; -1 is the input.
    layers : list of Layer
    feeds : list of tuple of int
        The signal that each of them takes.
    notes : list of str
        What was left out, in words.
    ended : bool
        Whether nothing may follow.
    waiting : sequence of tuple of int
        Signals that further nodes take.
    """

    input_shape: tuple[int, ...]
    shape: tuple[int, ...]
    signal: tuple[int, ...] = (-1,)
    layers: list[Layer] = field(default_factory=list)
    feeds: list[tuple[int, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: bool = False
    waiting: Sequence[tuple[int, ...]] = ()

    @property
    def last(self) -> Layer | None:
        """The layer whose result the signal is; None of a sum, or the input."""
        first, *others = self.signal
        return None if others or first < 0 else self.layers[first]

    def add(self, layer: Layer) -> None:
        """Append a layer."""
        self.feeds.append(self.signal)
        self.layers.append(layer)
        self.signal, self.shape = (len(self.layers) - 1,), layer.shape

    def per_channel(self, node: OnnxNode, values: FloatArray) -> FloatArray:
        """Return a constant that is broadcast over all but the channels: (channels,) or (1,)."""
        axes = len(self.shape) + 1
        if values.size == 1:
            return values.ravel()
        aligned = (1,) * (axes - values.ndim) + values.shape
        if len(aligned) != axes or aligned != (1, self.shape[0], *(1,) * (axes - 2)):
            raise node.error(
                f"a constant of shape {values.shape} meets values of shape {self.shape}",
                "it must be one value, or one for each channel",
            )
        return values.ravel()

    def scale(self, node: OnnxNode, gain: FloatArray, offset: FloatArray) -> None:
        """Append a factor and an offset of each channel."""
        others = [index for taken in (*self.feeds, *self.waiting) for index in taken]
        last = None if self.signal[0] in others else self.last
        made, folded = scaled_and_shifted(last, self.shape, gain, offset, node.name)
        if folded:
            self.layers[self.signal[0]] = made
        else:
            self.add(made)
