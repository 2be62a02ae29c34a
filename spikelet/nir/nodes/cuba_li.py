"""CubaLI: leaky integrators behind a synaptic current, whose potentials are an output."""

from spikelet.nir.handler import Field
from spikelet.nir.readouts import ReadoutHandler

__all__ = ["CurrentIntegrator"]


class CurrentIntegrator(ReadoutHandler):
    """Potentials that are read at an `Output`, of a synaptic current:
    ``tau_syn dI/dt = -I + w_in S``, ``tau_mem dv/dt = (v_leak - v) + r I``, with the constants of a
    `CubaLIF`. They start at 0, and never spike.
    """

    kind = "CubaLI"
    fields = (
        *(Field("tau_syn"), Field("tau_mem"), Field("r"), Field("v_leak")),
        Field("w_in", required=False),
    )
    spiking = "CubaLIF"
    model = "cuba-li"
    leaks = (("tau_mem", "decay"), ("tau_syn", "decay_i"))
    bias = "bias_i"
