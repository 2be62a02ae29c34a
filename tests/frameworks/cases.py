"""What the modules of all frameworks share: a sample, weights, and a table of cases.

A case is a function that makes a module; it imports its framework when it is called, since no two
frameworks can be in one environment, and the default tests have none.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["TICKS", "Case", "cases", "exact", "sample"]

TICKS, SAMPLES, INPUTS = 12, 5, 10


class Case(NamedTuple):
    """A module, and how it takes a sample.

    Attributes
    ----------
    make : callable
        Returns the module.
    models : tuple of str
        Neuron models that its layers must become.
    inputs : tuple of int
        Shape of one sample in one tick.
    """

    make: Callable[[], Any]
    models: tuple[str, ...]
    inputs: tuple[int, ...] = (INPUTS,)


def cases(table: dict[str, Case], *models: str, inputs: tuple[int, ...] = (INPUTS,)) -> Any:
    """Return a decorator that notes a case under the function's name."""

    def note(make: Callable[[], Any]) -> Callable[[], Any]:
        table[make.__name__] = Case(make, models, inputs)
        return make

    return note


def sample(inputs: tuple[int, ...], *, time_axis: int = 0, rate: float = 0.5) -> npt.NDArray[Any]:
    """Return input spikes, time first or second."""
    drawn = np.random.default_rng(3).random((TICKS, SAMPLES, *inputs)) < rate
    return (drawn.swapaxes(0, 1) if time_axis else drawn).astype(np.float32)


def exact(net: Any, low: int = -6, high: int = 9) -> Any:
    """Give a module weights whose sums are exact in float32, so that spikes must be equal.

    Vectors are left alone, but for biases: thresholds and decays are the case's own.
    """
    import torch

    rng = np.random.default_rng(7)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.dim() > 1 or name.endswith("bias"):
                drawn = rng.integers(low, high, tuple(parameter.shape)) / 16
                parameter.copy_(torch.as_tensor(drawn))
    return net.eval()
