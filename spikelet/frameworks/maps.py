"""Operations of PyTorch on maps of channels, such as convolution; as in ``arrange.py``."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.frameworks.combine import add, scaled
from spikelet.frameworks.traced import Array, Shape, Traced
from spikelet.network.convolution import Convolution
from spikelet.nir.signal import Signal, Sparse

__all__ = ["average_pool", "batch_norm", "batch_norm_of_statistics", "convolution", "sum_pool"]


def convolution(
    x: Traced,
    shape: Shape,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool = False,
    output_padding: Any = (),
    groups: int = 1,
) -> Traced:
    """Return a convolution over one or two axes."""
    if isinstance(weight, Traced) or transposed:
        raise SpikeletError("a transposed convolution, or one of two signals")
    axes = weight.ndim - 2
    every = [tuple(_spread(values, axes)) for values in (stride, dilation, padding)]
    around = tuple((p, p) for p in every[2])
    of_sample = x.of_sample[-axes - 1 :]
    if len(x.of_sample) != axes + 1:
        raise SpikeletError(f"a convolution over values of shape {x.of_sample}")
    conv = Convolution(weight, of_sample, every[0], every[1], around, groups)
    added = np.zeros(1) if bias is None else conv.per_value(np.asarray(bias, np.float64))
    key = ("convolution", digest_of(weight, added), *every, groups)
    return x.through(key, _convolved(conv, added), shape, conv.output_shape, weighs=True)


def _convolved(conv: Convolution, added: Array) -> Callable[[Signal], Signal]:
    def apply(signal: Signal) -> Signal:
        return signal.through(Sparse.of_convolution(conv), conv.output_shape).plus(added)

    return apply


def average_pool(
    x: Traced,
    shape: Shape,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Traced:
    """Return averages over windows."""
    axes = len(x.of_sample) - 1
    window, around = _spread(kernel, axes), _spread(padding, axes)
    if any(around) and not count_include_pad:
        raise SpikeletError("an average pooling that leaves its padding out of the count")
    return _pooled(x, shape, window, stride, around, 1 / (divisor_override or prod(window)))


def sum_pool(x: Traced, shape: Shape, kernel: Any, stride: Any) -> Traced:
    """Return sums over windows."""
    axes = len(x.of_sample) - 1
    return _pooled(x, shape, _spread(kernel, axes), stride or (), (0,) * axes, 1.0)


def _pooled(
    x: Traced, shape: Shape, window: Shape, stride: Any, padding: Shape, weight: float
) -> Traced:
    steps = _spread(stride, len(window)) if np.size(stride) else window
    conv = Convolution.pooling(x.of_sample, window, steps, padding, weight)
    if conv.output_shape != shape[x.n_lead :]:
        raise SpikeletError("a pooling with ceil_mode")
    key = ("pool", window, steps, padding, weight)
    return x.through(key, _convolved(conv, np.zeros(1)), shape, conv.output_shape, weighs=True)


def _spread(values: Any, axes: int) -> Shape:
    found = [int(v) for v in np.ravel(values)]
    return tuple(found * axes if len(found) == 1 else found)


def batch_norm_of_statistics(
    x: Traced,
    shape: Shape,
    weight: Any,
    bias: Any,
    mean: Any,
    variance: Any,
    momentum: float = 0,
    eps: float = 1e-5,
) -> Traced:
    """Return a batch normalisation by the statistics that training left."""
    gain = 1 / np.sqrt(np.asarray(variance, np.float64) + eps)
    gain = gain if weight is None else gain * weight
    offset = -mean * gain if bias is None else bias - mean * gain
    per_channel = prod(x.of_sample) // len(gain)
    whole = scaled(x, np.repeat(gain, per_channel))
    wide = np.repeat(offset, per_channel).reshape(x.of_sample)
    return add(whole, shape, wide)


def batch_norm(
    x: Traced,
    shape: Shape,
    weight: Any,
    bias: Any,
    mean: Any,
    variance: Any,
    training: bool,
    momentum: float,
    eps: float,
    *_: Any,
) -> Traced:
    """Return a batch normalisation; SpikeletError for one by the batch's own statistics."""
    if training:
        raise SpikeletError(
            "a batch normalisation by the statistics of the batch", remedy="call net.eval() first"
        )
    return batch_norm_of_statistics(x, shape, weight, bias, mean, variance, momentum, eps)
