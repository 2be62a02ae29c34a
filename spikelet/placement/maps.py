"""Maps of convolutions cut into parts, each of which fits a core."""

from itertools import pairwise, product

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["cut_map", "lanes_of_channels", "pipelines_of_channels", "places"]

IntArray = npt.NDArray[np.int64]

Cut = tuple[range, range]
"""Output rows, and output channels."""


_MOST_ROW = 8 / 5
"""Length, at most, of the kernel's rows, of which the last lanes may have no channel."""


def lanes_of_channels(channels: int, lanes: int) -> int:
    """Return the lanes, at most ``lanes``, for so many output channels; a power of two.

    The most of which few enough have no channel, in the last of the blocks that channels come in.
    """
    choices = (1 << step for step in range(lanes.bit_length()))
    return max(n for n in choices if -(-channels // n) * n <= _MOST_ROW * channels)


def pipelines_of_channels(channels: int, pipelines: int) -> int:
    """Return the most pipelines, at most ``pipelines``, that divide so many output channels."""
    return min(pipelines, channels & -channels)


def cut_map(shape: ConvolutionShape, max_axons: int, max_neurons: int, lanes: int) -> list[Cut]:
    """Return the fewest parts of a map that fit cores; none if a single output row fits none.

    Of cuts into as many parts, that into fewer ranges of rows: rows that windows share are then in
    fewer cores. Channels are cut at multiples of the lanes that divide them.

    Parameters
    ----------
    shape : ConvolutionShape
        Of the whole map.
    max_axons, max_neurons : int
        Of a core.
    lanes : int
        The most lanes of a core, a power of two.
    """
    best: list[Cut] = []
    for n_rows in range(1, shape.out_height + 1):
        rows = _even(shape.out_height, n_rows, 1)
        longest = max(map(len, rows))
        channels = max_neurons // (longest * shape.out_width)
        unit = min(
            pipelines_of_channels(shape.out_channels, lanes), 1 << channels.bit_length() >> 1
        )
        if not unit:
            continue
        units, most = shape.out_channels // unit, channels // unit
        cut = list(product(rows, _even(shape.out_channels, -(-units // most), unit)))
        if best and len(cut) >= len(best):
            if n_rows >= len(best):
                break
            continue
        if all(shape.part(*piece).n_axons <= max_axons for piece in cut):
            best = cut
    return best


def places(shape: ConvolutionShape, rows: range, channels: range) -> tuple[IntArray, IntArray]:
    """Return the inputs that a part of a map sees, and its outputs, in the order of its core.

    Both are numbered with the channel first, as in the whole map.
    """
    part = shape.part(rows, channels)
    first = shape.first_row(rows.start)
    y, x, channel = np.ogrid[first : first + part.height, : shape.width, : shape.channels]
    inputs = (channel * shape.height + y) * shape.width + x
    y, x, channel = np.ogrid[
        rows.start : rows.stop, : shape.out_width, channels.start : channels.stop
    ]
    outputs = (channel * shape.out_height + y) * shape.out_width + x
    return inputs.ravel(), outputs.ravel()


def _even(size: int, n: int, unit: int) -> list[range]:
    """Return ``n`` ranges, or fewer, that cover 0..size - 1, cut at multiples of ``unit``."""
    units = size // unit
    ends = [unit * (units * i // n) for i in range(n + 1)]
    return [range(a, b) for a, b in pairwise(ends) if b > a]
