"""Conv2d: a convolution over two axes."""

from spikelet.nir.windows import ConvolutionHandler, convolution_fields

__all__ = ["Conv2d"]


class Conv2d(ConvolutionHandler):
    """A convolution over the last two axes of (channels, height, width), as in PyTorch, with a bias
    for each channel. `padding` is one or two numbers of zeros, `same` or `valid`.
    """

    kind = "Conv2d"
    fields = convolution_fields("height", "width")
    axes = 2
