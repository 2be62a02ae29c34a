"""Layers of weights inside a neuron module: its own way back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.frameworks.framework import numbers
from spikelet.network.convolution import Convolution, same_padding
from spikelet.nir.signal import Signal, Sparse

__all__ = ["linear_back", "weights_of"]


def weights_of(layer: Any, what: str) -> Callable[[Signal], Signal]:
    """Return what a Linear or Conv2d of PyTorch makes of a signal, in the signal's shape.

    SpikeletError, naming it by ``what``, for any other layer.
    """
    kind = type(layer).__name__
    if kind == "Linear":
        return linear_back(layer.weight, layer.bias)
    if kind == "Sequential":
        layers = [weights_of(inner, f"{what}.{name}") for name, inner in layer.named_children()]

        def chain(signal: Signal) -> Signal:
            for inner in layers:
                signal = inner(signal)
            return signal

        return chain
    if kind == "Identity":
        return lambda signal: signal
    if kind == "Flatten":
        return lambda signal: signal.reshaped((signal.size,))
    if kind == "Conv2d" and layer.padding_mode == "zeros":
        return _convolution(layer)
    raise SpikeletError(
        f"{what} is of class {kind}",
        remedy="connect it back by Linear or Conv2d (padding of zeros)",
    )


def linear_back(weight: Any, bias: Any = None) -> Callable[[Signal], Signal]:
    """Return ``weight @ signal + bias``, in the signal's shape if the size is the same."""
    matrix = numbers(weight)
    added = np.zeros(1) if bias is None else numbers(bias)

    def back(signal: Signal) -> Signal:
        shape = signal.shape if len(matrix) == signal.size else None
        return signal.through(matrix, shape).plus(added)

    return back


def _convolution(layer: Any) -> Callable[[Signal], Signal]:
    around = (
        same_padding(layer.kernel_size, layer.dilation, layer.stride)
        if layer.padding == "same"
        else tuple((0, 0) if layer.padding == "valid" else (p, p) for p in layer.padding)
    )

    def back(signal: Signal) -> Signal:
        conv = Convolution(
            numbers(layer.weight), signal.shape, layer.stride, layer.dilation, around, layer.groups
        )
        added = np.zeros(1) if layer.bias is None else conv.per_value(numbers(layer.bias))
        return signal.through(Sparse.of_convolution(conv), conv.output_shape).plus(added)

    return back
