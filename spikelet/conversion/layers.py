"""ReLU networks: what is between an input and the last outputs, layer by layer, in real numbers.

Values of a sample are a vector in row-major order, channels outside; batches are (samples, values).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.convolution import Convolution
from spikelet.nir.written import Fields

__all__ = [
    "Convolved",
    "Dense",
    "Layer",
    "Pooled",
    "Rectified",
    "ReluNetwork",
    "Reshaped",
    "Weighted",
    "scaled_and_shifted",
]

FloatArray = npt.NDArray[np.float64]


class Layer(ABC):
    """A step of a ReLU network.

    Attributes
    ----------
    name : str
        Of the node that it was read from, for messages.
    """

    name: str

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the result, without the batch."""

    @abstractmethod
    def apply(self, values: FloatArray) -> FloatArray:
        """Return what it makes of values (samples, size), shape (samples, size of the result)."""


class Weighted(Layer):
    """A step with weights and a bias for each of its channels."""

    @abstractmethod
    def scaled(self, gain: FloatArray) -> "Weighted":
        """Return it with each channel's weights and bias times ``gain``, (channels,) or (1,)."""

    @abstractmethod
    def shifted(self, offset: FloatArray) -> "Weighted":
        """Return it with ``offset``, shape (channels,) or (1,), added to the biases."""

    @abstractmethod
    def driven(self, gain: float) -> "Weighted":
        """Return it with weights times ``gain``; biases stay as they are."""

    @property
    @abstractmethod
    def node(self) -> tuple[str, Fields]:
        """Kind and fields of the NIR node."""


@dataclass(frozen=True, eq=False)
class Dense(Weighted):
    """A matrix.

    Parameters
    ----------
    name : str
    weight : array of float64, shape (outputs, inputs)
    bias : array of float64, shape (outputs,)
    """

    __repr__ = summary

    name: str
    weight: FloatArray
    bias: FloatArray

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.weight),)

    def apply(self, values: FloatArray) -> FloatArray:
        found: FloatArray = values @ self.weight.T + self.bias
        return found

    def scaled(self, gain: FloatArray) -> "Dense":
        return replace(self, weight=self.weight * gain[:, None], bias=self.bias * gain)

    def shifted(self, offset: FloatArray) -> "Dense":
        return replace(self, bias=self.bias + offset)

    def driven(self, gain: float) -> "Dense":
        return replace(self, weight=self.weight * gain)

    @property
    def node(self) -> tuple[str, Fields]:
        return "Affine", {"weight": self.weight, "bias": self.bias}


@dataclass(frozen=True, eq=False)
class Convolved(Weighted):
    """A convolution whose padding NIR can say: equal in front and behind, or that of "same".

    Parameters
    ----------
    name : str
    convolution : Convolution
    bias : array of float64, shape (outputs,)
    """

    __repr__ = summary

    name: str
    convolution: Convolution
    bias: FloatArray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.convolution.output_shape

    def apply(self, values: FloatArray) -> FloatArray:
        return _convolved(self.convolution, values) + self.convolution.per_value(self.bias)

    def scaled(self, gain: FloatArray) -> "Convolved":
        return replace(self, convolution=self.convolution.scaled(gain), bias=self.bias * gain)

    def shifted(self, offset: FloatArray) -> "Convolved":
        return replace(self, bias=self.bias + offset)

    def driven(self, gain: float) -> "Convolved":
        return replace(self, convolution=self.convolution.scaled(np.array([gain])))

    @property
    def node(self) -> tuple[str, Fields]:
        made = self.convolution
        return f"Conv{len(made.window)}d", {
            "weight": made.kernel,
            "bias": self.bias,
            "stride": np.array(made.stride),
            "padding": _written(made.padding),
            "dilation": np.array(made.dilation),
            "groups": np.array(made.groups),
            "input_shape": np.array(made.shape[1:]),
        }


@dataclass(frozen=True, eq=False)
class Pooled(Layer):
    """The average over windows of each of the channels; zeros of the padding count.

    Parameters
    ----------
    name : str
    shape_before : tuple of int
        (channels, height, width).
    window, stride, padding : tuple of int
        For height and width.
    """

    __repr__ = summary

    name: str
    shape_before: tuple[int, ...]
    window: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    convolution: Convolution = field(init=False, repr=False)

    def __post_init__(self) -> None:
        made = Convolution.pooling(
            *(self.shape_before, self.window, self.stride, self.padding), 1 / prod(self.window)
        )
        object.__setattr__(self, "convolution", made)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.convolution.output_shape

    def apply(self, values: FloatArray) -> FloatArray:
        return _convolved(self.convolution, values)

    @property
    def node(self) -> tuple[str, Fields]:
        """Kind and fields of the NIR node."""
        fields = {"kernel_size": self.window, "stride": self.stride, "padding": self.padding}
        return "AvgPool2d", {name: np.array(values) for name, values in fields.items()}


