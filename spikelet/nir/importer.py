"""From a NIR file to the float network: one walk through its graph, in topological order.

NIR describes neurons by differential equations; what a tick computes is settled by the handler of
each node kind (``nir/nodes/``). Here signals are led from node to node:

* Signals that meet in a node add.
* Row-major order is kept.
* What leads a neuron node's spikes back to it sees those of the tick before, none in the first, as
  in snnTorch's ``RLeaky``. A bias on the way acts in every tick.
"""

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.neurons.model import NeuronModel
from spikelet.network.network import Network
from spikelet.nir.checks import check_graph
from spikelet.nir.chosen_convention import reading_of
from spikelet.nir.file import read_graph
from spikelet.nir.graph import NirGraph
from spikelet.nir.handler import ImportedNode, NetworkParts, NodeHandler
from spikelet.nir.handlers import handlers_by_kind
from spikelet.nir.metadata import check_reset
from spikelet.nir.signal import Signal

__all__ = ["Walk", "load_network"]


def load_network(
    path: str | Path,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    *,
    framework: str | None = None,
    handlers: Iterable[NodeHandler] = (),
) -> Network:
    """Read a NIR file as a float network.

    Parameters
    ----------
    path : path
        HDF5 file written by ``nir.write``: a graph of the node kinds of ``docs/networks.md``,
        feed-forward but for layers that feed back to themselves. Signals that meet in a node add.
        Nested graphs are dissolved.
    neuron : NeuronModel, str, Path or None
        Model of the neurons: itself, its name, or its file. None takes the usual one of the
        framework, or that which the file's metadata say: ``reset_mechanism``, ``reset_delay``.
    dt : float or None
        Seconds per tick. None takes it from the file's metadata key ``dt``, or that of the
        framework's exporter; a network without a leak needs none.
    framework : str or None
        Whose convention the numbers are written by: "snntorch", "norse", "sinabs",
        "sinabs-unnormalised", "spikingjelly", "spyx", "rockpool", or "nir" for NIR's equations.
        None takes it from the metadata key ``simulator``, or from the name of the model.
    handlers : iterable of NodeHandler
        Of further node kinds, or in the place of those that are there.

    Warns
    -----
    SpikeletWarning
        If the time step of snnTorch's exporter is assumed, or units may be mixed up.

    Raises
    ------
    SpikeletError
        For a file that is missing, damaged, not NIR, or beyond what is supported; for an unknown
        framework, model or time step; for numbers, metadata and options that contradict each other.
    """
    by_kind = handlers_by_kind(handlers)
    spiking = tuple(kind for kind, handler in by_kind.items() if handler.spikes)
    graph = read_graph(Path(path), spiking)
    check_graph(graph, by_kind)
    reading = reading_of(graph, neuron, dt, framework)
    try:
        parts = NetworkParts(reading)
        check_reset(graph, reading.given or parts.neuron)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
            walk = Walk(graph, by_kind, parts)
            for name in graph.forward:
                walk.step(name)
            return walk.network()
    except SpikeletError as error:
        if error.args[0].startswith(str(path)):
            raise
        remedy = error.remedy or "correct the node of this name in the file"
        raise SpikeletError(f"{path}: {error.args[0]}", remedy=remedy) from error


