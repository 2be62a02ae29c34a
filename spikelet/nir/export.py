"""Writing of NIR files: integer networks, with what they have learned, for other simulators.

Weights, thresholds and the rest are given in units in which a population's threshold, without
adaptation, is a given number. ``docs/plastic-networks.md`` says what NIR cannot express.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.network.integers import IntegerNetwork, IntegerPopulation, IntegerProjection
from spikelet.network.order import late_pairs
from spikelet.nir.handler import BIAS
from spikelet.nir.handlers import neuron_node
from spikelet.nir.metadata import RESET_POTENTIAL, reset_metadata
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output

__all__ = ["Fields", "graph_file", "to_nir", "write_nir"]

_NIR_VERSION = "1.0"
Fields = Mapping[str, npt.NDArray[Any]]


def write_nir(network: IntegerNetwork, path: Path, *, threshold: float = 1.0) -> list[str]:
    """Write a network, such as that of a run, as a NIR file; see :func:`to_nir`.

    Returns
    -------
    list of str
        What the file does not express of this network, in words.

    Raises
    ------
    SpikeletError
        As :func:`to_nir`, or if the file cannot be written.
    """
    contents, left_out = to_nir(network, threshold=threshold)
    try:
        with AtomicFile(path) as file:
            file.write(contents)
    except OSError as error:
        raise SpikeletError(
            f"{path} cannot be written: {error}",
            remedy="choose a folder you may write to, on a disk with space",
        ) from error
    return left_out


def to_nir(network: IntegerNetwork, *, threshold: float = 1.0) -> tuple[bytes, list[str]]:
    """Return a network as a NIR file of Linear, Affine, Delay, LIF and IF nodes.

    Parameters
    ----------
    network : IntegerNetwork
        With what was learned: the ``network`` of a :class:`Run`.
    threshold : float
        What each population's threshold becomes: the largest of its neurons', without adaptation.

    Returns
    -------
    bytes
        The file.
    list of str
        What it does not express of this network, in words.

    Raises
    ------
    SpikeletError
        If ``threshold`` is not above 0, or a neuron model has no parameter ``threshold``, which
        every neuron node of NIR has.
    """
    if not 0 < threshold < float("inf"):
        raise SpikeletError(f"NIR export: threshold must be above 0, not {threshold!r}")
    graph = _Graph(network, threshold)
    return graph_file(graph.nodes, graph.edges, graph.metadata()), graph.left_out()


def graph_file(
    nodes: Mapping[str, tuple[str, Fields]],
    edges: Sequence[tuple[str, str]],
    metadata: Mapping[str, Any],
) -> bytes:
    """Return a graph as a NIR file, as ``nir.write`` makes it.

    Parameters
    ----------
    nodes : mapping of str to (str, mapping of str to array)
        Kind and fields, by name.
    edges : sequence of (str, str)
    metadata : mapping
    """
    contents = io.BytesIO()
    with h5py.File(contents, "w") as hdf:
        hdf.create_dataset("version", data=_NIR_VERSION, dtype=h5py.string_dtype())
        root = hdf.create_group("node")
        root.create_dataset("type", data="NIRGraph", dtype=h5py.string_dtype())
        group = root.create_group("nodes")
        for name, (kind, fields) in nodes.items():
            node = group.create_group(name)
            node.create_dataset("type", data=kind, dtype=h5py.string_dtype())
            for key, values in fields.items():
                packed = {"compression": "gzip"} if values.ndim else {}
                node.create_dataset(key, data=values, **packed)
        root.create_dataset("edges", data=list(edges), dtype=h5py.string_dtype())
        said = root.create_group("metadata")
        for key, value in metadata.items():
            said.create_dataset(key, data=value)
    return contents.getvalue()


@dataclass(eq=False)
class _Graph:
    network: IntegerNetwork
    threshold: float
    nodes: dict[str, tuple[str, Fields]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for group in self.network.inputs:
            self.nodes[group.name] = (Input.kind, {"shape": np.array([group.size])})
        for population in self.network.populations:
            if "threshold" not in population.parameters:
                raise SpikeletError(
                    f"NIR export: the neurons of {population.name}, of model "
                    f"{population.neuron.name}, have no threshold, which every neuron node of "
                    "NIR has",
                    remedy="name a parameter of the model threshold",
                )
            self._neurons(population)
        biased = set()
        for projection in self.network.projections:
            first = projection.target not in biased  # one of them brings the bias
            biased.add(projection.target)
            self._projection(projection, with_bias=first)
        for name in self.network.outputs:
            size = self.network.sizes[name]
            self._add(f"{name} output", Output.kind, {"shape": np.array([size])}, name, None)

    def _lsb(self, population: IntegerPopulation) -> float:
        """Return the value of a population's potential LSB."""
        return self.threshold / max(1, int(population.parameters["threshold"].max()))

    @property
    def _dt(self) -> float:
        """Seconds per tick; of a network that needs none, as good as any."""
        return self.network.dt or 1e-3

    def _add(
        self, name: str, kind: str, fields: Fields, source: str | None, target: str | None
    ) -> None:
        self.nodes[name] = (kind, fields)
        self.edges += [(source, name)] if source else []
        self.edges += [(name, target)] if target else []

    def _neurons(self, population: IntegerPopulation) -> None:
        lsb, name = self._lsb(population), population.name
        units = {"threshold": lsb, RESET_POTENTIAL: lsb}
        if "decay" in population.parameters:
            units["decay"] = 1 / population.neuron.parameter("decay").one
        parameters = {
            what: _scaled(what, population, unit)
            for what, unit in units.items()
            if what in population.parameters
        }
        if "adaptation" in population.states:
            fraction = int(_used("adaptation_fraction", population)[0])
            raised = population.states["adaptation"].astype(np.int64) >> fraction
            threshold = _used("threshold", population) + raised
            largest = (1 << (population.potential_bits - 1)) - 1
            parameters["threshold"] = np.minimum(threshold, largest) * lsb
        self.nodes[name] = neuron_node(parameters, self._dt, population.size)
        if "inhibition" in population.parameters:
            strength = _scaled("inhibition", population, lsb)
            others = np.tile(-strength[:, None], (1, population.size))
            np.fill_diagonal(others, 0.0)
            self._add(f"{name} inhibition", *Linear.written(others), name, name)

    def _projection(self, projection: IntegerProjection, *, with_bias: bool) -> None:
        source, target = projection.source, projection.target
        population = self.network.population(target)
        lsb, name = self._lsb(population), f"{source}->{target}"
        if name in self.nodes:
            name = f"{name} after {projection.delay}"
        weights = projection.weights.astype(np.float64)
        matrix = weights.T * (2.0**population.weight_exponent * lsb)
        kind, fields = Linear.written(matrix)
        if with_bias and BIAS in population.parameters:
            kind, fields = Affine.written(matrix, _scaled(BIAS, population, lsb))
        waiting = projection.delay - self._step(source, population)
        if waiting:
            delays = np.full(len(weights), waiting * self._dt)
            self._add(f"{name} delay", "Delay", {"delay": delays}, source, name)
        self._add(name, kind, fields, None if waiting else source, target)

    def _step(self, source: str, target: IntegerPopulation) -> int:
        """Return the delay of a projection without a node of its own.

        That is the ticks that layers run apart; and any simulator takes a step in a loop.
        """
        if any(group.name == source for group in self.network.inputs):
            return target.depth
        apart = target.depth - self.network.population(source).depth
        if self.network.floats is None:
            return max(1, apart)
        return apart + (source == target.name or (source, target.name) in self._late)

    @cached_property
    def _late(self) -> set[tuple[str, str]]:
        """Pairs of populations between which spikes take a tick that no node says."""
        names = {population.name for population in self.network.populations}
        ends = [(p.source, p.target) for p in self.network.projections if p.source != p.target]
        targets = {name: [b for a, b in ends if a == name] for name in names}
        return late_pairs(targets, [b for a, b in ends if a not in names])

    def left_out(self) -> list[str]:
        """Return what the file does not express, in words."""
        found = []
        for population in self.network.populations:
            if rule := self.network.rule(population.name):
                found.append(f"how {population.name} learns: {rule.name}")
            if not reset_metadata(population.neuron):
                found.append(
                    f"the neurons of {population.name}, of model {population.neuron.name}: nodes "
                    "without or with a leak stand in their place"
                )
            if "inhibition" in population.parameters:
                found.append(
                    f"that the inhibition of {population.name} does not add up where several of "
                    "its neurons fire in a tick"
                )
        if len(self.network.neurons) > 1:
            found.append("how neurons reset: the populations have different neuron models")
        return found

    def metadata(self) -> dict[str, Any]:
        """Return what the importer, and a reader, may want to know."""
        populations = self.network.populations
        known: dict[str, Any] = {"dt": self._dt, "simulator": "spikelet"}
        if len(self.network.neurons) == 1:
            known |= reset_metadata(populations[0].neuron)
        for population in populations:
            if rule := self.network.rule(population.name):
                known[f"rule of {population.name}"] = f"{rule.name}: dw = {rule.dw}"
        return known


def _used(name: str, population: IntegerPopulation) -> npt.NDArray[np.int64]:
    """Return a parameter of each neuron, shape (size,), given or by default."""
    usual = population.neuron.parameter(name).default or 0
    values = population.parameters.get(name, np.array([usual], np.int32))
    return np.broadcast_to(values, (population.size,)).astype(np.int64)


def _scaled(name: str, population: IntegerPopulation, lsb: float) -> npt.NDArray[np.float64]:
    """Return a parameter of each neuron in units of which an LSB is ``lsb``."""
    return _used(name, population).astype(np.float64) * lsb
