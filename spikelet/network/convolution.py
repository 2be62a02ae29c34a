"""Convolutions over any number of axes, as the connections that they are.

A convolution here is what machine learning calls so, a cross-correlation (Goodfellow et al. 2016,
"Deep Learning", section 9.1; ``torch.nn.Conv2d``):
``y[o, p] = sum over i, k of kernel[o, i, k] * x[i, p * stride + k * dilation - padding]``,
where what lies outside of ``x`` is 0. Pooling by sum or average is one with a group for each
channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import gcd, prod

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["Convolution", "same_padding", "shape_in_core"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MOST_PAIRS = 1 << 26
"""Weights of the connection: 1.5 GiB with their places."""

_AXES = ("height", "width")


@dataclass(frozen=True, eq=False)
class Convolution:
    """One kernel at many places.

    Values are in row-major order: channels outside, the last axis inside.

    Parameters
    ----------
    kernel : array of float64, shape (outputs, inputs / groups, *window)
        Input channels of output ``o`` are those of its group, ``o // (outputs / groups)``.
    shape : tuple of int
        Of what arrives: (inputs, *extent), with as many axes as the kernel's window.
    stride, dilation : tuple of int
        1 or more, for each axis of the extent: steps between outputs, and between kernel values.
    padding : tuple of (int, int)
        0 or more, for each axis: zeros in front of the values, and behind them.
    groups : int
        Divides inputs and outputs.

    Raises
    ------
    SpikeletError
        If one of these does not hold, the kernel reaches beyond the padded extent, or the
        connection has more weights than can be listed.
    """

    __repr__ = summary

    kernel: FloatArray
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    def __post_init__(self) -> None:
        axes = self.kernel.ndim - 2
        if axes < 1 or 0 in self.kernel.shape:
            raise SpikeletError(
                f"a kernel must have outputs, inputs and a window, none of them 0, not shape "
                f"{self.kernel.shape}"
            )
        if len(self.shape) != axes + 1 or min(self.shape) < 1:
            raise SpikeletError(
                f"a kernel of shape {self.kernel.shape} needs values of {axes + 1} axes, channels "
                f"and {axes} more, not of shape {self.shape}",
                remedy="a signal has the shape that its Input, Conv or pooling node gives it; "
                "leave out a Flatten before the node",
            )
        for name, least in (("stride", 1), ("dilation", 1), ("padding", 0)):
            values = getattr(self, name)
            if len(values) != axes or np.min(values) < least:
                raise SpikeletError(
                    f"{name} must be {axes} whole number{'s'[: axes > 1]} of {least} or more, not "
                    f"{list(values)}"
                )
        outputs, inputs = self.kernel.shape[0], self.shape[0]
        if self.groups < 1 or outputs % self.groups or inputs % self.groups:
            raise SpikeletError(
                f"groups must divide the {inputs} input and {outputs} output channels, not be "
                f"{self.groups}"
            )
        if self.kernel.shape[1] * self.groups != inputs:
            of_groups = f" in each of {self.groups} groups" if self.groups > 1 else ""
            raise SpikeletError(
                f"the kernel of shape {self.kernel.shape} is for {self.kernel.shape[1]} input "
                f"channels{of_groups}, but {inputs} arrive",
                remedy="check the shape of what arrives (channels first) and groups",
            )
        self._check_window()
        if self.pairs > _MOST_PAIRS:
            raise SpikeletError(
                f"the connection of {self.shape} to {self.output_shape} values has up to "
                f"{self.pairs:,} weights, more than the {_MOST_PAIRS:,} that can be listed",
                remedy="use a larger stride, a smaller kernel, or fewer channels",
            )

    def _check_window(self) -> None:
        for axis, (extent, reach) in enumerate(zip(self._padded, self._reach, strict=True)):
            if reach > extent:
                name = _AXES[axis] if len(self._reach) == 2 else "length"
                raise SpikeletError(
                    f"the kernel reaches over {reach} values, more than the {name} "
                    f"{self.shape[1 + axis]} with padding, {extent}",
                    remedy="give a smaller kernel or dilation, or more padding",
                )

    @property
    def window(self) -> tuple[int, ...]:
        """Extent of the kernel, without dilation."""
        return self.kernel.shape[2:]

    @property
    def _padded(self) -> list[int]:
        """Extent with its padding."""
        return [n + sum(pad) for n, pad in zip(self.shape[1:], self.padding, strict=True)]

    @property
    def _reach(self) -> list[int]:
        """Extent of the kernel with its dilation."""
        return [d * (k - 1) + 1 for k, d in zip(self.window, self.dilation, strict=True)]

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the result: (outputs, *extent)."""
        zipped = zip(self._padded, self._reach, self.stride, strict=True)
        return self.kernel.shape[0], *((n - reach) // step + 1 for n, reach, step in zipped)

    @property
    def n_source(self) -> int:
        """Values that arrive."""
        return prod(self.shape)

    @property
    def size(self) -> int:
        """Values of the result."""
        return prod(self.output_shape)

    @property
    def pairs(self) -> int:
        """Weights of the connection, those in the padding included."""
        return prod(self.kernel.shape[1:]) * self.size

    def per_value(self, per_channel: FloatArray) -> FloatArray:
        """Return values of the output channels, shape (outputs,), for each value: (size,)."""
        return np.repeat(per_channel, self.size // self.kernel.shape[0])

    def scaled(self, per_channel: FloatArray) -> "Convolution":
        """Return it with each output channel times a factor, shape (outputs,) or (1,)."""
        axes = (1,) * (self.kernel.ndim - 1)
        return replace(self, kernel=self.kernel * per_channel.reshape(-1, *axes))

    def triplets(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the connection's weights that are not 0: sources, targets and weights.

        Each of shape (weights,); no pair of source and target stands twice.
        """
        inside, outside = self.kernel.shape[1], self.kernel.shape[0] // self.groups
        kernel = self.kernel.reshape(self.groups, outside, inside, *self.window)
        group, out, into = np.indices((self.groups, outside, inside)).reshape(3, -1)
        in_channel = (group * inside + into) * prod(self.shape[1:])
        out_channel = (group * outside + out) * prod(self.output_shape[1:])
        found = []
        for place in product(*map(range, self.window)):
            weights = kernel[group, out, into, *place]
            used = weights != 0
            source, target = self._places(place)
            found.append(
                (
                    (in_channel[used, None] + source).ravel(),
                    (out_channel[used, None] + target).ravel(),
                    np.repeat(weights[used], len(source)),
                )
            )
        sources, targets, weights = (np.concatenate(column) for column in zip(*found, strict=True))
        return sources, targets, weights

    def _places(self, place: Sequence[int]) -> tuple[IntArray, IntArray]:
        """Return the places within a channel that a value of the kernel joins: from, to."""
        source, target = np.zeros(1, np.int64), np.zeros(1, np.int64)
        for axis, at in enumerate(place):
            to = np.arange(self.output_shape[1 + axis])
            start = at * self.dilation[axis] - self.padding[axis][0]
            from_ = to * self.stride[axis] + start
            inside = (from_ >= 0) & (from_ < self.shape[1 + axis])
            source = (source[:, None] * self.shape[1 + axis] + from_[inside]).ravel()
            target = (target[:, None] * self.output_shape[1 + axis] + to[inside]).ravel()
        return source, target

    def windows(self) -> IntArray:
        """Return what each window sees: sources, shape (groups, values of the window, places).

        Values in the order of the kernel's, (inputs / groups, *window); ``n_source`` stands for the
        padding.
        """
        inside, extent = self.kernel.shape[1], prod(self.shape[1:])
        seen = np.full((*self.window, prod(self.output_shape[1:])), -1, np.int64)
        for place in product(*map(range, self.window)):
            source, target = self._places(place)
            seen[place][target] = source
        channels = np.arange(self.shape[0]).reshape(self.groups, inside, *(1,) * seen.ndim)
        found = np.where(seen < 0, self.n_source, channels * extent + seen)
        return found.reshape(self.groups, -1, seen.shape[-1])

    def kernel_of(self, weights: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return the kernel by which this connection has these weights, (n_source, size).

        0 for what only meets padding.
        """
        windows, outputs = self.windows(), self.kernel.shape[0] // self.groups
        found = np.zeros((len(self.kernel), windows.shape[1]), weights.dtype)
        places = windows.shape[2]
        for group, value in np.ndindex(windows.shape[:2]):
            used = np.flatnonzero(windows[group, value] < self.n_source)
            if len(used):
                channels = np.arange(group * outputs, (group + 1) * outputs)
                source = windows[group, value, used[0]]
                found[channels, value] = weights[source, channels * places + used[0]]
        return found.reshape(self.kernel.shape)

    def behind(self, first: "Convolution") -> "Convolution | None":
        """Return both as one, this behind ``first``; None if they are none, or a larger one.

        They are one if where this pads with 0, ``first`` would give 0: such as behind a pool whose
        windows do not overlap. The one has no groups.
        """
        if first.output_shape != self.shape:
            return None
        padding, stride, dilation, window = [], [], [], []
        for axis in range(len(self.window)):
            (size, reach, step), front = first._axis(axis), first.padding[axis][0]
            (length, own_reach, own_step), own_front = self._axis(axis), self.padding[axis][0]
            last = (self.output_shape[1 + axis] - 1) * own_step + own_reach - 1 - own_front
            if own_front and reach - 1 - step - front >= 0:
                return None
            if last >= length and length * step - front < size:
                return None
            stride.append(step * own_step)
            dilation.append(gcd(first.dilation[axis], step * self.dilation[axis]))
            span = (own_reach - 1) * step + reach
            window.append((span - 1) // dilation[-1] + 1)
            before = own_front * step + front
            behind = (self.output_shape[1 + axis] - 1) * stride[-1] + span - size - before
            padding.append((before, max(0, behind)))
        kernel = np.zeros((self.kernel.shape[0], first.shape[0], *window))
        inner, outer = first._without_groups(), self._without_groups()
        for here, there in product(*(np.ndindex(part.window) for part in (self, first))):
            at = (
                (h * d * s + t * e) // g
                for h, d, s, t, e, g in zip(
                    *(here, self.dilation, first.stride),
                    *(there, first.dilation, dilation),
                    strict=True,
                )
            )
            kernel[:, :, *at] += outer[:, :, *here] @ inner[:, :, *there]
        try:
            found = Convolution(kernel, first.shape, tuple(stride), tuple(dilation), tuple(padding))
        except SpikeletError:  # too many weights
            return None
        return found if found.output_shape == self.output_shape else None

    def _axis(self, axis: int) -> tuple[int, int, int]:
        """Return the values that arrive along an axis, the reach of the kernel, and the stride."""
        return self.shape[1 + axis], self._reach[axis], self.stride[axis]

    def _without_groups(self) -> FloatArray:
        """Return the kernel from all inputs: 0 from those of other groups."""
        outside, inside = len(self.kernel) // self.groups, self.kernel.shape[1]
        found = np.zeros((len(self.kernel), self.shape[0], *self.window))
        for group in range(self.groups):
            outputs = slice(group * outside, (group + 1) * outside)
            inputs = slice(group * inside, (group + 1) * inside)
            found[outputs, inputs] = self.kernel[outputs]
        return found

    @classmethod
    def pooling(
        cls,
        shape: tuple[int, ...],
        window: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        weight: float = 1.0,
    ) -> "Convolution":
        """Return the sum over a window of each channel, times ``weight``.

        Parameters
        ----------
        shape : tuple of int
            (channels, *extent).
        window, stride : tuple of int
            1 or more, for each axis of the extent.
        padding : tuple of int
            Zeros in front, and as many behind.
        weight : float
            1 for the sum. For the average, one part of the window: zeros of the padding count, as
            in ``torch.nn.AvgPool2d`` by default.

        Raises
        ------
        SpikeletError
            As of any convolution.
        """
        channels = shape[0] if shape else 0
        kernel = np.full((channels, 1, *window), weight)
        return cls(
            kernel, shape, stride, (1,) * len(window), tuple((p, p) for p in padding), channels
        )


def same_padding(
    window: Sequence[int], dilation: Sequence[int], stride: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return the padding that keeps the extent; of an odd number of zeros, one more behind.

    So ``padding="same"`` in ``torch.nn.Conv2d``, with stride 1 only; SpikeletError for another.
    """
    if any(step != 1 for step in stride):
        raise SpikeletError(
            f"padding 'same' is defined for stride 1 only, not {list(stride)}",
            remedy="give the padding as numbers",
        )
    needed = [d * (k - 1) for k, d in zip(window, dilation, strict=True)]
    return tuple((n // 2, n - n // 2) for n in needed)


def shape_in_core(convolution: Convolution) -> ConvolutionShape | None:
    """Return the geometry by which a core can share the kernel; None if there is none.

    One axis is one row. The kernel of a core has no groups: what a group does not see is 0.
    """
    if len(convolution.window) > 2:
        return None
    height, width = (1, *convolution.shape[1:])[-2:]
    out_height, out_width = (1, *convolution.output_shape[1:])[-2:]
    kernel = (1, *convolution.window)[-2:]
    stride, dilation = (1, *convolution.stride)[-2:], (1, *convolution.dilation)[-2:]
    padding = (0, *(front for front, _ in convolution.padding))[-2:]
    channels, out_channels = convolution.shape[0], convolution.kernel.shape[0]
    try:
        return ConvolutionShape(
            *(height, width, channels, out_height, out_width, out_channels),
            *(*kernel, *stride, *dilation, *padding),
        )
    except SpikeletError:  # windows that see nothing, or a kernel too large
        return None
