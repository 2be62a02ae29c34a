"""I: integrators, whose potentials are an output."""

from spikelet.nir.handler import Field
from spikelet.nir.readouts import ReadoutHandler

__all__ = ["PureIntegrator"]


class PureIntegrator(ReadoutHandler):
    """Potentials that are read at an `Output`, `v' = v + r I`, as an `IF`. They never spike."""

    kind = "I"
    fields = (Field("r"),)
    spiking = "IF"
    model = "li"
