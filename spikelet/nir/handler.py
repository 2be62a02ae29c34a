"""What a node kind of NIR is to the import: the door for a new one.

A handler says which fields its nodes have, and what a node makes of the signal that arrives. It
raises :class:`SpikeletError` without naming file or node: the import puts them in front.
``docs/networks.md`` shows one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import can_spike
from spikelet.description.summary import summary
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import Matrix, dense, stored
from spikelet.network.network import INPUT, FloatArray, Population, Projection
from spikelet.nir.reading import Reading
from spikelet.nir.signal import Connection, Signal

__all__ = [
    "BIAS",
    "Field",
    "ImportedNode",
    "NetworkParts",
    "NeuronValues",
    "NodeHandler",
    "check_size",
    "declared_shape",
]

BIAS = "bias"
"""The parameter of a model that adds a constant in every tick."""

_MOST_VALUES = 1 << 24
"""Of an Input or Output."""

_LARGEST_NUMBER = 1e100
"""Of a weight or parameter, so that squares and sums of it are still numbers."""


@dataclass(frozen=True)
class Field:
    """A field of a node kind.

    Parameters
    ----------
    name : str
    axes : tuple of str
        Names of its axes, as many as it must have. Empty: any shape; how many values it must hold
        is asked where they are used.
    required : bool
    numbers : bool
        Whether it must hold finite real numbers.
    remedy : str
        What to do about values that are not finite.
    infinite : bool
        Whether infinities may stand there; who reads them says what they mean.
    """

    name: str
    axes: tuple[str, ...] = ()
    required: bool = True
    numbers: bool = True
    remedy: str = "check the training for divergence and export again"
    infinite: bool = False

    def check(self, values: npt.NDArray[Any]) -> None:
        """SpikeletError unless the values are such as it may hold."""
        if not self.numbers:
            return
        if values.dtype.kind not in "fiub":
            raise SpikeletError(
                f"{self.name} holds {values.dtype}, not real numbers",
                remedy="store it as an array of float32 or float64",
            )
        self.check_finite(values, nan_only=self.infinite)
        if self.axes and values.ndim != len(self.axes):
            what = "a matrix" if len(self.axes) == 2 else f"an array of {len(self.axes)} axes"
            raise SpikeletError(
                f"{self.name} must be {what} ({', '.join(self.axes)}), not of shape {values.shape}",
                remedy="parameters have no batch axis: store those of one sample",
            )

    def check_finite(self, values: npt.NDArray[Any], *, nan_only: bool = False) -> None:
        """SpikeletError if a value is not a number, or, unless ``nan_only``, infinite."""
        wrong = np.isnan(values) if nan_only else ~np.isfinite(values)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise SpikeletError(
                f"{self.name} must be finite, found {values[place]} at {list(place)} "
                f"({int(wrong.sum())} of {values.size} values)",
                remedy=self.remedy,
            )


@dataclass(frozen=True, eq=False)
class NeuronValues:
    """What a neuron node says, in real numbers; each of shape (1,) or (size,).

    Parameters
    ----------
    parameters : dict of str to array of float64
        Of the neurons, by the names that their model has for them, as those of
        :class:`Population`.
    gain : array of float64
        Factor of the node's input.
    constant : array of float64
        Added in every tick, besides the input.
    neuron : NeuronModel or None
        Model of the neurons; None: that of the network.
    bias : str
        The parameter that a constant among the inputs becomes.
    """

    __repr__ = summary

    parameters: dict[str, FloatArray]
    gain: FloatArray
    constant: FloatArray
    neuron: NeuronModel | None = None
    bias: str = BIAS


class NetworkParts:
    """The float network, as far as the nodes walked so far have made it.

    Parameters
    ----------
    reading : Reading
        What the file's numbers mean.

    Attributes
    ----------
    neuron : NeuronModel
        Of nodes that do not bring their own.
    dt : float or None
        Seconds per tick.
    notes : list of str
        What is worth saying of single nodes.
    lines : dict of str to slice
        The input lines of each Input node.
    populations : list of Population
    projections : list of Projection
    outputs : list of str
    late : set of (str, str)
        Source and target of what goes round a loop: it takes a tick.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.neuron = reading.given or reading.model("LIF")
        self.dt = reading.dt
        self.notes: list[str] = []
        self.lines: dict[str, slice] = {}
        self.late: frozenset[tuple[str, str]] = frozenset()
        self._values: dict[str, NeuronValues] = {}
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.outputs: list[str] = []

    @property
    def n_inputs(self) -> int:
        """Input lines of all Input nodes."""
        return max((lines.stop for lines in self.lines.values()), default=0)

    def inputs(self, name: str, shape: tuple[int, ...]) -> Signal:
        """Add the lines of an Input behind those that there are; return their spikes."""
        first = self.n_inputs
        self.lines[name] = slice(first, first + prod(shape))
        return Signal.spikes(name, shape)

    def note_lines(self) -> None:
        """Note which input lines are whose, where there are several Input nodes."""
        if len(self.lines) > 1:
            of_each = (f"{n!r} {lines.start}..{lines.stop - 1}" for n, lines in self.lines.items())
            self.notes.append(f"input lines: {', '.join(of_each)}")

    def neurons(self, name: str, values: NeuronValues, signal: Signal) -> Signal:
        """Add a population with what drives it; return its spikes, or potentials if it has none.

        SpikeletError for the name that is the network's input lines', and for numbers so large that
        their squares are none.
        """
        if name == INPUT:  # else its spikes could not be told from theirs
            raise SpikeletError(
                f"a population is called {INPUT!r}, which is the name of the network's input lines",
                remedy=f"rename it, for example to '{INPUT}_neurons'",
            )
        driven = signal.scaled(values.gain)
        model = values.neuron or self.neuron
        parameters = dict(values.parameters)
        if values.constant.any():
            parameters[BIAS] = parameters.get(BIAS, 0) + values.constant
        if driven.bias.any():
            parameters[values.bias] = parameters.get(values.bias, 0) + driven.bias
        population = Population(name, signal.size, model, parameters)
        into = self._projections(name, driven)
        _check_numbers(
            [
                *((f"weights from {p.source!r}", stored(p.weights)) for p in into),
                *population.parameters.items(),
            ]
        )
        self.populations.append(population)
        self.projections += into
        self._values[name] = values
        made = Signal.spikes if can_spike(model) else Signal.potentials
        return made(name, signal.shape)

    def feed(self, name: str, signal: Signal) -> None:
        """Add what comes back to a population over a loop; SpikeletError for another size."""
        number = [population.name for population in self.populations].index(name)
        population, values = self.populations[number], self._values[name]
        check_size("the layer", population.size, signal)
        driven = signal.scaled(values.gain)
        if driven.bias.any():
            bias = population.parameters.get(values.bias, 0) + driven.bias
            parameters = {**population.parameters, values.bias: bias}
            self.populations[number] = replace(population, parameters=parameters)
        for projection in self._projections(name, driven):
            self._add(projection)

    def _add(self, projection: Projection) -> None:
        """Add a projection, to one of the same ends and delay if there is one."""
        ends = [(p.source, p.target, p.ticks) for p in self.projections]
        if (key := (projection.source, projection.target, projection.ticks)) in ends:
            other = self.projections.pop(ends.index(key))
            weights = dense(projection.weights) + dense(other.weights)
            projection = replace(projection, weights=weights, convolution=None)
        self.projections.append(projection)

    def _projections(self, name: str, driven: Signal) -> list[Projection]:
        """Return the projections that a signal is, those of all input lines as one."""
        found, inputs = [], dict[int, list[tuple[str, Connection]]]()
        for (source, ticks), part in driven.parts.items():
            if source in self.lines:
                inputs.setdefault(ticks, []).append((source, part))
                continue
            late = ticks + (source == name or (source, name) in self.late)
            delay = None if late == (source == name) else late
            found.append(Projection(source, name, part.stored(), part.convolution, delay))
        first = [
            Projection(INPUT, name, *self._of_lines(parts), ticks or None)
            for ticks, parts in inputs.items()
        ]
        return first + found

    def _of_lines(self, parts: list[tuple[str, Connection]]) -> tuple[Matrix, Convolution | None]:
        """Return the weights of all input lines, and the convolution that they are."""
        if len(self.lines) == 1:
            return parts[0][1].stored(), parts[0][1].convolution
        weights = np.zeros((self.n_inputs, parts[0][1].size))
        for source, part in parts:
            weights[self.lines[source]] = part.matrix()
        return weights, None


