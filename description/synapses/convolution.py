"""The geometry of a two-dimensional convolution: what shared synapses and their users agree on."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property, lru_cache
from math import gcd
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["Axis", "ConvolutionShape", "Reach"]

_WORD = 16
"""Axons in a word of the axon bitmap of a core that has as many: ``CoreParams.scan_bits``."""

_MOST = 4096
"""Axons of a core."""

_MOST_WEIGHTS = 1 << 20
"""Weights of a kernel: as a core of 256 axons and 4,096 neurons has."""

_Indices = npt.NDArray[np.int64]


class Reach(NamedTuple):
    """What an input coordinate reaches along an axis: ``n`` outputs and their kernel taps.

    Outputs ``first, first + Axis.output_step, ...``; taps ``tap, tap - Axis.tap_step, ...``.
    """

    first: int
    tap: int
    n: int


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis: input ``at`` is tap ``t`` of output ``o`` if

    ``o * stride + t * dilation == at + padding``.

    Parameters
    ----------
    size, kernel, stride, dilation, padding, out_size : int
        Padding is that before the first input; behind the last there is as much as outputs want.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    padding: int
    out_size: int

    @property
    def output_step(self) -> int:
        """From one output that an input reaches to the next."""
        return self.dilation // gcd(self.stride, self.dilation)

    @property
    def tap_step(self) -> int:
        """From the tap of one output that an input reaches to that of the next, downwards."""
        return self.stride // gcd(self.stride, self.dilation)

    def reach(self, at: int) -> Reach:
        """Return what input ``at`` reaches."""
        taps = []
        for out in range(self.out_size):
            tap, rest = divmod(at + self.padding - out * self.stride, self.dilation)
            if not rest and 0 <= tap < self.kernel:
                taps.append((out, tap))
        return Reach(*(taps[0] if taps else (0, 0)), len(taps))

    @cached_property
    def reaches(self) -> tuple[Reach, ...]:
        """:meth:`reach` of every input."""
        return tuple(self.reach(at) for at in range(self.size))

    @cached_property
    def complete(self) -> tuple[int, ...]:
        """For each input, the outputs that neither it nor a later one reaches: all up to there."""
        found = [self.out_size]
        for reach in reversed(self.reaches):
            found.append(min(found[-1], reach.first) if reach.n else found[-1])
        return tuple(found[:0:-1])

    def joined(self, tap: int) -> tuple[_Indices, _Indices]:
        """Return the outputs that meet an input with a tap, and those inputs."""
        outs = np.arange(self.out_size)
        inputs = outs * self.stride + tap * self.dilation - self.padding
        inside = (inputs >= 0) & (inputs < self.size)
        return outs[inside], inputs[inside]

    def check(self, what: str) -> None:
        """Raise SpikeletError, beginning with ``what``, unless every output sees an input."""
        span = (self.kernel - 1) * self.dilation
        if self.padding > span:
            raise SpikeletError(
                f"{what}: padding must be at most {span}, so that the first window reaches the "
                f"map, not {self.padding}"
            )
        most = (self.size - 1 + self.padding) // self.stride + 1
        if self.out_size > most:
            raise SpikeletError(
                f"{what}: the output must be at most {most} wide, so that the last window reaches "
                f"the map, not {self.out_size}"
            )


@dataclass(frozen=True)
class ConvolutionShape:
    """A two-dimensional convolution from an input map to an output map, or to a part of one.

    Of a core if its axons and neurons are not too many, else to be cut into some that are.

    The kernel has shape (kernel_height, kernel_width, channels, out_channels). Output (y, x) sees
    input ``(y * stride_y + ky * dilation_y - padding_y, x * stride_x + ...)`` through tap (ky, kx),
    where there is such an input (a cross-correlation, as NIR's and PyTorch's Conv2d).

    *Axon* ``y * row_axons + x * pixel_axons + channel`` is an input; both factors are powers of two
    if a core can have so many axons, else ``row_axons`` is a multiple of 16, so that a row of the
    map begins with a word of the axon bitmap. Some numbers are nobody's. *Neuron*
    ``(y * out_width + x) * out_channels + channel`` is an output.

    Parameters
    ----------
    height, width, channels : int
        Of the input map.
    out_height, out_width, out_channels : int
    kernel_height, kernel_width : int
    stride_y, stride_x, dilation_y, dilation_x : int
        1 or more.
    padding_y, padding_x : int
        Rows of zeros before the first, columns before the first; behind the last there are as many
        as the output wants.

    Raises
    ------
    SpikeletError
        If a value is out of range, a window sees no input, or the kernel is too large.
    """

    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    out_channels: int
    kernel_height: int
    kernel_width: int
    stride_y: int = 1
    stride_x: int = 1
    dilation_y: int = 1
    dilation_x: int = 1
    padding_y: int = 0
    padding_x: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, low = getattr(self, field.name), int(not field.name.startswith("padding"))
            if type(value) is not int or not low <= value <= _MOST:
                raise SpikeletError(
                    f"convolution: {field.name} must be an int in {low}..{_MOST}, not {value!r}"
                )
        self.y.check("convolution, y")
        self.x.check("convolution, x")
        if (n_weights := self.n_taps * self.out_channels) > _MOST_WEIGHTS:
            raise SpikeletError(
                f"convolution: its kernel has {n_weights} weights, at most {_MOST_WEIGHTS} can be"
            )

    @classmethod
    def of(cls, options: Mapping[str, int]) -> "ConvolutionShape":
        """Return the convolution with these fields, all of them; inverse of :meth:`options`."""
        return _convolution(tuple(sorted(options.items())))

    def options(self) -> dict[str, int]:
        """Return the fields, as a core's ``synapse_options``."""
        return asdict(self)

    @cached_property
    def y(self) -> Axis:
        """From input rows to output rows."""
        return Axis(
            *(self.height, self.kernel_height, self.stride_y),
            *(self.dilation_y, self.padding_y, self.out_height),
        )

    @cached_property
    def x(self) -> Axis:
        """From input columns to output columns."""
        return Axis(
            *(self.width, self.kernel_width, self.stride_x),
            *(self.dilation_x, self.padding_x, self.out_width),
        )

    @property
    def pixel_axons(self) -> int:
        """Axon numbers of an input pixel: its channels, up to a power of two."""
        return 1 << (self.channels - 1).bit_length()

    @cached_property
    def row_axons(self) -> int:
        """Axon numbers of an input row."""
        row = self.width * self.pixel_axons
        whole = 1 << (row - 1).bit_length()
        return whole if (self.height - 1) * whole + row <= _MOST else -(-row // _WORD) * _WORD

    @property
    def n_axons(self) -> int:
        """Axon numbers of the map, up to the last that an input has."""
        return (self.height - 1) * self.row_axons + (
            (self.width - 1) * self.pixel_axons + self.channels
        )

    @property
    def n_neurons(self) -> int:
        """Outputs."""
        return self.out_height * self.out_width * self.out_channels

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights."""
        return self.kernel_height, self.kernel_width, self.channels, self.out_channels

    def blocks(self, lanes: int) -> int:
        """Return the blocks of ``lanes`` output channels; the last may have fewer."""
        return -(-self.out_channels // lanes)

    def lanes_in_use(self, lanes: int) -> tuple[int, int]:
        """Return the output channels of a block, and those of the last."""
        return min(lanes, self.out_channels), (self.out_channels - 1) % lanes + 1

    @property
    def fan_in(self) -> int:
        """Inputs, at most, of an output."""
        return min(self.n_taps, self.height * self.width * self.channels)

    def part(self, rows: range, channels: range) -> "ConvolutionShape":
        """Return the part that computes some output rows of some output channels.

        It sees the input rows from :meth:`first_row` of the first output row on.
        """
        first = self.first_row(rows.start)
        reach = (rows.stop - 1) * self.stride_y - self.padding_y
        last = reach + (self.kernel_height - 1) * self.dilation_y
        return replace(
            self,
            height=min(self.height, last + 1) - first,
            out_height=len(rows),
            out_channels=len(channels),
            padding_y=max(0, self.padding_y - rows.start * self.stride_y),
        )

    def first_row(self, out_row: int) -> int:
        """Return the first input row in the window of an output row."""
        return max(0, out_row * self.stride_y - self.padding_y)

    @property
    def n_taps(self) -> int:
        """Weights of a kernel to one output channel."""
        return self.kernel_height * self.kernel_width * self.channels

    @cached_property
    def axons(self) -> npt.NDArray[np.int64]:
        """Axon numbers of the inputs, shape (height, width, channels)."""
        y, x, channel = np.ogrid[: self.height, : self.width, : self.channels]
        numbers: npt.NDArray[np.int64] = y * self.row_axons + x * self.pixel_axons + channel
        return numbers

    @cached_property
    def visits(self) -> npt.NDArray[np.int64]:
        """Output positions that an input reaches, shape (height, width)."""
        counts = [np.array([reach.n for reach in axis.reaches]) for axis in (self.y, self.x)]
        return np.outer(*counts)

    def matrix(self, kernel: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the matrix (n_axons, n_neurons) that a kernel stands for; 0 where it is not."""
        outputs = (self.out_height, self.out_width, self.out_channels)
        matrix = np.zeros((self.n_axons, *outputs), kernel.dtype)
        for ky, kx, axons, out_y, out_x in self._taps():
            matrix[axons, out_y, out_x] = kernel[ky, kx]
        return matrix.reshape(self.n_axons, self.n_neurons)

    def kernel(self, matrix: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Return the kernel that a matrix stands for, if it is that of a kernel.

        A tap that meets no input is 0.
        """
        by_output = matrix.reshape(-1, self.out_height, self.out_width, self.out_channels)
        kernel = np.zeros(self.kernel_shape, matrix.dtype)
        for ky, kx, axons, out_y, out_x in self._taps():
            kernel[ky, kx] = by_output[axons[0, 0], out_y[0, 0], out_x[0, 0]]
        return kernel

    def _taps(self) -> Iterator[tuple[int, int, _Indices, _Indices, _Indices]]:
        """Yield each tap (ky, kx) that meets an input, and axons and outputs that it joins.

        Axons have shape (rows, columns, channels), outputs (rows, 1, 1) and (1, columns, 1).
        """
        for ky in range(self.kernel_height):
            out_y, in_y = self.y.joined(ky)
            for kx in range(self.kernel_width):
                out_x, in_x = self.x.joined(kx)
                if in_y.size and in_x.size:
                    axons = self.axons[in_y[:, None], in_x]
                    yield ky, kx, axons, out_y[:, None, None], out_x[None, :, None]


@lru_cache(maxsize=256)
def _convolution(options: tuple[tuple[str, int], ...]) -> ConvolutionShape:
    return ConvolutionShape(**dict(options))
