"""Signals between the nodes of a NIR graph, as linear functions of spikes.

A signal is ``sum_s spikes_s @ parts[s] + bias``: one connection for each source of spikes, a
population or an input, some ticks ago, and a constant. A connection is dense or sparse, so that
large layers wired one to one, or by a convolution, stay small.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import Matrix, from_places
from spikelet.network.network import FloatArray

__all__ = ["Connection", "Dense", "Signal", "Sparse"]

_MOST_WEIGHTS = 1 << 27
"""Of a matrix, as the float network's weights are."""

_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dense:
    """A weight for each pair of source and value.

    Parameters
    ----------
    weights : array of float64, shape (n_source, size)
    """

    __repr__ = summary

    weights: FloatArray
    convolution: ClassVar[None] = None

    @property
    def size(self) -> int:
        """Values that it gives."""
        return int(self.weights.shape[1])

    def scaled(self, gain: FloatArray) -> "Dense":
        """Return it with its values times ``gain``, shape (size,) or (1,)."""
        return Dense(self.weights * gain)

    def through(self, weight: "FloatArray | Sparse") -> "Dense":
        """Return ``weight``, a matrix (outputs, inputs) or a sparse connection, behind it."""
        if not isinstance(weight, Sparse):
            return Dense(self.weights @ weight.T)
        found = np.zeros((weight.size, len(self.weights)))
        np.add.at(found, weight.targets, (self.weights[:, weight.sources] * weight.gains).T)
        return Dense(np.ascontiguousarray(found.T))

    def matrix(self) -> FloatArray:
        """Return the weights, shape (n_source, size)."""
        return self.weights

    def stored(self) -> FloatArray:
        """Return the weights as a projection has them."""
        return self.weights

    def excitation(self) -> FloatArray:
        """Return what the positive weights add where all sources spike, shape (size,)."""
        found: FloatArray = np.maximum(self.weights, 0).sum(axis=0)
        return found


