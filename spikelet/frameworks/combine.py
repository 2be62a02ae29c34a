"""Operations of PyTorch that add values, scale them, and apply weights; as in ``arrange.py``."""

from typing import Any

import numpy as np

from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.frameworks.expression import Applied
from spikelet.frameworks.traced import Array, Shape, Traced, constant, of_one_sample
from spikelet.nir.signal import Signal

__all__ = [
    "add",
    "addmm",
    "divide",
    "linear",
    "mm",
    "multiply",
    "negative",
    "scaled",
    "subtract",
    "subtract_from",
]


def add(x: Any, shape: Shape, y: Any, alpha: float = 1) -> Traced:
    """Return the sum of two values."""
    like = x if isinstance(x, Traced) else y
    parts = []
    for value in (x, y):
        if isinstance(value, Traced):
            if value.shape != shape:
                raise SpikeletError(f"a tensor of shape {value.shape} is broadcast to {shape}")
            parts.append(value)
        else:
            parts.append(constant(value, shape, like))
    first, second = parts
    if first.lead != second.lead:
        raise SpikeletError("tensors of whole sequences and of single ticks meet")

    def apply(a: Signal, b: Signal) -> Signal:
        scaled = b if alpha == 1 else b.scaled(np.array([float(alpha)]))
        return Signal.sum([a, scaled])

    node = Applied(("add", alpha), apply, (first.node, second.node), first.of_sample)
    return Traced(node, first.lead, shape)


def subtract(x: Any, shape: Shape, y: Any, alpha: float = 1) -> Traced:
    """Return the difference of two values."""
    return add(x, shape, y, -alpha)


def subtract_from(x: Any, shape: Shape, y: Any, alpha: float = 1) -> Traced:
    """Return the difference of two values, the second first."""
    return add(y, shape, x, -alpha)


def multiply(x: Any, shape: Shape, y: Any) -> Traced:
    """Return a value times what does not depend on spikes."""
    if isinstance(x, Traced) and isinstance(y, Traced):
        raise SpikeletError("two signals are multiplied")
    value, factor = (x, y) if isinstance(x, Traced) else (y, x)
    if value.shape != shape:
        raise SpikeletError(f"a tensor of shape {value.shape} is broadcast to {shape}")
    return scaled(value, of_one_sample(factor, shape, value).ravel())


def divide(x: Any, shape: Shape, y: Any, rounding_mode: str | None = None) -> Traced:
    """Return a value divided by what does not depend on spikes."""
    if isinstance(y, Traced) or rounding_mode is not None:
        raise SpikeletError("a signal divides, or is rounded")
    return multiply(x, shape, 1 / np.asarray(y, np.float64))


def negative(x: Traced, shape: Shape) -> Traced:
    """Return a value times -1."""
    return scaled(x, np.array([-1.0]))


def scaled(x: Traced, gain: Array) -> Traced:
    """Return a value times ``gain``, of shape (1,) or one for each value of a sample."""

    def apply(signal: Signal) -> Signal:
        return signal.scaled(gain)

    weighs = bool((gain != gain[0]).any())
    return x.through(("scale", gain.tobytes()), apply, x.shape, x.of_sample, weighs=weighs)


def linear(x: Any, shape: Shape, weight: Any, bias: Any = None) -> Traced:
    """Return ``x @ weight.T + bias``."""
    if not isinstance(x, Traced) or isinstance(weight, Traced) or isinstance(bias, Traced):
        raise SpikeletError("a matrix product of two signals")
    if len(x.of_sample) != 1:
        raise SpikeletError(f"weights act along the last of several axes, {x.of_sample}")
    matrix = np.asarray(weight, np.float64)
    added = np.zeros(1) if bias is None else np.asarray(bias, np.float64).ravel()

    def apply(signal: Signal) -> Signal:
        return signal.through(matrix).plus(added)

    return x.through(
        ("linear", digest_of(matrix, added)), apply, shape, (len(matrix),), weighs=True
    )


def addmm(
    bias: Any, shape: Shape, x: Any, matrix: Any, beta: float = 1, alpha: float = 1
) -> Traced:
    """Return ``beta * bias + alpha * x @ matrix``."""
    if isinstance(bias, Traced):
        return add(multiply(bias, shape, beta), shape, mm(x, shape, alpha * matrix))
    return linear(x, shape, alpha * matrix.T, beta * bias)


def mm(x: Any, shape: Shape, matrix: Any) -> Traced:
    """Return ``x @ matrix``."""
    return linear(x, shape, matrix if isinstance(matrix, Traced) else matrix.T)
