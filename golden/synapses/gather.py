"""Golden model of gathered synapses. Twin of ``rtl_gen/synapses/gather.py``."""

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["synaptic_sums"]


def synaptic_sums(
    convolution: ConvolutionShape, active: npt.NDArray[np.bool_], kernel: npt.NDArray[np.int16]
) -> npt.NDArray[np.int32]:
    """Return the sums of the weights of the active axons in each output's window, exactly.

    I[y, x, o] = sum over ky, kx, c of S[the axon of the window's (ky, kx, c)] * W[ky, kx, c, o]

    Parameters
    ----------
    convolution : ConvolutionShape
    active : array of bool, shape (..., n_axons)
        S: axons with an arrival in this tick.
    kernel : array of int16, shape (kernel_height, kernel_width, channels, out_channels)

    Returns
    -------
    array of int32, shape (..., n_neurons)
        In weight LSBs. float32 is exact here: a sum of at most 4096 weights of 8 bits stays below
        2**20, and float32 holds integers up to 2**24.
    """
    flat = active.reshape(-1, active.shape[-1])
    silent = np.pad(flat, ((0, 0), (0, 1)))  # the axon of what a window sees beside the map
    weights = kernel.reshape(-1, convolution.out_channels).astype(np.float32)
    rows = []
    for axons in _windows(convolution):
        seen = silent[:, axons].astype(np.float32)
        rows.append((seen @ weights).astype(np.int32))
    sums = np.stack(rows, axis=1)
    return sums.reshape(*active.shape[:-1], convolution.n_neurons)


def _windows(convolution: ConvolutionShape) -> npt.NDArray[np.int64]:
    """Return the axon of each tap and channel of each window; beside the map the number behind all.

    Shape (out_height, out_width, kernel_height * kernel_width * channels).
    """
    shape = convolution
    out_y, out_x, ky, kx = np.ogrid[
        : shape.out_height, : shape.out_width, : shape.kernel_height, : shape.kernel_width
    ]
    y = out_y * shape.stride_y + ky * shape.dilation_y - shape.padding_y
    x = out_x * shape.stride_x + kx * shape.dilation_x - shape.padding_x
    inside = (y >= 0) & (y < shape.height) & (x >= 0) & (x < shape.width)
    axons = shape.axons[y.clip(0, shape.height - 1), x.clip(0, shape.width - 1)]
    found = np.where(inside[..., None], axons, shape.n_axons)
    return found.reshape(shape.out_height, shape.out_width, -1)
