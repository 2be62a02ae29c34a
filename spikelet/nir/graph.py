"""The graph of a NIR file: nested graphs dissolved, ways of spikes back to their layer found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.summary import summary
from spikelet.network.order import late_pairs, topological_order

__all__ = ["INPUT_KIND", "OUTPUT_KIND", "NirGraph", "NirNode"]

INPUT_KIND, OUTPUT_KIND = "Input", "Output"
"""The node types at which a graph begins and ends."""


@dataclass(frozen=True, eq=False)
class NirNode:
    """One node; ``fields`` as stored, in their own number formats, and what else it says."""

    __repr__ = summary

    name: str
    kind: str
    fields: dict[str, npt.NDArray[Any]]
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class NirGraph:
    """Nodes, and how they are connected.

    Parameters
    ----------
    path : Path
        The file, for messages.
    nodes : dict of str to NirNode
    edges : list of (str, str)
        One that stands there twice adds twice.
    neurons : tuple of str
        The node types that spike.
    metadata : dict
    ways_back : dict of str to list of str
        Of a neuron node whose spikes come back to it, the nodes that lead them there, each after
        its predecessors among them; filled by :meth:`sort`.
    late : set of (str, str)
        Pairs of neuron nodes: spikes of the first go round a loop over the second, and take a tick
        to it; filled by :meth:`sort`.
    recurrent : set of str
        Neuron nodes whose spikes come back to them over no other; filled by :meth:`sort`.
    repeated : list of (str, str)
        Edges that the file gives more than once.
    """

    path: Path
    nodes: dict[str, NirNode]
    edges: list[tuple[str, str]]
    neurons: tuple[str, ...]
    metadata: dict[str, Any] = field(default_factory=dict)
    ways_back: dict[str, list[str]] = field(default_factory=dict)
    late: set[tuple[str, str]] = field(default_factory=set)
    recurrent: set[str] = field(default_factory=set)
    repeated: list[tuple[str, str]] = field(default_factory=list)

    def predecessors(self, name: str) -> list[str]:
        """Return the nodes with an edge to ``name``, in the order of the nodes."""
        before = {a for a, b in self.edges if b == name}
        return [node for node in self.nodes if node in before]

    def successors(self, name: str) -> list[str]:
        """Return the nodes with an edge from ``name``, in the order of the nodes."""
        after = {b for a, b in self.edges if a == name}
        return [node for node in self.nodes if node in after]

    def times(self, before: str, after: str) -> int:
        """Return how often an edge is given."""
        return self.edges.count((before, after))

    def place(self, name: str) -> str:
        """Return where a node is, such as "node 'fc2' (Linear) between 'lif1' and 'lif2'"."""
        before = ", ".join(repr(node) for node in self.predecessors(name))
        after = ", ".join(repr(node) for node in self.successors(name))
        text = f"node {name!r} ({self.nodes[name].kind})"
        if before and after:
            return f"{text} between {before} and {after}"
        return f"{text} after {before}" if before else f"{text} before {after}" if after else text

    def error(self, name: str, message: str, *, remedy: str) -> SpikeletError:
        """Return the error of a node, naming the file and the place."""
        return SpikeletError(f"{self.path}: {self.place(name)}: {message}", remedy=remedy)

    def dissolve(self, name: str, inner: "NirGraph") -> None:
        """Put the nodes of a nested graph in its place; its Input and Output vanish.

        SpikeletError unless it has one of each, and if a node of its names is there already.
        """
        ports = {
            kind: [n for n, node in inner.nodes.items() if node.kind == kind]
            for kind in (INPUT_KIND, OUTPUT_KIND)
        }
        if [len(found) for found in ports.values()] != [1, 1]:
            counts = " and ".join(str(len(found)) for found in ports.values())
            raise self.error(
                name,
                f"a nested graph must have one Input and one Output, found {counts}: an edge names "
                "the graph, not the port that it joins, so that of several none is known",
                remedy="put its nodes into the outer graph, or nest a graph for each port",
            )
        (entry,), (leave,) = ports.values()
        taken = [node for node in inner.nodes if node in self.nodes]
        if taken:
            raise self.error(
                name,
                f"a node of the nested graph is called {taken[0]!r}, and so is an outer node",
                remedy="rename one of the two",
            )
        del self.nodes[name]
        self.nodes.update(inner.nodes)
        self.repeated += inner.repeated
        self.edges = inner.edges + [
            (leave if a == name else a, entry if b == name else b) for a, b in self.edges
        ]
        for port in (entry, leave):
            before = [a for a, b in self.edges if b == port]
            after = [b for a, b in self.edges if a == port]
            self.edges = [edge for edge in self.edges if port not in edge]
            self.edges += product(before, after)
            del self.nodes[port]

    @property
    def forward(self) -> list[str]:
        """Nodes that are on no way back, in the order of the nodes."""
        back = {name for way in self.ways_back.values() for name in way}
        return [name for name in self.nodes if name not in back]

    def sort(self) -> None:
        """Find the ways back, and put the other nodes into topological order, ways back last.

        A neuron node's spikes come back to it over nodes that do nothing else, or over some that it
        shares with others, if all that passes over these takes a tick. In a loop over several
        neuron nodes, spikes take a tick from a node to one that is as near to an Input, or nearer,
        counted in neuron nodes; such an edge does not count in the order.

        Raises
        ------
        SpikeletError
            For cycles without a neuron node, and a node on a way back of one neuron node with an
            edge to or from elsewhere.
        """
        neurons = [name for name, node in self.nodes.items() if node.kind in self.neurons]
        self.late = self._late(neurons)
        ways = {name: self._way_back(name) for name in neurons}
        self.recurrent = {n for n, way in ways.items() if way or (n, n) in self.edges}
        shared = {name for name, way in ways.items() if self._elsewhere(name, way)}
        self.ways_back = {
            name: [] if name in shared else way
            for name, way in ways.items()
            if (way and name not in shared) or (name, name) in self.edges
        }
        forward = self._ordered(self.forward)
        order = [*forward, *(name for way in self.ways_back.values() for name in way)]
        self.nodes = {name: self.nodes[name] for name in order}

    def _way_back(self, neuron: str) -> list[str]:
        """Return the nodes between a neuron node and itself, in topological order."""
        before = self._reached(neuron, self.predecessors)
        way = [name for name in self._reached(neuron, self.successors) if name in before]
        for name in way:
            if not self._all_late(name):
                self._check_own(neuron, name, way)
        return self._ordered(way)

    def _elsewhere(self, neuron: str, way: list[str]) -> bool:
        """Return whether nodes on a way back are also on the way of others."""
        return any(
            other != neuron and other not in way
            for name in way
            for other in (*self.predecessors(name), *self.successors(name))
        )

    def _check_own(self, neuron: str, name: str, way: list[str]) -> None:
        """SpikeletError if a node on a way back leads anything else."""
        edges = ((self.predecessors, "is fed by"), (self.successors, "feeds"))
        for neighbours, does in edges:
            elsewhere = [n for n in neighbours(name) if n != neuron and n not in way]
            if elsewhere:
                raise self.error(
                    name,
                    f"the node leads spikes of {neuron!r} back to it, and also {does} "
                    f"{elsewhere[0]!r}, so that nothing says on which side of it the tick is taken",
                    remedy="give the way back nodes of its own; snnTorch's exporter leaves "
                    "such an edge by mistake where a recurrent layer comes first in the "
                    "network: remove it",
                )

    def _all_late(self, name: str) -> bool:
        """Return whether all that passes over a node takes a tick: spikes to neurons, in loops."""
        before, after = self._ends(name, self.predecessors), self._ends(name, self.successors)
        return all(a == b or (a, b) in self.late for a, b in product(before, after))

    def _ends(self, name: str, step: Callable[[str], list[str]]) -> set[str]:
        """Return the next neuron nodes in a direction, and the Inputs or Outputs in it."""
        found, seen, rest = set[str](), {name}, [name]
        while rest:
            near = step(rest.pop())
            found.update(n for n in near if self.nodes[n].kind in self.neurons or not step(n))
            new = [n for n in near if n not in found and n not in seen]
            seen.update(new)
            rest += new
        return found

    def _reached(self, neuron: str, step: Callable[[str], list[str]]) -> list[str]:
        """Return the nodes that are reached without crossing another neuron node."""
        found: list[str] = []
        rest = [neuron]
        while rest:
            for name in step(rest.pop()):
                if name not in found and self.nodes[name].kind not in self.neurons:
                    found.append(name)
                    rest.append(name)
        return found

    def _late(self, neurons: list[str]) -> set[tuple[str, str]]:
        """Return the pairs of neuron nodes between which spikes in a loop take a tick."""
        targets = {
            name: [n for n in self._next(name) if n != name and n in neurons] for name in neurons
        }
        inputs = [name for name, node in self.nodes.items() if node.kind == INPUT_KIND]
        return late_pairs(targets, [n for i in inputs for n in self._next(i) if n in neurons])

    def _next(self, name: str) -> list[str]:
        """Return the nodes behind a node, up to and with the next neuron nodes."""
        found, rest = list[str](), [name]
        while rest:
            for after in self.successors(rest.pop()):
                if after not in found:
                    found.append(after)
                    rest += [after] if self.nodes[after].kind not in self.neurons else []
        return found

    def _ordered(self, names: list[str]) -> list[str]:
        """Return some of the nodes in topological order, but for edges of which all are late."""
        return topological_order(
            {name: [n for n in self._before(name) if n in names] for name in names}, self._cycle
        )

    def _before(self, name: str) -> list[str]:
        """Return what must be walked before a node."""
        late = {source for source, target in self.late if target == name}
        late |= {name} & self.recurrent
        before = [n for n in self.predecessors(name) if n != name or n not in self.ways_back]
        if not late:
            return before
        found = []
        for node in before:
            spiking = self._sources(node)
            if not late.intersection(spiking):
                found.append(node)
            else:  # the others of its sources
                found += [n for n in spiking if n not in late and n != name]
        return found

    def _sources(self, name: str) -> list[str]:
        """Return the neuron nodes whose spikes a node gives, itself if it is one."""
        found, rest, seen = list[str](), [name], set[str]()
        while rest:
            node = rest.pop()
            if self.nodes[node].kind in self.neurons:
                found.append(node)
                continue
            new = [n for n in self.predecessors(node) if n not in seen]
            seen.update(new)
            rest += new
        return list(dict.fromkeys(found))

    def _cycle(self, way_round: list[str]) -> SpikeletError:
        return SpikeletError(
            f"{self.path}: no neuron node takes a tick in the cycle "
            f"{' -> '.join(repr(name) for name in way_round)}",
            remedy="remove one of these edges",
        )
