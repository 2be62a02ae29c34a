"""Writing of NIR files: float networks, and integer networks with what they have learned.

Of an integer network, weights, thresholds and the rest are given in units in which a population's
threshold, without adaptation, is a given number. ``docs/plastic-networks.md`` says what NIR cannot
express.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.network.integer_layers import IntegerPopulation, IntegerProjection
from spikelet.network.integers import IntegerNetwork
from spikelet.network.matrices import dense
from spikelet.network.network import Network
from spikelet.network.order import late_pairs
from spikelet.nir.export_float import float_graph
from spikelet.nir.handler import BIAS
from spikelet.nir.handlers import neuron_node
from spikelet.nir.metadata import RESET_POTENTIAL, reset_metadata
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output
from spikelet.nir.written import WrittenGraph

__all__ = ["to_nir", "write_nir"]


def write_nir(
    network: Network | IntegerNetwork, path: str | Path, *, threshold: float | None = None
) -> list[str]:
    """Write a network, such as that of a run or of a framework's module, as a NIR file.

    Parameters
    ----------
    network : Network or IntegerNetwork
    path : path
    threshold : float or None
        As for :func:`to_nir`.

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
        with AtomicFile(Path(path)) as file:
            file.write(contents)
    except OSError as error:
        raise SpikeletError(
            f"{path} cannot be written: {error}",
            remedy="choose a folder you may write to, on a disk with space",
        ) from error
    return left_out


def to_nir(
    network: Network | IntegerNetwork, *, threshold: float | None = None
) -> tuple[bytes, list[str]]:
    """Return a network as a NIR file.

    The file of a float network gives the same network when it is read, without any option.

    Parameters
    ----------
    network : Network or IntegerNetwork
        With what was learned: the ``network`` of a :class:`Run`.
    threshold : float or None
        What the threshold of each population of integers becomes: the largest of its neurons',
        without adaptation. None: 1. A float network keeps its own.

    Returns
    -------
    bytes
        The file.
    list of str
        What it does not express of this network, in words.

    Raises
    ------
    SpikeletError
        If ``threshold`` is not above 0, or given for a float network; if a neuron model has no
        parameter ``threshold``, which every neuron node of NIR has, or a float network has
        parameters that NIR has no field for.
    """
    if isinstance(network, Network):
        if threshold is not None:
            raise SpikeletError(
                "NIR export: a float network keeps its own thresholds",
                remedy="leave threshold out",
            )
        return float_graph(network).contents(), []
    threshold = 1.0 if threshold is None else threshold
    if not 0 < threshold < float("inf"):
        raise SpikeletError(f"NIR export: threshold must be above 0, not {threshold!r}")
    graph = _IntegerGraph(network, threshold)
    return graph.written.contents(), graph.left_out()


@dataclass(eq=False)
class _IntegerGraph:
    network: IntegerNetwork
    threshold: float
    written: WrittenGraph = field(default_factory=WrittenGraph)

    def __post_init__(self) -> None:
        self.written.metadata = self._metadata()
        for group in self.network.inputs:
            self.written.nodes[group.name] = (Input.kind, {"shape": np.array([group.size])})
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
            self.written.add(f"{name} output", Output.kind, {"shape": np.array([size])}, name, None)

    def _lsb(self, population: IntegerPopulation) -> float:
        """Return the value of a population's potential LSB."""
        return self.threshold / max(1, int(population.parameters["threshold"].max()))

    @property
    def _dt(self) -> float:
        """Seconds per tick; of a network that needs none, as good as any."""
        return self.network.dt or 1e-3

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
        self.written.nodes[name] = neuron_node(parameters, self._dt, population.size)
        if "inhibition" in population.parameters:
            strength = _scaled("inhibition", population, lsb)
            others = np.tile(-strength[:, None], (1, population.size))
            np.fill_diagonal(others, 0.0)
            self.written.add(f"{name} inhibition", *Linear.written(others), name, name)

    def _projection(self, projection: IntegerProjection, *, with_bias: bool) -> None:
        source, target = projection.source, projection.target
        population = self.network.population(target)
        lsb, name = self._lsb(population), f"{source}->{target}"
        if name in self.written.nodes:
            name = f"{name} after {projection.delay}"
        weights = dense(projection.weights).astype(np.float64)
        matrix = weights.T * (2.0**population.weight_exponent * lsb)
        kind, fields = Linear.written(matrix)
        if with_bias and BIAS in population.parameters:
            kind, fields = Affine.written(matrix, _scaled(BIAS, population, lsb))
        waiting = projection.delay - self._step(source, population)
        if waiting:
            delays = np.full(len(weights), waiting * self._dt)
            self.written.add(f"{name} delay", "Delay", {"delay": delays}, source, name)
        self.written.add(name, kind, fields, None if waiting else source, target)

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
            if self.network.short_term(population.name):
                found.append(f"the short-term plasticity of axons of {population.name}")
            if self.network.transmits(population.name):
                found.append(f"the stochastic transmission of axons of {population.name}")
            if self.network.has_stochastic(population.name):
                found.append(f"the stochastic synapses of {population.name}")
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

    def _metadata(self) -> dict[str, Any]:
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
