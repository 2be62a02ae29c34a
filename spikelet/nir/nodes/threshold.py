"""Threshold: the Heaviside step."""

import numpy as np

from spikelet.description.neurons.models import neuron_model
from spikelet.nir.handler import Field, ImportedNode, NeuronValues
from spikelet.nir.neurons import NeuronHandler

__all__ = ["Threshold"]


_LEAST = 2.0**-20
"""A threshold above 0, as it must be, that takes no room among the potentials."""


class Threshold(NeuronHandler):
    """Neurons that spike in each tick in which their input is above `threshold`. They keep nothing.

    A threshold of 0 or less is raised above 0, and a bias as much.
    """

    kind = "Threshold"
    fields = (Field("threshold"),)

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return the threshold, and a bias where it would not be above 0."""
        threshold = node.parameter("threshold", size)
        above = max(_LEAST, 2 * float(np.abs(threshold).max()))
        raised = np.where(threshold > 0, 0.0, above)
        parameters = {"threshold": threshold + raised}
        return NeuronValues(parameters, np.ones(1), raised, neuron_model("threshold"))
