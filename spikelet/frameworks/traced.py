"""A tensor of a framework that depends on spikes, and which of its axes are samples and time."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.frameworks.expression import Applied, Constant, Node, Refused
from spikelet.nir.signal import Signal, Sparse

__all__ = [
    "BATCH",
    "TIME",
    "Array",
    "Lead",
    "Shape",
    "Traced",
    "constant",
    "of_one_sample",
    "refused",
]

Shape = tuple[int, ...]
Array = npt.NDArray[np.float64]

TIME, BATCH = "time", "samples"


@dataclass(frozen=True)
class Lead:
    """The axes of a tensor that come before those of one sample in one tick.

    Parameters
    ----------
    axes : tuple of str
        :data:`TIME` and :data:`BATCH`, or one of them, in row-major order.
    ticks, samples : int
        Their sizes; 2 or more, so that they are not mistaken for axes of size 1.
    """

    axes: tuple[str, ...]
    ticks: int
    samples: int

    @property
    def sizes(self) -> Shape:
        """Of the axes."""
        return tuple(self.ticks if axis == TIME else self.samples for axis in self.axes)

    def without_time(self) -> "Lead":
        """Return that of a single tick."""
        return replace(self, axes=(BATCH,))


@dataclass(frozen=True, eq=False)
class Traced:
    """A tensor that depends on spikes.

    Parameters
    ----------
    node : Node
        What it is for one sample.
    lead : Lead
    shape : tuple of int
        Of the tensor.
    """

    __repr__ = summary

    node: Node
    lead: Lead
    shape: Shape

    @property
    def n_lead(self) -> int:
        """Axes that samples and ticks take, be they several or merged into one."""
        wanted = prod(self.lead.sizes)
        for count in range(len(self.shape) + 1):
            if prod(self.shape[:count]) == wanted:
                return count
        raise SpikeletError(
            f"samples and ticks, {wanted} together, are no longer the first axes of a tensor of "
            f"shape {self.shape}",
            remedy="keep them in front, merged or not",
        )

    @property
    def of_sample(self) -> Shape:
        """Shape without samples and ticks."""
        return self.shape[self.n_lead :]

    def axis(self, number: int) -> str | int:
        """Return what an axis is: time, samples, or which of a sample's axes."""
        number += len(self.shape) if number < 0 else 0
        if number >= self.n_lead:
            return number - self.n_lead
        if self.shape[: self.n_lead] != self.lead.sizes:
            raise SpikeletError("samples and ticks are merged into one axis, which is then taken")
        return self.lead.axes[number]

    def through(
        self,
        key: Hashable,
        apply: Callable[..., Signal],
        shape: Shape,
        of_sample: Shape,
        *,
        weighs: bool = False,
    ) -> "Traced":
        """Return what an operation makes of it."""
        node = Applied(key, apply, (self.node,), of_sample, weighs)
        return Traced(node, self.lead, shape)

    def selected(self, order: npt.NDArray[np.int64], shape: Shape) -> "Traced":
        """Return the values of these numbers, an array of the shape of one sample."""
        of_sample = order.shape

        def apply(signal: Signal) -> Signal:
            return signal.through(Sparse.selection(signal.size, order), of_sample)

        key = ("select", order.tobytes(), of_sample)
        return self.through(key, apply, shape, of_sample)

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The numbers of a sample's values, in its shape."""
        return np.arange(prod(self.of_sample)).reshape(self.of_sample)


def refused(reason: str, remedy: str, of: Sequence[Traced], shape: Shape) -> Traced:
    """Return a value that is computed from others, and is an error where it is used."""
    return Traced(Refused(reason, remedy, tuple(t.node for t in of)), of[0].lead, shape)


def of_one_sample(values: Any, shape: Shape, like: Traced) -> Array:
    """Return what does not depend on spikes, broadcast to ``shape``, for one sample in one tick.

    SpikeletError unless it is the same in all samples and ticks.
    """
    wide = np.broadcast_to(np.asarray(values, np.float64), shape)
    inner = Traced(like.node, like.lead, shape).of_sample
    rows = wide.reshape(-1, *inner)
    if (rows != rows[:1]).any():
        raise SpikeletError("a constant that differs between samples or ticks meets the signals")
    return np.array(rows[0])


def constant(values: Any, shape: Shape, like: Traced) -> Traced:
    """Return what does not depend on spikes as a traced value; as :func:`of_one_sample`."""
    return Traced(Constant(of_one_sample(values, shape, like)), like.lead, shape)
