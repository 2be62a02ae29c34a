"""LI: leaky integrators, whose potentials are an output."""

from spikelet.nir.handler import Field
from spikelet.nir.readouts import ReadoutHandler

__all__ = ["LeakyIntegrator"]

_NO_LEAK = "an integrator without leak is an I node, not an LI of infinite tau"


class LeakyIntegrator(ReadoutHandler):
    """Potentials that are read at an `Output`, ``tau dv/dt = (v_leak - v) + r I``, with the
    constants of a `LIF`. They start at 0, and never spike.
    """

    kind = "LI"
    fields = (Field("tau", remedy=_NO_LEAK), Field("r", remedy=_NO_LEAK), Field("v_leak"))
    spiking = "LIF"
    model = "li"
    leaks = (("tau", "decay"),)
