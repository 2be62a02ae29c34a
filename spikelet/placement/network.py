"""What partitioning and placement know of a network: who is connected to whom, and how late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.description.synapses.convolution import ConvolutionShape

__all__ = ["Connection", "ConnectionRows", "PlacementNetwork"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from one source, a population or a group of input lines, to a population.

    Parameters
    ----------
    source, target : str
    weights : array or scipy.sparse array, shape (n_source, n_target)
        A synapse is where it is not 0.
    delay : int
        Ticks, 1..63; from the input 0..62: ticks after the coming one.
    plastic : bool
        Whether weights may change: then each is a synapse, also one of 0.
    """

    __repr__ = summary

    source: str
    target: str
    weights: npt.NDArray[np.generic] | sparse.sparray
    delay: int = 1
    plastic: bool = False

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"connection {self.source!r} -> {self.target!r}"


@dataclass(frozen=True, eq=False)
class ConnectionRows:
    """All connections into a population, one below the other; each row may become an axon.

    Parameters
    ----------
    synapses : sparse array of bool, shape (rows, neurons)
    source : array of int64, shape (rows,)
        Source neuron of each row, in the numbers of :meth:`PlacementNetwork.first_neuron`.
    delay : array of int64, shape (rows,)
    connections : tuple of (Connection, int)
        Each connection with its first row.
    """

    __repr__ = summary

    synapses: sparse.csr_array
    source: IntArray
    delay: IntArray
    connections: tuple[tuple[Connection, int], ...]


@dataclass(frozen=True, eq=False)
class PlacementNetwork:
    """Populations and their connections, loops included.

    Parameters
    ----------
    name : str
        For messages.
    populations : mapping of str to int
        Neurons of each.
    connections : tuple of Connection
        At most one of the same source, target and delay.
    inputs : mapping of str to int
        Input lines of the host in each group, :data:`INPUT` where there is one only.
    outputs : tuple of str
        Populations whose neurons send to the host too.
    rates : mapping of str to array of float
        Spikes a tick of each neuron of a population, or of each input line; 1 where it is missing.
    whole : mapping of str to str
        Populations that go to one core where that holds them, and why. Else they are cut in the
        order of their neurons, and each part has all axons.
    inhibiting : tuple of str
        Those of them whose parts tell each other, by an axon behind all others, that a neuron has
        fired.
    convolutions : mapping of str to ConvolutionShape
        Populations whose cores share the kernel of the one connection into them. Its rows and
        neurons are numbered with the channel first.

    Raises
    ------
    SpikeletError
        If names, shapes, delays or rates do not agree.
    """

    __repr__ = summary

    name: str
    populations: Mapping[str, int]
    connections: tuple[Connection, ...]
    inputs: Mapping[str, int] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    rates: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    inhibiting: tuple[str, ...] = ()
    convolutions: Mapping[str, ConvolutionShape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.populations:
            raise self._error("there is no population")
        for name, size in self.sizes.items():
            if name not in self.inputs and size < 1:
                raise self._error(f"population {name!r}: size must be 1 or more, not {size}")
        seen = set()
        for connection in self.connections:
            self._check(connection)
            key = (connection.source, connection.target, connection.delay)
            if key in seen:
                raise self._error(
                    f"{connection.title} with delay {connection.delay} is given twice"
                )
            seen.add(key)
        for name in self.outputs:
            if name not in self.populations:
                raise self._error(f"output {name!r} is not a population")
        for name, rates in self.rates.items():
            expected = (self.sizes.get(name, 0),)
            if rates.shape != expected or not (np.isfinite(rates) & (rates >= 0)).all():
                raise self._error(
                    f"rates of {name!r} must be 0 or more, of shape {expected}, not {rates.shape}"
                )

    def _error(self, message: str) -> SpikeletError:
        return SpikeletError(f"network {self.name!r}: {message}")

    def _check(self, connection: Connection) -> None:
        source, target = connection.source, connection.target
        for end in (source, target):
            if end not in self.sizes or (end == target and end in self.inputs):
                raise self._error(f"{connection.title}: there is no population {end!r}")
        expected = (self.sizes[source], self.sizes[target])
        if connection.weights.shape != expected:
            raise self._error(
                f"{connection.title}: weights must have shape {expected}, "
                f"not {connection.weights.shape}"
            )
        low, high = (0, 62) if source in self.inputs else (1, 63)
        if not low <= connection.delay <= high:
            raise self._error(
                f"{connection.title}: delay must be in {low}..{high} ticks, not {connection.delay}"
            )

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Lines of each input group, and neurons of each population, by name."""
        return {**self.inputs, **self.populations}

    @cached_property
    def first_neuron(self) -> dict[str, int]:
        """First number of each population when all are numbered through, input lines first."""
        ends = np.cumsum(list(self.sizes.values())).tolist()
        return {name: end - self.sizes[name] for name, end in zip(self.sizes, ends, strict=True)}

    @cached_property
    def rate(self) -> npt.NDArray[np.float64]:
        """Spikes a tick of each line and neuron, numbered through."""
        return np.concatenate([self.rates.get(n, np.ones(s)) for n, s in self.sizes.items()])

    def rows_into(self, population: str) -> ConnectionRows:
        """Return the connections into a population."""
        into = [c for c in self.connections if c.target == population]
        synapses = [
            sparse.csr_array(np.ones(c.weights.shape, np.bool_) if c.plastic else c.weights != 0)
            for c in into
        ]
        sizes = [self.sizes[c.source] for c in into]
        if not into:
            empty = np.zeros(0, np.int64)
            nothing = sparse.csr_array((0, self.sizes[population]), dtype=np.bool_)
            return ConnectionRows(nothing, empty, empty, ())
        source = [self.first_neuron[c.source] + np.arange(self.sizes[c.source]) for c in into]
        firsts = (np.cumsum(sizes) - sizes).tolist()
        return ConnectionRows(
            sparse.csr_array(sparse.vstack(synapses, format="csr")),
            np.concatenate(source),
            np.repeat([c.delay for c in into], sizes).astype(np.int64),
            tuple(zip(into, firsts, strict=True)),
        )
