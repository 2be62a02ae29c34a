"""Output: what the host sees, spikes or potentials."""

from math import prod

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.nir.handler import (
    Field,
    ImportedNode,
    NeuronValues,
    NodeHandler,
    check_size,
    declared_shape,
)
from spikelet.nir.signal import Signal

__all__ = ["Output"]


class Output(NodeHandler):
    """Of one neuron node, as they are, its spikes, or potentials if it never spikes.

    Of all else, such as a `Linear` or the sum of several layers, the values of each tick: they are
    the potentials of a population of model `linear`, which has the name of the `Output`.
    """

    kind = "Output"
    fields = (Field("shape"),)
    takes_potentials = True

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Make the population that arrives, or one of what arrives, an output of the network."""
        shape = declared_shape(node)
        if prod(shape) != 1:  # a scalar neuron parameter makes exporters declare one value
            check_size(f"shape {list(shape)}", prod(shape), signal)
        if signal.spikes_of in (None, *node.network.lines) and signal.potentials_of is None:
            values = NeuronValues({}, np.ones(1), np.zeros(1), neuron_model("linear"))
            signal = node.network.neurons(node.name, values, signal)
        population = str(signal.spikes_of or signal.potentials_of)
        if population in node.network.outputs:
            raise SpikeletError(
                f"the output {population!r} is that of another Output already",
                remedy="remove one of the two",
            )
        node.network.outputs.append(population)
        return signal