@dataclass(frozen=True, eq=False)
class Reshaped(Layer):
    """All axes of a sample as one.

    Parameters
    ----------
    name : str
    shape_before : tuple of int
    """

    name: str
    shape_before: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (prod(self.shape_before),)

    def apply(self, values: FloatArray) -> FloatArray:
        return values


@dataclass(frozen=True, eq=False)
class Rectified(Layer):
    """ReLU: values below 0 become 0.

    Parameters
    ----------
    name : str
    shape_before : tuple of int
    """

    name: str
    shape_before: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.shape_before

    def apply(self, values: FloatArray) -> FloatArray:
        found: FloatArray = np.maximum(values, 0)
        return found


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """Layers, each of which takes the sum of some before it.

    Parameters
    ----------
    name : str
    input_shape : tuple of int
        Without the batch.
    layers : tuple of Layer
    feeds : tuple of tuple of int
        For each layer those before it whose results it takes, as a sum; -1 is the input.
    ends : tuple of int
        The same of the network's output.
    notes : tuple of str
        What was left out of it, in words.
    """

    __repr__ = summary

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    feeds: tuple[tuple[int, ...], ...]
    ends: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def n_inputs(self) -> int:
        """Values of a sample."""
        return prod(self.input_shape)

    def shape_of(self, index: int) -> tuple[int, ...]:
        """Return the shape of a layer's result, or of the input."""
        return self.input_shape if index < 0 else self.layers[index].shape

    def results(self, values: FloatArray) -> list[FloatArray]:
        """Return what leaves each layer, (samples, size), and the input at last.

        Parameters
        ----------
        values : array of float64, shape (samples, inputs)
        """
        found = [values]
        for layer, feed in zip(self.layers, self.feeds, strict=True):
            found.insert(-1, layer.apply(self.total(found, feed)))
        return found

    def total(self, results: list[FloatArray], feed: tuple[int, ...]) -> FloatArray:
        """Return the sum of some layers' results, the input's being the last of them."""
        first, *others = (results[index] for index in feed)
        return sum(others, start=first)

    def outputs(self, values: FloatArray) -> FloatArray:
        """Return what leaves the last layers, (samples, outputs), of values (samples, size)."""
        return self.total(self.results(values), self.ends)

    def behind(self, first: Layer) -> "ReluNetwork":
        """Return this network with a layer in front that keeps the shape."""
        feeds = ((-1,), *(tuple(index + 1 for index in feed) for feed in self.feeds))
        ends = tuple(index + 1 for index in self.ends)
        return replace(self, layers=(first, *self.layers), feeds=feeds, ends=ends)


def _written(padding: tuple[tuple[int, int], ...]) -> npt.NDArray[Any]:
    """Return a padding as NIR has it: by name where there is one more behind than in front."""
    if any(front != behind for front, behind in padding):
        return np.array(b"same")
    return np.array([front for front, _ in padding])


def _convolved(convolution: Convolution, values: FloatArray) -> FloatArray:
    sources, targets, weights = convolution.triplets()
    shape = (convolution.size, convolution.n_source)
    matrix = csr_array((weights, (targets, sources)), shape=shape)
    found: FloatArray = (matrix @ values.T).T
    return found


def scaled_and_shifted(
    last: Layer | None,
    shape: tuple[int, ...],
    gain: FloatArray,
    offset: FloatArray,
    name: str,
) -> tuple[Weighted, bool]:
    """Return a factor and an offset for each channel as a layer, and whether it is the last one.

    They are folded into the last layer, if it has weights; otherwise it is a layer more.

    Parameters
    ----------
    last : Layer or None
        None if there is none, or another one needs it as it is.
    shape : tuple of int
        Of what leaves it.
    gain, offset : array of float64, shape (channels,) or (1,)
    name : str
        Of the node that they are from.

    Raises
    ------
    SpikeletError
        If there are other numbers of them.
    """
    for what, values in (("scale", gain), ("offset", offset)):
        if values.shape not in ((1,), shape[:1]):
            raise SpikeletError(
                f"{name}: the {what} of shape {values.shape} must be one value, or one for each of "
                f"the {shape[0]} channels"
            )
    channels = shape[0]
    gain, offset = (np.broadcast_to(values, (channels,)) for values in (gain, offset))
    if isinstance(last, Weighted):
        return last.scaled(gain).shifted(offset), True
    if len(shape) == 1:
        return Dense(name, np.diag(gain), offset.copy()), False
    axes = len(shape) - 1
    each = gain.reshape(channels, 1, *(1,) * axes)
    once, none = (1,) * axes, ((0, 0),) * axes
    made = Convolution(each, shape, once, once, none, channels)
    return Convolved(name, made, offset.copy()), False
