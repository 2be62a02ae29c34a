"""What a framework is to the reading of modules: the door for a new one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.nir.signal import Signal

__all__ = ["Cell", "Framework", "numbers", "per_neuron"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cell:
    """What the neurons of a module compute, in real numbers.

    Parameters
    ----------
    model : str
        Name of their neuron model.
    parameters : dict of str to array of float64, shape (1,) or (size,)
        As those of :class:`Population`, without the biases.
    gain : array of float64, shape (1,) or (size,)
        Factor of what arrives.
    arriving : callable or None
        What the module itself makes of the signal that arrives, such as weights; before the gain.
    back : callable or None
        What it makes of its own spikes of the tick before, added to what arrives.
    """

    __repr__ = summary

    model: str
    parameters: dict[str, Array]
    gain: Array = field(default_factory=lambda: np.ones(1))
    arriving: Callable[[Signal], Signal] | None = None
    back: Callable[[Signal], Signal] | None = None


Reader = Callable[[Any, tuple[int, ...]], Cell]


class Framework(ABC):
    """How modules of one framework are read.

    Attributes
    ----------
    name : str
        As users write it.
    package : str
        In which its classes are.
    readers : dict of str to Reader
        By class of neurons; a reader takes the module and the shape of its spikes.
    bases : tuple of str
        Classes from which all neurons descend, also those that cannot be read.
    neuron_package : str
        Package of which all classes are neurons; empty: none is.
    instead : str
        What to use in the place of neurons that cannot be read.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    readers: ClassVar[Mapping[str, Reader]]
    bases: ClassVar[tuple[str, ...]] = ()
    neuron_package: ClassVar[str] = ""
    instead: ClassVar[str]

    def shapes_of(self, net: Any, time_axis: int) -> tuple[str, ...]:
        """Return how a module may take a sample, in the order in which it is tried."""
        whole = ("time first", "samples first")[time_axis]
        kinds = {self.takes(module) for module in net.modules() if self.is_neuron(module)}
        return (whole, "ticks") if kinds == {"ticks"} else (whole,)

    def time_step(self, neurons: Sequence[Any], dt: float | None) -> float | None:
        """Return the seconds per tick: those of the neuron modules, or ``dt``."""
        return dt

    @abstractmethod
    def reset(self, net: Any) -> None:
        """Bring all neurons of a module into their first state."""

    def keeps_state(self, module: Any) -> bool:
        """Return whether a neuron module keeps its state where none is passed."""
        return True

    def result(self, returned: Any) -> Any:
        """Return of what a module returned the part that is its result."""
        return returned

    def takes(self, module: Any) -> str:
        """Return how a neuron module takes its input, as :func:`trace` names it."""
        return "ticks"

    def step(self, net: Any, given: Any, carried: Any) -> tuple[Any, Any]:
        """Call a module for one tick; return its result, and what it is to get in the next."""
        return net(given), None

    def is_neuron(self, module: Any) -> bool:
        """Return whether a module is one of neurons."""
        return any(self._of_neurons(kind) for kind in type(module).__mro__)

    def _ours(self, kind: type) -> bool:
        return kind.__module__.split(".")[0] == self.package

    def _of_neurons(self, kind: type) -> bool:
        if self.neuron_package and kind.__module__.startswith(f"{self.neuron_package}."):
            return True
        return self._ours(kind) and kind.__name__ in (*self.readers, *self.bases)

    def read(self, module: Any, shape: tuple[int, ...]) -> Cell:
        """Return what a neuron module computes; SpikeletError if no neuron model does."""
        kind = type(module)
        if not self._ours(kind):
            theirs = next(base for base in kind.__mro__ if self._of_neurons(base))
            raise SpikeletError(
                f"{kind.__name__} is a class of its own, made from {theirs.__name__}: what it "
                "changes is not known",
                remedy=f"use {self.name}'s {theirs.__name__} itself",
            )
        if kind.__name__ not in self.readers:
            raise SpikeletError(
                f"there is no neuron model for neurons of class {kind.__name__}",
                remedy=self.instead,
            )
        return self.readers[kind.__name__](module, shape)


def numbers(value: Any) -> Array:
    """Return a parameter, a tensor or number, as an array of float64 of any shape."""
    found = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    return np.asarray(found, np.float64)


def per_neuron(what: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return a parameter as shape (1,), or one for each neuron: (size,).

    SpikeletError unless it is finite, and can be spread over ``shape`` as the framework does.
    """
    found = numbers(value)
    if not np.isfinite(found).all():
        raise SpikeletError(f"{what} is not finite", remedy="check the training for divergence")
    if found.size == 1:
        return found.reshape(1)
    try:
        return np.broadcast_to(found, shape).ravel()
    except ValueError:
        raise SpikeletError(
            f"{what} has shape {found.shape} where the neurons have {shape}",
            remedy=f"give {what} one value, or one for each neuron",
        ) from None
