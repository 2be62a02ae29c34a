"""Arrays as the compiled path wants them. No twin in rtl_gen."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LINE", "aligned", "padded"]

LINE = 64
"""Bytes of a cache line, and columns of a block of the kernel; rows are padded to whole ones."""


def padded(columns: int) -> int:
    """Return the columns of whole blocks."""
    return -(-columns // LINE) * LINE


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros that start with a cache line."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)
