"""IF: integrate and fire, without a leak."""

import numpy as np

from spikelet.network.network import FloatArray
from spikelet.nir.frameworks import constants
from spikelet.nir.handler import Field, ImportedNode, NeuronValues
from spikelet.nir.metadata import RESET_POTENTIAL
from spikelet.nir.neurons import V_RESET, V_THRESHOLD, NeuronHandler, firing, numbers, start

__all__ = ["Integrator"]


class Integrator(NeuronHandler):
    """Neurons without a leak, ``dv/dt = r I``, and no time step: `v' = v + r I`.

    SpikingJelly writes ``r = 1/dt`` and multiplies by dt: as its files, the input gain is 1.
    """

    kind = "IF"
    fields = (Field("r"), V_THRESHOLD, V_RESET)

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return threshold and reset potential, and the input gain."""
        reading = node.network.reading
        reading.rule(self.kind)
        model = reading.model(self.kind, node.recurrent, node.name)
        gain = constants(reading.convention, self.kind, numbers(node, size), reading.dt).gain
        begin = start(node, size)
        found = firing(node, size, model, begin)
        return NeuronValues(found, gain, np.zeros(1), model)

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of neurons without a decay."""
        if "decay" in parameters:
            return None
        return {
            "v_threshold": parameters["threshold"],
            "v_reset": parameters.get(RESET_POTENTIAL, np.zeros(size)),
            "r": np.ones(size),
        }
