"""Golden model of shared synapses: a convolution. Twin of ``rtl_gen/synapses/shared.py``."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import Axis, ConvolutionShape

__all__ = ["synaptic_sums"]


def synaptic_sums(
    convolution: ConvolutionShape, active: npt.NDArray[Any], kernel: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return the convolution of the active axons with the kernel, exactly.

    I[y, x, o] = sum over ky, kx, c of
    S[y * stride_y + ky * dilation_y - padding_y, x * ..., c] * W[ky, kx, c, o]

    Parameters
    ----------
    convolution : ConvolutionShape
    active : array of bool, or uint8 of counts, shape (..., n_axons)
        S: axons with an arrival in this tick.
    kernel : array of int16, shape (kernel_height, kernel_width, channels, out_channels)

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs. float32 is exact here: a sum of at most 4096 weights of 8 bits stays below
        2**20, and float32 holds integers up to 2**24; with counts, float64.
    """
    kind = np.float32 if active.dtype == np.bool_ else np.float64
    flat = active.reshape(-1, active.shape[-1])
    seen = _padded(_padded(flat[:, convolution.axons], convolution.y, 1), convolution.x, 2)
    y, x = convolution.y, convolution.x
    outputs = (convolution.out_height, convolution.out_width, convolution.out_channels)
    sums = np.zeros((len(flat), *outputs), kind)
    for ky, kx in np.ndindex(kernel.shape[:2]):
        window = seen[:, _window(y, ky), _window(x, kx)].astype(kind)
        sums += window @ kernel[ky, kx].astype(kind)
    return sums.astype(np.int32).reshape(*active.shape[:-1], convolution.n_neurons)


def _padded(maps: npt.NDArray[Any], axis: Axis, number: int) -> npt.NDArray[Any]:
    """Return maps with silent rows around them, as far as windows reach."""
    last = (axis.out_size - 1) * axis.stride + (axis.kernel - 1) * axis.dilation
    behind = max(0, last + 1 - axis.padding - axis.size)
    widths = [(0, 0)] * maps.ndim
    widths[number] = (axis.padding, behind)
    return np.pad(maps, widths)


def _window(axis: Axis, tap: int) -> slice:
    """Return what a tap sees of a padded map, for every output."""
    first = tap * axis.dilation
    return slice(first, first + (axis.out_size - 1) * axis.stride + 1, axis.stride)