@dataclass(frozen=True, eq=False)
class ImportedNode:
    """A node as its handler sees it.

    Parameters
    ----------
    name, kind : str
    fields : dict of str to array
        As stored, in their own number formats; those of the handler are checked.
    sources : tuple of str
        The nodes with an edge to it, for messages: "'fc1' (Linear)".
    shape : tuple of int
        Of the signal that arrives.
    network : NetworkParts
        To which inputs, neurons and outputs are added; has neuron model and time step.
    warn : callable
        Gives a SpikeletWarning with this text, naming file and node.
    recurrent : bool
        Whether its spikes come back to it.
    """

    __repr__ = summary

    name: str
    kind: str
    fields: dict[str, npt.NDArray[Any]]
    sources: tuple[str, ...]
    shape: tuple[int, ...]
    network: NetworkParts
    warn: Callable[[str], None]
    recurrent: bool = False

    def parameter(self, field: str, size: int) -> FloatArray:
        """Return a field as shape (size,) or, where it is one value for all, (1,).

        Of a signal of ``size`` values it may also have one for each channel, (channels, 1, ...).
        """
        values = self.fields[field].astype(np.float64)
        channels = (*self.shape[:1], *(1,) * (len(self.shape) - 1))
        if values.shape == channels and size == prod(self.shape):
            values = np.broadcast_to(values, self.shape)
        if values.size not in (1, size):
            raise SpikeletError(
                f"{field} has {values.size} values but the layer has {size}",
                remedy=f"give {field} one value, or one for each of the {size}",
            )
        return values.ravel()


