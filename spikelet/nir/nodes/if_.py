"""IF: integrate and fire, without a leak."""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.network.network import FloatArray
from spikelet.nir.handler import Field, ImportedNode, NeuronValues
from spikelet.nir.neuron_model import RESET_POTENTIAL
from spikelet.nir.neurons import V_RESET, V_THRESHOLD, NeuronHandler, firing

__all__ = ["Integrator"]


class Integrator(NeuronHandler):
    """Neurons without a leak, ``dv/dt = r I``, and no time step: `v' = v + r I`.

    So read snnTorch, Norse, sinabs and Spyx, which write ``r = 1``. SpikingJelly writes
    ``r = 1/dt`` and multiplies by dt; with a known dt such a file is refused rather than driven
    ``1/dt`` times too hard.
    """

    kind = "IF"
    fields = (Field("r"), V_THRESHOLD, V_RESET)

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return threshold and reset potential, and the input gain."""
        r, dt = node.parameter("r", size), node.network.dt
        if dt is not None and np.any((r != 1) & np.isclose(r * dt, 1, rtol=1e-5)):
            raise SpikeletError(
                f"r is 1/dt ({r[0]:g}): its exporter (SpikingJelly does so) multiplies r by dt, "
                "here an IF neuron adds r times its input in each tick",
                remedy="write r = 1 (r times dt) for this node",
            )
        return NeuronValues(firing(node, size), r, np.zeros(1))

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
