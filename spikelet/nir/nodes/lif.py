"""LIF: leaky integrate and fire."""

import numpy as np

from spikelet.network.network import FloatArray, Population
from spikelet.nir.frameworks import constants
from spikelet.nir.handler import Field, ImportedNode, NeuronValues
from spikelet.nir.metadata import RESET_POTENTIAL
from spikelet.nir.neurons import (
    NO_LEAK,
    V_RESET,
    V_THRESHOLD,
    NeuronHandler,
    check_leak,
    firing,
    numbers,
    start,
)
from spikelet.nir.units import Doubt, far_from_threshold, many_ticks

__all__ = ["Lif"]


class Lif(NeuronHandler):
    """Neurons with a leak, ``tau dv/dt = (v_leak - v) + r I``, by forward Euler.

    The decay is `1 - dt/tau`; the input gain `r dt/tau` moves into the weights, and `v_leak dt/tau`
    into the bias. Frameworks take other decays and gains ([conventions.md](conventions.md)).
    """

    kind = "LIF"
    fields = (
        Field("tau", remedy=NO_LEAK, infinite=True),
        Field("r", remedy=NO_LEAK, infinite=True),
        *(Field("v_leak"), V_THRESHOLD, V_RESET),
    )

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return decay, threshold and reset potential, input gain and constant input."""
        tau, _, v_leak = (node.parameter(field, size) for field in ("tau", "r", "v_leak"))
        reading = node.network.reading
        rule, model = reading.rule(self.kind), reading.model(self.kind, node.recurrent, node.name)
        if not rule.clamped:
            for field in self.fields[:2]:
                field.check_finite(node.fields[field.name])
        found = constants(reading.convention, self.kind, numbers(node, size), reading.dt)
        if not rule.clamped:
            check_leak(node, "tau", found.decay, tau)
        begin = start(node, size)
        parameters = {"decay": found.decay, **firing(node, size, model, begin)}
        return NeuronValues(parameters, found.gain, (v_leak - begin) * (1 - found.decay), model)

    def doubts(self, node: ImportedNode, population: Population) -> list[Doubt]:
        """Return what may be in another unit: a long tau, a far rest, a far reset potential."""
        tau, v_leak = (node.fields[name].astype(float) for name in ("tau", "v_leak"))
        threshold = population.values("threshold")
        return [
            *many_ticks("tau", tau, node.network.dt),
            *far_from_threshold("v_leak", v_leak, threshold, start=np.zeros(1)),
            *super().doubts(node, population),
        ]

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of neurons with a decay, whose rest is 0."""
        if "decay" not in parameters:
            return None
        rate = 1 - parameters["decay"]
        with np.errstate(divide="ignore"):  # without a leak, tau has no end
            return {
                "v_threshold": parameters["threshold"],
                "v_reset": parameters.get(RESET_POTENTIAL, np.zeros(size)),
                "tau": dt / rate,
                "r": 1 / rate,  # so that an input, times r dt/tau, counts 1
                "v_leak": np.zeros(size),
            }
