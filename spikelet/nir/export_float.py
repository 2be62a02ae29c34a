"""Float networks as NIR graphs; read again, a graph gives the same network without any option.

Time constants follow from the decays and the time step, with gains of 1. What NIR has no words for,
the model of each population's neurons, stands in the metadata.
"""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.network.matrices import dense
from spikelet.network.network import INPUT, FloatArray, Network, Population
from spikelet.nir.handler import BIAS
from spikelet.nir.handlers import neuron_node
from spikelet.nir.metadata import RESET_POTENTIAL, models_metadata
from spikelet.nir.nodes.affine import Affine
from spikelet.nir.nodes.cuba_lif import CURRENT_BIAS
from spikelet.nir.nodes.input import Input
from spikelet.nir.nodes.linear import Linear
from spikelet.nir.nodes.output import Output
from spikelet.nir.written import WrittenGraph

__all__ = ["float_graph"]

_DT = 1e-3
"""Seconds per tick of a network that says none; its decays are the same at any."""

_IN_NODE = ("threshold", RESET_POTENTIAL, "decay", "decay_i")
_IN_WEIGHTS = (BIAS, CURRENT_BIAS)


def float_graph(network: Network) -> WrittenGraph:
    """Return a float network as a NIR graph of Linear, Affine, IF, LIF and CubaLIF nodes.

    SpikeletError for parameters that NIR has no field for.
    """
    graph = WrittenGraph()
    dt = network.dt or _DT
    graph.nodes[INPUT] = (Input.kind, {"shape": np.array([network.n_inputs])})
    for population in network.populations:
        graph.nodes[population.name] = _node(population, dt)
    for population in network.populations:
        bias = _bias(population)
        for number, projection in enumerate(network.into(population.name)):
            weight = dense(projection.weights).T
            first = bias.any() and not number  # one of them brings the bias
            written = Affine.written(weight, bias) if first else Linear.written(weight)
            source, target = projection.source, projection.target
            if projection.ticks != (source == target):
                raise SpikeletError(
                    f"NIR export: spikes of {source!r} arrive at {target!r} {projection.ticks} "
                    "ticks later; the delays of a float network are not written",
                    remedy="keep the file that the network was read from",
                )
            graph.add(f"{source}->{target}", *written, source, target)
    for name in network.outputs:
        shape = {"shape": np.array([network.sizes[name]])}
        graph.add(f"{name} output", Output.kind, shape, name, None)
    models = {population.name: population.neuron for population in network.populations}
    graph.metadata = {"dt": dt, "simulator": "spikelet", **models_metadata(models)}
    return graph


def _node(population: Population, dt: float) -> tuple[str, dict[str, FloatArray]]:
    names = population.neuron.parameter_names
    known = (*_IN_NODE, *_IN_WEIGHTS)
    strange = [
        parameter.name
        for parameter in population.neuron.parameters
        if parameter.name not in known
        and (population.values(parameter.name) != (parameter.default or 0)).any()
    ]
    if strange or "threshold" not in names:
        raise SpikeletError(
            f"NIR export: population {population.name!r}, of model {population.neuron.name}: NIR "
            f"has no neurons with {', '.join(strange) or 'no threshold'}",
            remedy="write the network as TOML, or keep what it was made from",
        )
    parameters = {
        name: np.broadcast_to(population.values(name), (population.size,))
        for name in _IN_NODE
        if name in population.parameters or (name == "decay" and "decay_i" in names)
    }
    return neuron_node(parameters, dt, population.size)


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
