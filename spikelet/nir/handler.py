"""What a node kind of NIR is to the import: the door for a new one.

A handler says which fields its nodes have, and what a node makes of the signal that arrives. It
raises :class:`SpikeletError` without naming file or node: the import puts them in front.
``docs/networks.md`` shows one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.update import can_spike
from spikelet.description.summary import summary
from spikelet.network.network import INPUT, FloatArray, Population, Projection
from spikelet.nir.reading import Reading
from spikelet.nir.signal import Signal

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
    n_inputs : int
    populations : list of Population
    projections : list of Projection
    outputs : list of str
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.neuron = reading.given or reading.model("LIF")
        self.dt = reading.dt
        self.notes: list[str] = []
        self.n_inputs = 0
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.outputs: list[str] = []

    def inputs(self, shape: tuple[int, ...]) -> Signal:
        """Return the spikes of the network's inputs, of this shape."""
        self.n_inputs = prod(shape)
        return Signal.spikes(INPUT, shape)

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
        for parameter, constant in ((values.bias, driven.bias), (BIAS, values.constant)):
            if constant.any():
                parameters[parameter] = parameters.get(parameter, 0) + constant
        population = Population(name, signal.size, model, parameters)
        into = [Projection(s, name, p.matrix(), p.convolution) for s, p in driven.parts.items()]
        for what, numbers in (
            *((f"weights from {p.source!r}", p.weights) for p in into),
            *population.parameters.items(),
        ):
            largest = float(np.abs(numbers).max(initial=0))
            if largest > _LARGEST_NUMBER:
                raise SpikeletError(
                    f"{what}, with the node's input gain, must be at most {_LARGEST_NUMBER:g}, "
                    f"found {largest:g}",
                    remedy="check the units of the node's fields and of the weights before it",
                )
        self.populations.append(population)
        self.projections += into
        made = Signal.spikes if can_spike(model) else Signal.potentials
        return made(name, signal.shape)


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