@dataclass(frozen=True, eq=False)
class Sparse:
    """Weights of some pairs of source and value; all others are 0.

    Parameters
    ----------
    n_source, size : int
        Sources, and values that it gives.
    sources, targets : array of int64, shape (pairs,)
        No pair stands twice.
    gains : array of float64, shape (pairs,)
    convolution : Convolution or None
        The one that the connection is, if it is one.
    """

    __repr__ = summary

    n_source: int
    size: int
    sources: _Indices
    targets: _Indices
    gains: FloatArray
    convolution: Convolution | None = None

    @classmethod
    def one_to_one(cls, size: int) -> "Sparse":
        """Return the connection that passes each value on as it is."""
        return cls.selection(size, np.arange(size))

    @classmethod
    def selection(cls, n_source: int, order: npt.ArrayLike) -> "Sparse":
        """Return the connection that gives the sources of these numbers, in this order.

        Parameters
        ----------
        n_source : int
        order : array of int, shape (size,)
            In 0..n_source - 1; a source may stand several times, or not at all.
        """
        chosen = np.asarray(order, np.int64).ravel()
        return cls(n_source, len(chosen), chosen, np.arange(len(chosen)), np.ones(len(chosen)))

    @classmethod
    def of_convolution(cls, convolution: Convolution) -> "Sparse":
        """Return what a convolution connects."""
        size = convolution.size
        return cls(convolution.n_source, size, *convolution.triplets(), convolution)

    def scaled(self, gain: FloatArray) -> "Sparse":
        """Return it with its values times ``gain``, shape (size,) or (1,)."""
        each = np.broadcast_to(gain, (self.size,))
        gains = self.gains * each[self.targets]
        scaled = _scaled(self.convolution, each)
        return Sparse(self.n_source, self.size, self.sources, self.targets, gains, scaled)

    @property
    def passes_on(self) -> bool:
        """Whether each source becomes the value of its number, as it is."""
        if not self.n_source == self.size == len(self.gains):
            return False
        numbers = np.arange(self.size)
        both = (self.sources == numbers).all() and (self.targets == numbers).all()
        return bool(both and (self.gains == 1).all())

    def through(self, weight: "FloatArray | Sparse") -> "Dense | Sparse":
        """Return ``weight``, a matrix (outputs, inputs) or a sparse connection, behind it."""
        if isinstance(weight, Sparse):
            if self.passes_on:
                return weight
            if self.convolution and weight.convolution:
                both = weight.convolution.behind(self.convolution)
                if both:
                    return Sparse.of_convolution(both)
            return self._through_sparse(weight)
        found = np.zeros((self.n_source, len(weight)))
        rows = self.gains[:, None] * weight.T[self.targets]
        if (np.diff(self.sources) > 0).all():
            found[self.sources] = rows
        else:
            np.add.at(found, self.sources, rows)
        return Dense(found)

    def _through_sparse(self, weight: "Sparse") -> "Sparse":
        order = np.argsort(weight.sources, kind="stable")
        by_source = weight.sources[order]
        first = np.searchsorted(by_source, self.targets, "left")
        counts = np.searchsorted(by_source, self.targets, "right") - first
        pair = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        behind = order[first[pair] + place]
        gains = self.gains[pair] * weight.gains[behind]
        return self._with(weight.size, self.sources[pair], weight.targets[behind], gains).merged()

    def plus(self, others: Iterable["Sparse"]) -> "Sparse":
        """Return the sum with others of the same sources and size."""
        parts = [self, *others]
        sources, targets = (
            np.concatenate([getattr(part, end) for part in parts]) for end in ("sources", "targets")
        )
        gains = np.concatenate([part.gains for part in parts])
        return self._with(self.size, sources, targets, gains).merged()

    def merged(self) -> "Sparse":
        """Return it with pairs that stand several times added up, in their order."""
        keys, places = np.unique(self.sources * self.size + self.targets, return_inverse=True)
        gains = np.zeros(len(keys))
        np.add.at(gains, places, self.gains)
        return self._with(self.size, *np.divmod(keys, max(1, self.size)), gains)

    def _with(self, size: int, sources: _Indices, targets: _Indices, gains: FloatArray) -> "Sparse":
        return Sparse(self.n_source, size, sources, targets, gains)

    def matrix(self) -> FloatArray:
        """Return it as a matrix, shape (n_source, size); SpikeletError if that is too large."""
        self._check_size()
        found = np.zeros((self.n_source, self.size))
        found[self.sources, self.targets] = self.gains
        return found

    def stored(self) -> Matrix:
        """Return it as a projection has it: sparse if it is a convolution, else as a matrix."""
        if self.convolution is None:
            return self.matrix()
        self._check_size()
        shape = self.n_source, self.size
        return from_places(self.gains, self.sources, self.targets, shape)

    def _check_size(self) -> None:
        if self.n_source * self.size > _MOST_WEIGHTS:
            how = "one to one" if self.passes_on else "over a sparse connection"
            raise SpikeletError(
                f"{self.n_source:,} values lead to {self.size:,} {how}, which takes a matrix of "
                f"{self.n_source * self.size:,} weights; at most {_MOST_WEIGHTS:,} (1 GiB) can be "
                "held",
                remedy="make the layer smaller: a larger stride, pooling, or a Linear or Affine "
                "node with fewer outputs",
            )

    def excitation(self) -> FloatArray:
        """Return what the positive weights add where all sources spike, shape (size,)."""
        found = np.zeros(self.size)
        np.add.at(found, self.targets, np.maximum(self.gains, 0))
        return found


def _scaled(convolution: Convolution | None, gain: FloatArray) -> Convolution | None:
    """Return a convolution with its values times ``gain``, None unless channels have one each."""
    if convolution is None:
        return None
    channels = gain.reshape(len(convolution.kernel), -1)
    if (channels != channels[:, :1]).any():
        return None
    return convolution.scaled(channels[:, 0])


Connection = Dense | Sparse


