"""Float networks as NIR graphs; read again, a graph gives the same network without any option.

Time constants follow from the decays and the time step, with gains of 1. What NIR has no words for,
the model of each population's neurons, stands in the metadata.
"""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.update import can_spike
from spikelet.network.matrices import dense
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.order import late_pairs
from spikelet.nir.export_shapes import channel_bias, written_shapes
from spikelet.nir.handler import BIAS
from spikelet.nir.handlers import convolution_node, neuron_node, readout_node
from spikelet.nir.metadata import RESET_POTENTIAL, models_metadata, parameters_metadata
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.cuba_lif import CURRENT_BIAS
from spikelet.nir.nodes.delay import Delay
from spikelet.nir.nodes.flatten import Flatten
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output
from spikelet.nir.written import WrittenGraph

__all__ = ["float_graph"]

_DT = 1e-3
"""Seconds per tick of a network that says none; its decays are the same at any."""

_VALUES = "linear"
"""The model of a population that an Output is, of the values that arrive in each tick."""

_DECAYS = ("decay", "decay_i")
_IN_NODE = ("threshold", RESET_POTENTIAL, "decay", "decay_i")
_IN_WEIGHTS = (BIAS, CURRENT_BIAS)


def float_graph(network: Network) -> WrittenGraph:
    """Return a float network as a NIR graph.

    Of Linear, Affine, Conv1d, Conv2d, Flatten, Delay, IF, LIF, CubaLIF, LI, CubaLI and I nodes.
    SpikeletError for parameters that NIR has no field for.
    """
    return _FloatGraph(network).graph


class _FloatGraph:
    """A float network's graph, while it is made."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.graph = WrittenGraph()
        self.dt = network.dt or _DT
        self.late = _late(network)
        self.shapes = written_shapes(network, _bias)
        self.graph.nodes[INPUT] = (Input.kind, {"shape": np.array(self.shapes[INPUT])})
        values = [p.name for p in network.populations if p.neuron.name == _VALUES]
        for population in network.populations:
            if population.name not in values:
                self.graph.nodes[population.name] = self._neurons(population)
        for name in network.outputs:
            shape = {"shape": np.array(self.shapes[name])}
            if name in values:  # an Output makes them of what arrives
                self.graph.nodes[name] = (Output.kind, shape)
            else:
                self.graph.add(f"{name} output", Output.kind, shape, name, None)
        for population in network.populations:
            bias = _bias(population)
            for number, projection in enumerate(network.into(population.name)):
                self._projection(projection, np.zeros(1) if number else bias)
        models = {p.name: p.neuron for p in network.populations if can_spike(p.neuron)}
        told = {p.name: _further(p) for p in network.populations if p.name in models}
        self.graph.metadata = {"dt": self.dt, "simulator": "spikelet", **models_metadata(models)}
        self.graph.metadata |= parameters_metadata(told)

    def _neurons(self, population: Population) -> tuple[str, dict[str, FloatArray]]:
        kind, fields = _node(population, self.dt)
        shape = self.shapes[population.name]
        return kind, {name: values.reshape(shape) for name, values in fields.items()}

    def _projection(self, projection: Projection, bias: FloatArray) -> None:
        """Add the nodes of a projection: weights and bias, behind a Delay where it has one."""
        source, target = projection.source, projection.target
        waiting = projection.ticks - ((source, target) in self.late)
        if waiting < 0:
            raise SpikeletError(
                f"NIR export: spikes of {source!r} go round a loop and arrive at {target!r} in "
                "their own tick, which no NIR file means",
                remedy="keep the file that the network was read from",
            )
        name, before, shape = f"{source}->{target}", source, self.shapes[source]
        if name in self.graph.nodes:
            name = f"{name} after {projection.ticks}"
        if waiting:
            delay = Delay.written(np.full(shape, waiting * self.dt))
            self.graph.add(f"{name} delay", *delay, before, None)
            before = f"{name} delay"
        convolution = projection.convolution
        if convolution is not None and len(self.shapes[target]) > 1:
            of_channels = channel_bias(convolution, bias)
            assert of_channels is not None
            written = convolution_node(convolution, of_channels)
            assert written is not None
            self.graph.add(name, *written, before, target)
            return
        if len(shape) > 1:
            self.graph.add(f"{name} flatten", *Flatten.written(shape), before, None)
            before = f"{name} flatten"
        weight = dense(projection.weights).T
        node = Affine.written(weight, bias) if bias.any() else Linear.written(weight)
        self.graph.add(name, *node, before, target)


def _late(network: Network) -> set[tuple[str, str]]:
    """Return the ends of projections that take a tick without a Delay node."""
    names = [population.name for population in network.populations]
    ends = [(p.source, p.target) for p in network.projections]
    targets = {name: [b for a, b in ends if a == name != b] for name in names}
    pairs = late_pairs(targets, [b for a, b in ends if a == INPUT])
    return pairs | {(name, name) for name in names}


def _further(population: Population) -> dict[str, FloatArray]:
    """Return the parameters that NIR has no field for."""
    return {
        name: values
        for name, values in population.parameters.items()
        if name not in (*_IN_NODE, *_IN_WEIGHTS)
        and (values != (population.neuron.parameter(name).default or 0)).any()
    }


def _node(population: Population, dt: float) -> tuple[str, dict[str, FloatArray]]:
    names = population.neuron.parameter_names
    if not can_spike(population.neuron) and not _further(population):
        parameters = {name: _of_each(population, name) for name in names if name in _DECAYS}
        if (found := readout_node(population.neuron.name, parameters, dt)) is not None:
            return found
    if "threshold" not in names:
        raise SpikeletError(
            f"NIR export: population {population.name!r}, of model {population.neuron.name}: NIR "
            "has no neurons with no threshold",
            remedy="write the network as TOML, or keep what it was made from",
        )
    parameters = {
        name: _of_each(population, name)
        for name in _IN_NODE
        if name in population.parameters or (name == "decay" and "decay_i" in names)
    }
    return neuron_node(parameters, dt, population.size)


def _of_each(population: Population, name: str) -> FloatArray:
    return np.broadcast_to(population.values(name), (population.size,))


def _bias(population: Population) -> FloatArray:
    """Return what is added to the input in every tick, shape (size,)."""
    names = population.neuron.parameter_names
    of_input = CURRENT_BIAS if CURRENT_BIAS in names else BIAS
    if of_input != BIAS and population.values(BIAS).any():
        raise SpikeletError(
            f"NIR export: population {population.name!r} has a bias behind its synaptic current, "
            "which NIR has no field for",
            remedy=f"give the bias before the current: {CURRENT_BIAS}",
        )
    return np.broadcast_to(population.values(of_input), (population.size,))
