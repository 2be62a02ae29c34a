"""The windows of a convolution as runs of words of the axon bitmap, and the cycles they take."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.description.synapses.scan import scan_cycles, word_counts

__all__ = ["Line", "Windows", "group_ends"]

_Ints = npt.NDArray[np.int64]


class Line(NamedTuple):
    """Of a window, what it has along one axis: where it begins, and how much it has there.

    Of rows: the first row of the map, its tap ``ky``, and how many rows, 0 if none is in the map.
    Of columns: the first word in a row, its first bit, counted from the window's first column,
    which can be before the map, and how many words.
    """

    first: int
    at: int
    n: int


class Windows:
    """The windows of a convolution, in words of ``bits`` axons, a row of the map at a time.

    Bit ``b`` of a row of a window is column ``b // pixel_axons`` of its span, axon
    ``b % pixel_axons`` of the pixel.

    Parameters
    ----------
    shape : ConvolutionShape
    scan_bits : int
        Axons in a word of the axon bitmap. Where a row of the map has fewer, it is a word here.
    """

    def __init__(self, shape: ConvolutionShape, scan_bits: int) -> None:
        self.shape = shape
        self.bits = min(scan_bits, shape.row_axons)
        self.row_words = shape.row_axons // self.bits
        self.in_word = scan_bits // self.bits
        self.span_bits = ((shape.kernel_width - 1) * shape.dilation_x + 1) * shape.pixel_axons

    @cached_property
    def rows(self) -> tuple[Line, ...]:
        """What the windows of each output row see of the map's rows."""
        shape = self.shape
        found = []
        for out in range(shape.out_height):
            top = out * shape.stride_y - shape.padding_y
            seen = [
                (tap, row)
                for tap in range(shape.kernel_height)
                if 0 <= (row := top + tap * shape.dilation_y) < shape.height
            ]
            tap, row = seen[0] if seen else (0, 0)
            found.append(Line(row, tap, len(seen)))
        return tuple(found)

    @cached_property
    def columns(self) -> tuple[Line, ...]:
        """What the windows of each output column see of a row's words."""
        shape, bits = self.shape, self.bits
        found = []
        for out in range(shape.out_width):
            begin = (out * shape.stride_x - shape.padding_x) * shape.pixel_axons
            last = min(shape.width * shape.pixel_axons, begin + self.span_bits) - 1
            first = max(0, begin) // bits
            found.append(Line(first, first * bits - begin, last // bits - first + 1))
        return tuple(found)

    @cached_property
    def taps(self) -> tuple[int, ...]:
        """For each bit of a window's row, its tap and channel, ``kx * channels + channel``, or -1.

        -1: between the taps of a dilated kernel, or an axon number that is no channel.
        """
        shape = self.shape
        found = []
        for bit in range(self.span_bits):
            column, channel = divmod(bit, shape.pixel_axons)
            kx, rest = divmod(column, shape.dilation_x)
            inside = not rest and channel < shape.channels
            found.append(kx * shape.channels + channel if inside else -1)
        return tuple(found)

    def mask(self, at: int) -> int:
        """Return the bits of a word, the first bit ``at`` of a window's row, that have a tap."""
        inside = range(max(0, -at), min(self.bits, self.span_bits - at))
        return sum(1 << bit for bit in inside if self.taps[at + bit] >= 0)

    @property
    def tail(self) -> int:
        """The bits of a row's last word that belong to the map."""
        return (1 << (self.shape.width * self.shape.pixel_axons - 1) % self.bits + 1) - 1

    @property
    def last_word(self) -> int:
        """The last word of a row that holds some of the map."""
        return (self.shape.width * self.shape.pixel_axons - 1) // self.bits

    def words(self, row: Line, column: Line) -> Iterator[tuple[int, _Ints]]:
        """Yield the words that a window reads, in order, and the axons of each that have a tap.

        A window that sees no row of the map reads words of the first, and uses nothing of them.
        """
        for line in range(max(1, row.n)):
            y = row.first + line * self.shape.dilation_y
            for step in range(column.n):
                mask = self.mask(column.at + step * self.bits) if row.n else 0
                if column.first + step == self.last_word:
                    mask &= self.tail
                word = y * self.row_words + column.first + step
                bits = [bit for bit in range(self.bits) if mask >> bit & 1]
                yield word, word * self.bits + np.array(bits, np.int64)

    @cached_property
    def mean_words(self) -> float:
        """Words of a window, on average."""
        rows, columns = ([line.n for line in axis] for axis in (self.rows, self.columns))
        return float(np.mean(np.maximum(rows, 1)) * np.mean(columns))


@lru_cache(maxsize=64)
def windows_of(shape: ConvolutionShape, scan_bits: int) -> Windows:
    """Return the windows of a convolution."""
    return Windows(shape, scan_bits)


def group_ends(
    shape: ConvolutionShape,
    scan_bits: int,
    active: npt.NDArray[np.bool_],
    paces: list[int],
) -> _Ints:
    """Return the cycle, from the start of a tick, in which each group ends.

    A word is fetched, taken, and its active axons with a tap are listed, one a cycle, as
    ``rtl_gen/synapses/gather.py`` does it; it is fetched once the scan has copied it. The last
    word of a group takes a cycle more, and it ends when the sums of the group before have left.

    Parameters
    ----------
    shape : ConvolutionShape
    scan_bits : int
    active : array of bool, shape (ticks, n_axons)
    paces : list of int
        Cycles in which the sums of each group of an output position leave.

    Returns
    -------
    array of int64, shape (ticks, groups)
    """
    windows = windows_of(shape, scan_bits)
    counts = word_counts(active, scan_bits)
    scanned = np.cumsum(np.maximum(counts, 1), axis=1)
    copied = np.full_like(counts, 3)
    copied[:, 1:2] = 4
    copied[:, 2:] = 4 + scanned[:, :-2]
    bits = np.pad(active, ((0, 0), (0, counts.shape[1] * scan_bits - active.shape[1])))
    fetch, taken, end, group_end = np.zeros((4, len(active)), np.int64)
    fetch += 1
    free = group_end  # the shift register, by which sums leave
    ends = []
    for row in windows.rows:
        for column in windows.columns:
            read = list(windows.words(row, column))
            hits = [np.count_nonzero(bits[:, axons], axis=1) for _, axons in read]
            for pace in paces:
                for (word, _), found in zip(read, hits, strict=True):
                    there = copied[:, word // windows.in_word]
                    fetch = np.maximum(np.maximum(fetch + 1, taken), there)
                    taken = np.maximum(fetch + 1, end)
                    end = taken + np.maximum(found, 1)
                group_end = end = np.maximum(taken + hits[-1] + 1, free)
                free = group_end + pace
                ends.append(group_end)
    ends[-1] = np.maximum(group_end, scan_cycles(counts) + 3)
    return np.stack(ends, axis=1)
