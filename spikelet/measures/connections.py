"""Which synapses a projection has, those of weight 0 among them."""

import numpy as np
import numpy.typing as npt

from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.network.integer_layers import IntegerProjection
from spikelet.network.matrices import stored
from spikelet.network.values import synapses

__all__ = ["fan_out", "fan_out_of_weights"]


def fan_out(projection: IntegerProjection) -> npt.NDArray[np.int64]:
    """Return the synapses of each source, shape (n_source,).

    Those that the connectivity has, whatever their weight; of a convolution the taps that lie
    within the output map. Of another sparse matrix those that are stored.
    """
    if projection.convolution is not None:
        return _fan_out_of_convolution(projection.convolution)
    if not isinstance(projection.weights, np.ndarray):
        stored_in_row: npt.NDArray[np.int64] = np.diff(projection.weights.indptr).astype(np.int64)
        return stored_in_row
    shape = (projection.weights.shape[0], projection.weights.shape[1])
    exist = synapses(projection.title, shape, projection.connectivity)
    return exist.sum(axis=1, dtype=np.int64)  # type: ignore[no-any-return]


def fan_out_of_weights(projection: IntegerProjection) -> npt.NDArray[np.int64]:
    """Return the synapses of each source whose weight is not 0; of a plastic one, all."""
    if projection.rule is not None:
        return fan_out(projection)
    weights = projection.weights
    if isinstance(weights, np.ndarray):
        found: npt.NDArray[np.int64] = np.count_nonzero(weights, axis=1).astype(np.int64)
        return found
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    return np.bincount(rows[stored(weights) != 0], minlength=weights.shape[0])


def _fan_out_of_convolution(shape: ConvolutionShape) -> npt.NDArray[np.int64]:
    down = _along(
        *(shape.height, shape.out_height, shape.kernel_height),
        *(shape.stride_y, shape.dilation_y, shape.padding_y),
    )
    across = _along(
        *(shape.width, shape.out_width, shape.kernel_width),
        *(shape.stride_x, shape.dilation_x, shape.padding_x),
    )
    places = (down[:, None] * across).ravel() * shape.out_channels
    return np.tile(places, shape.channels)


def _along(
    size: int, out: int, kernel: int, stride: int, dilation: int, padding: int
) -> npt.NDArray[np.int64]:
    """Return how many pairs of output and tap see each input of an axis."""
    seen = np.arange(out)[:, None] * stride + np.arange(kernel) * dilation - padding
    return np.bincount(seen[(seen >= 0) & (seen < size)], minlength=size)