class Walk:
    """One walk through a graph, node by node; ways back are walked at their neuron node.

    Parameters
    ----------
    graph : NirGraph
        Checked, and in order.
    handlers : mapping of str to NodeHandler
        By node kind.
    parts : NetworkParts
        To which the nodes add.

    Attributes
    ----------
    signals : dict of str to Signal
        What leaves each node that was walked.
    """

    def __init__(
        self, graph: NirGraph, handlers: Mapping[str, NodeHandler], parts: NetworkParts
    ) -> None:
        self.graph = graph
        self.handlers = handlers
        self.parts = parts
        self.signals: dict[str, Signal] = {}
        self.coming: dict[str, list[str]] = {}
        parts.late = frozenset(graph.late)
        self._warn_of_repeats()

    def step(self, name: str) -> None:
        """Lead what arrives at a node through it; SpikeletError, naming the node, if it cannot."""
        incoming = self._incoming(name)
        if name in self.graph.ways_back:
            if (name, name) in self.graph.edges:
                self._warn(
                    name,
                    "there is an edge from the node to itself: its spikes come back to it a tick "
                    "later, with a weight of 1; some exporters leave such an edge by mistake: then "
                    "remove it",
                )
            self.signals[name] = Signal.spikes(name, incoming.shape)
            for back in self.graph.ways_back[name]:
                self.signals[back] = self._applied(back, self._incoming(back))
            incoming = self._incoming(name)
        self.signals[name] = self._applied(name, incoming)

    def network(self) -> Network:
        """Return the float network that the nodes have made, all of which were walked."""
        self._feed_loops()
        self.parts.note_lines()
        return Network(
            self.graph.path.stem,
            self.parts.n_inputs,
            self.parts.dt,
            tuple(self.parts.populations),
            tuple(self.parts.projections),
            tuple(self.parts.outputs),
            self.parts.reading.origin(self.graph, tuple(self.parts.notes)),
        )

    def _feed_loops(self) -> None:
        """Add what arrives at neuron nodes from nodes that are walked behind them."""
        for name, before in self.coming.items():
            try:
                self.parts.feed(name, self._sum(name, before))
            except SpikeletError as error:
                if error.args[0].startswith(str(self.graph.path)):
                    raise
                raise self.graph.error(name, error.args[0], remedy=error.remedy) from error

    def _incoming(self, name: str) -> Signal:
        """Return the sum of what arrives at a node over nodes that were walked already."""
        before = [node for node in self.graph.predecessors(name) if node in self.signals]
        self.coming.pop(name, None)
        if coming := [n for n in self.graph.predecessors(name) if n not in self.signals]:
            self.coming[name] = coming
        return self._sum(name, before)

    def _sum(self, name: str, before: list[str]) -> Signal:
        """Return the sum of what some nodes give to a node."""
        sizes = {node: self.signals[node].size for node in before}
        if len(set(sizes.values())) > 1:
            found = " and ".join(f"{size} from {node!r}" for node, size in sizes.items())
            raise self.graph.error(
                name,
                f"signals of different sizes meet: {found}",
                remedy="signals that meet in a node are added and must be of one size",
            )
        signals = [
            signal if times == 1 else signal.scaled(np.array([float(times)]))
            for signal, times in ((self.signals[n], self.graph.times(n, name)) for n in before)
        ]
        read = [p for node in before if (p := self.signals[node].potentials_of)]
        takes = self.handlers[self.graph.nodes[name].kind].takes_potentials
        alone = sum(self.graph.times(node, name) for node in before) == 1
        if read and not (alone and takes):
            raise self.graph.error(
                name,
                f"the potentials of {read[0]!r} arrive, which never spikes: a core sends spikes "
                "only, so that its potentials can be read, but not be passed on",
                remedy="let them lead to an Output alone, or spike, as those of a LIF or IF node; "
                "an LI in front of weights and neurons is a synaptic current: write both as a "
                "CubaLIF of its tau_syn, where all that arrives there passes an LI of this tau",
            )
        return Signal.sum(signals)

    def _warn_of_repeats(self) -> None:
        """Warn of edges that the file gives more than once."""
        for before, after in self.graph.repeated:
            warnings.warn(
                f"{self.graph.path}: edge {before!r} -> {after!r} is given more than once, and "
                "what passes along it is added as often; nir does not read such a file: if an "
                "exporter left it by mistake, remove one",
                SpikeletWarning,
                stacklevel=2,
            )

    def _warn(self, name: str, message: str) -> None:
        text = f"{self.graph.path}: {self.graph.place(name)}: {message}"
        warnings.warn(text, SpikeletWarning, stacklevel=2)

    def _applied(self, name: str, incoming: Signal) -> Signal:
        """Return what leaves a node; errors and warnings name it."""
        graph, node = self.graph, self.graph.nodes[name]
        sources = tuple(f"{a!r} ({graph.nodes[a].kind})" for a in graph.predecessors(name))
        warn = partial(self._warn, name)
        shape, back = incoming.shape, name in graph.recurrent
        seen = ImportedNode(name, node.kind, node.fields, sources, shape, self.parts, warn, back)
        try:
            return self.handlers[node.kind].apply(seen, incoming)
        except SpikeletError as error:
            remedy = error.remedy or "correct this node in the file"
            raise graph.error(name, error.args[0], remedy=remedy) from error
