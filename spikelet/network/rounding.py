"""How the weights into a population become integers: each to the nearest, or by samples."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from spikelet.network.compensate import Compensated
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import Matrix, dense, from_places, same_places, stored
from spikelet.network.network import FloatArray, Projection
from spikelet.network.scale import codes
from spikelet.network.shown import Shown

__all__ = ["ByCurrents", "Nearest", "Rounding"]

_MOST_ROWS = 8192
"""Ticks of arrivals, or windows of a convolution in some ticks, that are looked at."""

_FEWEST_TICKS = 32
"""Of a convolution."""


class Rounding(Protocol):
    """Turns the weights of projections into integers."""

    def codes(self, scale: float, bits: int) -> list[Matrix]:
        """Return the integers of each projection, int8, (sources, targets), in units of ``scale``.

        A weight of 0 is 0.
        """


class Nearest:
    """Each weight becomes the nearest integer."""

    def __init__(self, into: Sequence[Projection]) -> None:
        self._into = into

    def codes(self, scale: float, bits: int) -> list[Matrix]:
        """As of any :class:`Rounding`."""
        matrices = [projection.weights for projection in self._into]
        return [same_places(weights, codes(stored(weights), scale, bits)) for weights in matrices]


class ByCurrents:
    """Rounding errors make up for each other on calibration samples (:class:`Compensated`).

    Dense projections do so together, the values of a kernel for all its places.

    Parameters
    ----------
    into : sequence of Projection
        All that lead to a population.
    shown : Shown
    """

    def __init__(self, into: Sequence[Projection], shown: Shown) -> None:
        self._into = into
        self._kernels = {
            i: _of_kernel(projection, projection.convolution, shown)
            for i, projection in enumerate(into)
            if projection.convolution is not None
        }
        self._dense = [i for i in range(len(into)) if i not in self._kernels]
        self._parts = [part for parts in self._kernels.values() for part in parts]
        if self._dense:
            self._parts.append(_of_dense([into[i] for i in self._dense], shown))

    def error(self, scale: float, bits: int) -> float:
        """Return the sum of the squares of what rounding changes of currents."""
        return sum(part.error(scale, bits) for part in self._parts)

    def codes(self, scale: float, bits: int) -> list[Matrix]:
        """As of any :class:`Rounding`."""
        found = dict[int, Matrix]()
        for i, parts in self._kernels.items():
            convolution = self._into[i].convolution
            assert convolution is not None
            kernel = np.concatenate([part.codes(scale, bits).T for part in parts])
            shaped = kernel.reshape(convolution.kernel.shape).astype(np.float64)
            sources, targets, values = replace(convolution, kernel=shaped).triplets()
            shape = self._into[i].weights.shape
            found[i] = from_places(values.astype(np.int8), sources, targets, shape)
        if self._dense:
            ends = np.cumsum([self._into[i].weights.shape[0] for i in self._dense])
            whole = self._parts[-1].codes(scale, bits)
            found |= dict(zip(self._dense, np.split(whole, ends[:-1]), strict=True))
        return [found[i] for i in range(len(self._into))]


def _of_dense(projections: Sequence[Projection], shown: Shown) -> Compensated:
    ticks = shown.busy(projections, _MOST_ROWS)
    weights = np.concatenate([dense(projection.weights) for projection in projections])
    arriving = [shown.arriving(projection, ticks) for projection in projections]
    return Compensated(weights, np.concatenate(arriving, axis=1))


def _of_kernel(projection: Projection, convolution: Convolution, shown: Shown) -> list[Compensated]:
    """Return each group of a kernel, as weights from the values of a window."""
    windows = convolution.windows()
    groups, values, places = windows.shape
    ticks = shown.busy([projection], max(_FEWEST_TICKS, _MOST_ROWS // places))
    arriving: FloatArray = np.pad(shown.arriving(projection, ticks), ((0, 0), (0, 1)))
    kernel = convolution.kernel.reshape(groups, -1, values)
    step = max(1, len(ticks) * places // _MOST_ROWS)
    return [
        Compensated(of_group.T, arriving[:, seen[:, ::step]].swapaxes(1, 2).reshape(-1, values))
        for of_group, seen in zip(kernel, windows, strict=True)
    ]