class NodeHandler(ABC):
    """How nodes of one kind are read.

    Attributes
    ----------
    kind : str
        The node's type in the file.
    fields : tuple of Field
        Those that are read; all others are left alone.
    spikes : bool
        Whether a node of this kind is neurons: only its spikes may come back to it.
    takes_potentials : bool
        Whether potentials may arrive at it, which no core sends to another.
    """

    kind: ClassVar[str]
    fields: ClassVar[Sequence[Field]] = ()
    spikes: ClassVar[bool] = False
    takes_potentials: ClassVar[bool] = False

    @abstractmethod
    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Return what leaves a node.

        Parameters
        ----------
        node : ImportedNode
        signal : Signal
            The sum of what arrives; a signal of no values where nothing does.

        Raises
        ------
        SpikeletError
            If the signal's size or a field's value does not fit.
        """

    def check(self, fields: dict[str, npt.NDArray[Any]]) -> None:
        """SpikeletError unless a node's fields are all there and hold what they may."""
        for field in self.fields:
            if field.required and field.name not in fields:
                needed = ", ".join(field.name for field in self.fields if field.required)
                raise SpikeletError(
                    f"field {field.name} is missing",
                    remedy=f"{self.kind} nodes have the fields {needed}",
                )
        for field in self.fields:
            if field.name in fields:
                field.check(fields[field.name])


def _check_numbers(named: Iterable[tuple[str, FloatArray]]) -> None:
    for what, numbers in named:
        largest = float(np.abs(numbers).max(initial=0))
        if largest > _LARGEST_NUMBER:
            raise SpikeletError(
                f"{what}, with the node's input gain, must be at most {_LARGEST_NUMBER:g}, "
                f"found {largest:g}",
                remedy="check the units of the node's fields and of the weights before it",
            )


def check_size(what: str, size: int, signal: Signal) -> None:
    """SpikeletError unless ``what``, which is for ``size`` values, gets as many."""
    if size != signal.size:
        raise SpikeletError(
            f"{what} is for {size} values but {signal.size} arrive",
            remedy="check the layer sizes; they must chain from the Input to the Output",
        )


def declared_shape(node: ImportedNode) -> tuple[int, ...]:
    """Return the shape that an Input or Output declares; SpikeletError if it is none."""
    shape = node.fields["shape"].ravel()
    whole = [int(n) for n in shape]
    if any(n < 1 for n in whole) or whole != shape.tolist() or prod(whole) > _MOST_VALUES:
        raise SpikeletError(
            f"shape must be of whole numbers from 1, with a product of at most "
            f"{_MOST_VALUES:,}, not {shape.tolist()[:8]}",
            remedy="write the shape of one sample in one tick, without batch and time",
        )
    return tuple(whole)
