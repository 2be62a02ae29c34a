"""What a NIR graph must be, before anything is made of it."""

from collections.abc import Callable, Iterable, Mapping

from spikelet.description.errors import SpikeletError
from spikelet.nir.graph import INPUT_KIND, OUTPUT_KIND, NirGraph
from spikelet.nir.handler import NodeHandler
from spikelet.nir.neurons import NeuronHandler
from spikelet.nir.specification import check_fields

__all__ = ["check_edges", "check_graph", "check_node"]


def check_graph(graph: NirGraph, handlers: Mapping[str, NodeHandler]) -> None:
    """Check a graph and bring it into order.

    Then its nodes are in topological order, but for those that lead a neuron node's spikes back to
    it, each is on a way from an Input to an Output, and their fields hold what they may.

    Parameters
    ----------
    graph : NirGraph
    handlers : mapping of str to NodeHandler
        By node kind.

    Raises
    ------
    SpikeletError
        For nodes of other kinds, fields that are missing or not finite, and feedback other than of
        a neuron node to itself.
    """
    check_edges(graph)
    for name in graph.nodes:
        check_node(graph, name, handlers)
    graph.sort()
    _check_ends(graph, handlers)


def check_node(graph: NirGraph, name: str, handlers: Mapping[str, NodeHandler]) -> None:
    """SpikeletError unless a node is of one of these kinds, and its fields hold what they may."""
    node = graph.nodes[name]
    if node.kind not in handlers:
        raise graph.error(
            name,
            f"node type {node.kind} is not supported",
            remedy=f"supported node types are {', '.join(handlers)}",
        )
    try:
        handlers[node.kind].check(node.fields)
        check_fields(node.kind, tuple(node.fields), _read(handlers[node.kind]))
    except SpikeletError as error:
        raise graph.error(name, error.args[0], remedy=error.remedy) from error


def _read(handler: NodeHandler) -> tuple[str, ...]:
    return tuple(field.name for field in handler.fields)


def check_edges(graph: NirGraph) -> None:
    """SpikeletError unless each edge joins nodes that it can join."""
    for edge in graph.edges:
        for name in edge:
            if name not in graph.nodes:
                raise SpikeletError(
                    f"{graph.path}: edge {edge[0]!r} -> {edge[1]!r}: there is no node {name!r}",
                    remedy=f"the nodes are {', '.join(graph.nodes) or 'none'}",
                )
        kinds = [graph.nodes[name].kind for name in edge]
        if kinds[0] == OUTPUT_KIND or kinds[1] == INPUT_KIND:
            raise SpikeletError(
                f"{graph.path}: edge {edge[0]!r} -> {edge[1]!r}: an edge cannot leave an Output "
                "nor end at an Input",
                remedy="connect the nodes before or behind it",
            )


def _check_ends(graph: NirGraph, handlers: Mapping[str, NodeHandler]) -> None:
    inputs = [name for name, node in graph.nodes.items() if node.kind == INPUT_KIND]
    outputs = [name for name, node in graph.nodes.items() if node.kind == OUTPUT_KIND]
    if not inputs or not outputs:
        raise SpikeletError(
            f"{graph.path}: a network must have at least one Input and one Output, found "
            f"{len(inputs)} and {len(outputs)}",
            remedy="build the graph with nir.NIRGraph.from_list or add the nodes and their edges",
        )
    kinds = [kind for kind, handler in handlers.items() if isinstance(handler, NeuronHandler)]
    if not any(node.kind in kinds for node in graph.nodes.values()):
        raise SpikeletError(
            f"{graph.path}: there is no neuron in the network",
            remedy=f"add a {' or '.join(kinds)} node after the weights",
        )
    fed, used = _reached(inputs, graph.successors), _reached(outputs, graph.predecessors)
    for name in inputs:
        if name not in used:
            raise graph.error(
                name, "the input does not reach an Output", remedy="add the missing edge"
            )
    _check_on_a_way(graph, ((fed, "gets no input"), (used, "does not lead to an Output")))


def _reached(ends: list[str], step: Callable[[str], list[str]]) -> set[str]:
    """Return the nodes that are reached from some, these included."""
    found, rest = set(ends), list(ends)
    while rest:
        new = [name for name in step(rest.pop()) if name not in found]
        found.update(new)
        rest += new
    return found


def _check_on_a_way(graph: NirGraph, ways: Iterable[tuple[set[str], str]]) -> None:
    for reached, what in ways:
        for name in graph.forward:
            if name not in reached:
                raise graph.error(
                    name, f"the node {what}", remedy="remove the node or add the missing edge"
                )
