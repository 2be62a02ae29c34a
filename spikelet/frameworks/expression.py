"""What a module computes between its neurons, as expressions of spikes.

A forward pass is run once; what is seen of it becomes a graph of nodes. A node of which one axis is
time stands for all ticks; :func:`at` says what it is in one of them, so that a loop over ticks and
layers that take whole sequences look the same.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import prod

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.nir.signal import Signal

__all__ = [
    "INPUT_LINES",
    "Applied",
    "Constant",
    "Node",
    "OverTime",
    "Refused",
    "Source",
    "Steps",
    "Way",
    "all_parts",
    "at",
    "refusal",
    "sources_of",
]

INPUT_LINES = ""
"""The name under which the network's input is a source; no module is called so."""

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Source:
    """Spikes, or what else a neuron module returned.

    Parameters
    ----------
    module : str
        Name of the neuron module, or :data:`INPUT_LINES`.
    what : str
        ``"spikes"``, or the name of a state.
    tick : int or None
        None: in each tick.
    """

    __repr__ = summary

    module: str
    what: str
    tick: int | None
    shape: Shape

    @property
    def parts(self) -> "tuple[Node, ...]":
        """Nothing."""
        return ()


@dataclass(frozen=True, eq=False)
class Constant:
    """The same in all samples and ticks.

    Parameters
    ----------
    values : array of float64
        Of one sample.
    """

    __repr__ = summary

    values: np.ndarray

    @property
    def shape(self) -> Shape:
        """Of one sample."""
        return tuple(self.values.shape)

    @property
    def parts(self) -> "tuple[Node, ...]":
        """Nothing."""
        return ()


@dataclass(frozen=True, eq=False)
class Applied:
    """A linear operation.

    Parameters
    ----------
    key : hashable
        Two operations of one key do the same.
    apply : callable
        Returns the signal that it makes of those of ``parts``.
    parts : tuple of Node
    shape : tuple of int
    weighs : bool
        Whether it does more than arrange values, add them, or scale all alike.
    """

    __repr__ = summary

    key: Hashable
    apply: Callable[..., Signal]
    parts: "tuple[Node, ...]"
    shape: Shape
    weighs: bool = False


@dataclass(frozen=True, eq=False)
class Steps:
    """Values of single ticks, put together along time.

    Parameters
    ----------
    steps : tuple of Node
        One for each tick.
    """

    __repr__ = summary

    steps: "tuple[Node, ...]"

    @property
    def shape(self) -> Shape:
        """Of one sample in one tick."""
        return self.steps[0].shape

    @property
    def parts(self) -> "tuple[Node, ...]":
        """The values of all ticks."""
        return self.steps


@dataclass(frozen=True, eq=False)
class OverTime:
    """The sum or mean of all ticks: something to look at, nothing to feed neurons with."""

    __repr__ = summary

    of: "Node"
    shape: Shape

    @property
    def parts(self) -> "tuple[Node, ...]":
        """What is summed."""
        return (self.of,)


@dataclass(frozen=True, eq=False)
class Refused:
    """What no chip can mean; an error only if neurons or the module's result depend on it.

    Parameters
    ----------
    reason, remedy : str
    parts : tuple of Node
    """

    __repr__ = summary

    reason: str
    remedy: str
    parts: "tuple[Node, ...]"

    @property
    def shape(self) -> Shape:
        """None."""
        return ()


Node = Source | Constant | Applied | Steps | OverTime | Refused
"""A value of one sample in one tick, or in each of all ticks."""


def at(node: Node, tick: int, known: dict[tuple[int, int], Node] | None = None) -> Node:
    """Return what a node is in a tick.

    Parameters
    ----------
    node : Node
        Of each tick; what is of a single tick already stays as it is.
    tick : int
    known : dict
        Of nodes that were asked for before.
    """
    known = {} if known is None else known
    place = (id(node), tick)
    if place not in known:
        known[place] = _at(node, tick, known)
    return known[place]