@dataclass(frozen=True, eq=False)
class Signal:
    """What passes along an edge in a tick.

    Parameters
    ----------
    parts : dict of (str, int) to Connection
        By source of spikes, a population or an Input node, and the ticks that they were delayed.
    bias : array of float64, shape (size,)
        Added in every tick.
    shape : tuple of int
        Of one sample in one tick; its product is the size. Values are in row-major order.
    spikes_of : str or None
        The source, if the signal is its spikes as they are; None where a node made something else
        of them.
    potentials_of : str or None
        The population of which the signal is the potentials, which only an Output can take; then
        it has no parts.
    """

    __repr__ = summary

    parts: dict[tuple[str, int], Connection]
    bias: FloatArray
    shape: tuple[int, ...]
    spikes_of: str | None = None
    potentials_of: str | None = None

    @classmethod
    def spikes(cls, source: str, shape: tuple[int, ...]) -> "Signal":
        """Return the spikes of a source as they are."""
        size = prod(shape)
        return cls({(source, 0): Sparse.one_to_one(size)}, np.zeros(size), shape, source)

    @classmethod
    def potentials(cls, population: str, shape: tuple[int, ...]) -> "Signal":
        """Return the potentials of a population, as they are."""
        return cls({}, np.zeros(prod(shape)), shape, potentials_of=population)

    @property
    def size(self) -> int:
        """Values of one sample in one tick."""
        return len(self.bias)

    def reshaped(self, shape: tuple[int, ...]) -> "Signal":
        """Return the same values in another shape of the same size."""
        return replace(self, shape=shape)

    def scaled(self, gain: FloatArray) -> "Signal":
        """Return the values times ``gain``, shape (size,) or (1,)."""
        parts = {source: part.scaled(gain) for source, part in self.parts.items()}
        return Signal(parts, self.bias * gain, self.shape)

    def plus(self, bias: FloatArray) -> "Signal":
        """Return the values plus ``bias``, shape (size,) or (1,)."""
        return Signal(self.parts, self.bias + bias, self.shape)

    def through(
        self, weight: "FloatArray | Sparse", shape: tuple[int, ...] | None = None
    ) -> "Signal":
        """Return what ``weight`` makes of the values.

        Parameters
        ----------
        weight : array of float64, shape (outputs, size), or Sparse
        shape : tuple of int or None
            Of the result; None: a vector.
        """
        parts = {source: part.through(weight) for source, part in self.parts.items()}
        if isinstance(weight, Sparse):
            bias = Dense(self.bias[None, :]).through(weight).weights[0]
        else:
            bias = weight @ self.bias
        return Signal(parts, bias, shape or (len(bias),))

    def delayed(self, ticks: npt.NDArray[np.int64]) -> "Signal":
        """Return the values of some ticks ago, 0 before the first; ticks of shape (size,) or (1,).

        SpikeletError where the values have a constant, which would begin late.
        """
        late = np.broadcast_to(ticks, (self.size,))
        if (self.bias[late > 0] != 0).any():
            raise SpikeletError(
                "a bias in front of a delay begins late, which no neuron's bias does",
                remedy="put the delay in front of the node with the bias",
            )
        if not late.any():
            return self
        parts: dict[tuple[str, int], Connection] = {}
        for value in np.unique(late).tolist():
            for (source, before), part in self.parts.items():
                chosen = part if (late == value).all() else part.scaled((late == value) * 1.0)
                parts[source, before + value] = chosen
        return Signal(parts, self.bias, self.shape)

    @classmethod
    def sum(cls, signals: list["Signal"]) -> "Signal":
        """Return the sum of signals of one size; of none, a signal of no values."""
        if len(signals) == 1:
            return signals[0]
        parts = {
            source: _added([s.parts[source] for s in signals if source in s.parts])
            for source in dict.fromkeys(source for s in signals for source in s.parts)
        }
        bias = np.sum([signal.bias for signal in signals], axis=0) if signals else np.zeros(0)
        shapes = {signal.shape for signal in signals}
        return cls(parts, bias, shapes.pop() if len(shapes) == 1 else (len(bias),))


def _added(parts: list[Connection]) -> Connection:
    if len(parts) == 1:
        return parts[0]
    sparse = [part for part in parts if isinstance(part, Sparse)]
    if len(sparse) == len(parts):
        return sparse[0].plus(sparse[1:])
    return Dense(np.sum([part.matrix() for part in parts], axis=0))
