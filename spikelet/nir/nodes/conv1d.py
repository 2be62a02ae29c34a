"""Conv1d: a convolution over one axis."""

from spikelet.nir.windows import ConvolutionHandler, convolution_fields

__all__ = ["Conv1d"]


class Conv1d(ConvolutionHandler):
    """A convolution over the last axis of (channels, length), as in PyTorch, with a bias for each
    channel. `padding` is a number of zeros, `same` or `valid`.
    """

    kind = "Conv1d"
    fields = convolution_fields("length")
    axes = 1