def _at(node: Node, tick: int, known: dict[tuple[int, int], Node]) -> Node:
    if isinstance(node, Steps):
        return node.steps[tick]
    if isinstance(node, Source) and node.tick is None:
        return Source(node.module, node.what, tick, node.shape)
    if isinstance(node, Applied):
        parts = tuple(at(part, tick, known) for part in node.parts)
        if any(new is not old for new, old in zip(parts, node.parts, strict=True)):
            return Applied(node.key, node.apply, parts, node.shape, node.weighs)
    return node


def refusal(node: Node) -> Refused | None:
    """Return the first part of a node that was refused, if there is one."""
    return next((part for part in all_parts(node) if isinstance(part, Refused)), None)


def sources_of(node: Node) -> list[Source]:
    """Return the sources that a node depends on."""
    return [part for part in all_parts(node) if isinstance(part, Source)]


def all_parts(node: Node) -> list[Node]:
    """Return a node and all that it is computed from, each once, in the order of their use."""
    found: dict[int, Node] = {}
    rest = [node]
    while rest:
        part = rest.pop()
        if id(part) not in found:
            found[id(part)] = part
            rest.extend(reversed(part.parts))
    return list(found.values())


@dataclass(frozen=True, eq=False)
class Way:
    """What leads to a neuron module in one tick.

    Parameters
    ----------
    node : Node
    tick : int
    """

    __repr__ = summary

    node: Node
    tick: int

    def key(self) -> Hashable:
        """Return what is the same for ways that do the same, each in its tick."""
        return self._key(self.node, {})

    def _key(self, node: Node, known: dict[int, Hashable]) -> Hashable:
        if id(node) not in known:
            known[id(node)] = self._found_key(node, known)
        return known[id(node)]

    def _found_key(self, node: Node, known: dict[int, Hashable]) -> Hashable:
        if isinstance(node, Source):
            return (node.module, node.what, self.ticks_before(node))
        if isinstance(node, Constant):
            return node.values.tobytes()
        assert isinstance(node, Applied)
        return (node.key, *(self._key(part, known) for part in node.parts))

    def ticks_before(self, source: Source) -> int:
        """Return how many ticks ago a source's value is from."""
        assert source.tick is not None
        return self.tick - source.tick

    def signal(self) -> Signal:
        """Return it as a linear function; sources have the names of modules.

        SpikeletError for values that are no spikes, or not of this or the last tick.
        """
        return self._signal(self.node, {})

    def _signal(self, node: Node, known: dict[int, Signal]) -> Signal:
        if id(node) not in known:
            known[id(node)] = self._found_signal(node, known)
        return known[id(node)]

    def _found_signal(self, node: Node, known: dict[int, Signal]) -> Signal:
        if isinstance(node, Source):
            self._check(node)
            spikes = Signal.spikes(node.module, node.shape)
            return spikes.delayed(np.array([self.ticks_before(node)]))
        if isinstance(node, Constant):
            size = prod(node.shape)
            silent = Signal({}, np.zeros(size), node.shape)
            return silent.plus(node.values.ravel())
        if not isinstance(node, Applied):
            raise SpikeletError(
                "values that are summed over ticks, or of several ticks, arrive",
                remedy="feed neurons with what is there in their tick; sum over ticks at the end",
            )
        return node.apply(*(self._signal(part, known) for part in node.parts))

    def _check(self, source: Source) -> None:
        before = self.ticks_before(source)
        whose = f"{source.module!r}" if source.module else "the input"
        if source.what != "spikes":
            raise SpikeletError(
                f"the {source.what} of {whose} is used as an input: only spikes pass between "
                "neurons on a chip",
                remedy="feed the spikes forward, and return states only to look at them",
            )
        if before not in (0, 1) or (before and not source.module):
            raise SpikeletError(
                f"values of {whose} are used {before} ticks later",
                remedy="use spikes of the same tick, or of the tick before",
            )
