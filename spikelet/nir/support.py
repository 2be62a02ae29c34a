"""What of a NIR file can be meant, node by node, without ending at the first that cannot."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.summary import summary
from spikelet.network.network import Network
from spikelet.nir.checks import check_edges, check_graph, check_node
from spikelet.nir.chosen_convention import fitting, reading_of
from spikelet.nir.file import read_graph
from spikelet.nir.graph import NirGraph
from spikelet.nir.handler import NetworkParts, NodeHandler
from spikelet.nir.handlers import handlers_by_kind
from spikelet.nir.importer import Walk
from spikelet.nir.metadata import check_reset
from spikelet.nir.neurons import NeuronHandler
from spikelet.nir.reading import Reading

__all__ = ["FileSupport", "NodeSupport", "support_of"]


@dataclass(frozen=True)
class NodeSupport:
    """What became of a node.

    Parameters
    ----------
    name, kind : str
    shape : tuple of int or None
        Of what leaves it; None where that is not known.
    reached : bool
        Whether it was read: what comes behind a node that is not supported cannot be judged.
    problem, remedy : str
        Why it is not supported, and what would do; empty if it is.
    """

    name: str
    kind: str
    shape: tuple[int, ...] | None = None
    reached: bool = True
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class FileSupport:
    """What became of a file.

    Parameters
    ----------
    nodes : tuple of NodeSupport
        In the order of the signals, as far as there is one.
    feeds : dict of str to tuple of str
        Of each node, the populations that its values reach, over no other; of a population itself.
    problems : tuple of (str, str)
        Of the file as a whole, each with its remedy.
    doubts : tuple of str
        Warnings of the import.
    network : Network or None
        None unless the whole file is supported.
    """

    __repr__ = summary

    nodes: tuple[NodeSupport, ...]
    feeds: dict[str, tuple[str, ...]]
    problems: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()
    network: Network | None = None


def support_of(
    path: str | Path,
    neuron: NeuronModel | str | Path | None = None,
    dt: float | None = None,
    *,
    framework: str | None = None,
    handlers: Iterable[NodeHandler] = (),
) -> FileSupport:
    """Return what of a NIR file is supported; arguments as for :func:`load_network`.

    Raises
    ------
    SpikeletError
        If the file cannot be read as a NIR graph, or an option has no such value.
    """
    by_kind = {**handlers_by_kind(handlers)}
    spiking = tuple(kind for kind, handler in by_kind.items() if handler.spikes)
    graph = read_graph(Path(path), spiking)
    neurons = {
        n for n in graph.nodes if isinstance(by_kind.get(graph.nodes[n].kind), NeuronHandler)
    }
    found = {name: NodeSupport(name, node.kind) for name, node in graph.nodes.items()}
    problems: list[SpikeletError] = []
    network = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SpikeletWarning)
        try:
            check_edges(graph)
            for name in graph.nodes:
                try:
                    check_node(graph, name, by_kind)
                except SpikeletError as error:
                    found[name] = _unsupported(graph, name, error)
            if not any(node.problem for node in found.values()):
                check_graph(graph, by_kind)
                reading = _reading(graph, neuron, dt, framework, problems)
                parts = NetworkParts(reading)
                check_reset(graph, reading.given or parts.neuron)
                network = _walked(Walk(graph, by_kind, parts), found)
        except SpikeletError as error:
            problems.append(error)
    if network is None:
        found = {n: s if s.problem or s.shape else _unreached(s) for n, s in found.items()}
    if network is not None:
        neurons.update(population.name for population in network.populations)
    return FileSupport(
        tuple(found[name] for name in graph.nodes),
        {name: _feeds(graph, name, neurons) for name in graph.nodes},
        tuple((_words(graph, error), error.remedy) for error in problems),
        tuple(str(w.message).removeprefix(f"{graph.path}: ") for w in caught),
        network,
    )


def _reading(
    graph: NirGraph,
    neuron: NeuronModel | str | Path | None,
    dt: float | None,
    framework: str | None,
    problems: list[SpikeletError],
) -> Reading:
    """Return how the file is read; where nobody says it, as the first framework that fits."""
    try:
        return reading_of(graph, neuron, dt, framework)
    except SpikeletError as error:
        fits = fitting(graph, dt) if neuron is None and framework is None else []
        if not fits:
            raise
        problems.append(error)
        return replace(reading_of(graph, None, dt, fits[0]), stated="its numbers fit")


def _walked(walk: Walk, found: dict[str, NodeSupport]) -> Network | None:
    """Return the network of a walk that goes on at other nodes where one is not supported."""
    graph = walk.graph
    for name in graph.forward:
        if any(found[n].problem or not found[n].reached for n in graph.predecessors(name)):
            found[name] = _unreached(found[name])
            continue
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                walk.step(name)
        except SpikeletError as error:
            at = next((back for back in graph.ways_back.get(name, []) if _names(error, back)), name)
            found[at] = _unsupported(graph, at, error)
            if at != name:
                found[name] = _unreached(found[name])
    for name, signal in walk.signals.items():
        if not found[name].problem:
            found[name] = NodeSupport(name, found[name].kind, signal.shape, found[name].reached)
    if any(node.problem for node in found.values()):
        return None
    return walk.network()


def _unreached(node: NodeSupport) -> NodeSupport:
    return NodeSupport(node.name, node.kind, reached=False)


def _unsupported(graph: NirGraph, name: str, error: SpikeletError) -> NodeSupport:
    text = _words(graph, error).removeprefix(f"{graph.place(name)}: ")
    return NodeSupport(name, graph.nodes[name].kind, problem=text, remedy=error.remedy)


def _words(graph: NirGraph, error: SpikeletError) -> str:
    return str(error.args[0]).removeprefix(f"{graph.path}: ")


def _names(error: SpikeletError, node: str) -> bool:
    return f"node {node!r} (" in str(error.args[0])


def _feeds(graph: NirGraph, name: str, neurons: set[str]) -> tuple[str, ...]:
    """Return a neuron node itself, or the neuron nodes that a node leads to over no other."""
    if name in neurons:
        return (name,)
    found: list[str] = []
    seen, rest = {name}, [name]
    while rest:
        for after in graph.successors(rest.pop()):
            if after in neurons:
                found.append(after)
            elif after not in seen:
                seen.add(after)
                rest.append(after)
    return tuple(dict.fromkeys(found))
