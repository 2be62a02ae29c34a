"""Convolution and pooling value by value, after their equations: the tests' own."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

__all__ = ["convolved", "pooled"]


def convolved(
    x: Any,
    kernel: Any,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
) -> Any:
    """Return the convolution of ``x`` (inputs, *extent) with a kernel, by plain loops."""
    x = np.pad(x, [(0, 0), *padding])
    window, extent = kernel.shape[2:], x.shape[1:]
    outputs, inputs = len(kernel), kernel.shape[1]
    sizes = []
    for n, k, s, d in zip(extent, window, stride, dilation, strict=True):
        starts = [start for start in range(0, n, s) if start + d * (k - 1) < n]
        sizes.append(len(starts))
    y = np.zeros((outputs, *sizes))
    for out, *place in product(range(outputs), *map(range, sizes)):
        group = out * groups // outputs
        for into, *at in product(range(inputs), *map(range, window)):
            where = [p * s + a * d for p, s, a, d in zip(place, stride, at, dilation, strict=True)]
            y[out, *place] += kernel[out, into, *at] * x[group * inputs + into, *where]
    return y


def pooled(x: Any, window: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Any:
    """Return the sums over windows of ``x`` (channels, height, width)."""
    x = np.pad(x, [(0, 0), *((p, p) for p in padding)])
    rows = range(0, x.shape[1] - window[0] + 1, stride[0])
    columns = range(0, x.shape[2] - window[1] + 1, stride[1])
    return np.array(
        [
            [[c[i : i + window[0], j : j + window[1]].sum() for j in columns] for i in rows]
            for c in x
        ]
    )
