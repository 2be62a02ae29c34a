"""Arrays as the native path wants them. No twin in rtl_gen."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LINE", "SPARE", "Shape", "aligned", "padded", "placed"]

LINE = 64
"""Bytes of a cache line, and columns of a block of the kernel; rows are padded to whole ones."""

SPARE = 32
"""Entries that the kernel may write behind a list, as in ``kernel_common.c``."""

Shape = tuple[tuple[int, ...], npt.DTypeLike]
"""Shape and type of an array."""


def padded(columns: int) -> int:
    """Return the columns of whole blocks."""
    return -(-columns // LINE) * LINE


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros that start with a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def placed(shapes: Iterable[Shape]) -> tuple[npt.NDArray[np.uint8], list[npt.NDArray[Any]]]:
    """Return zeros of these shapes, each from a cache line on, and the memory that all lie in.

    One after the other, so that what is used one after the other is fetched ahead, and large memory
    takes few entries in the processor's table of pages.
    """
    wanted = [(shape, np.dtype(dtype)) for shape, dtype in shapes]
    sizes = [int(np.prod(shape)) * dtype.itemsize for shape, dtype in wanted]
    starts = list(accumulate(map(padded, sizes), initial=0))
    memory: npt.NDArray[np.uint8] = aligned((starts[-1],), np.uint8)
    arrays = [
        memory[start : start + size].view(dtype).reshape(shape)
        for (shape, dtype), start, size in zip(wanted, starts[:-1], sizes, strict=True)
    ]
    return memory, arrays
