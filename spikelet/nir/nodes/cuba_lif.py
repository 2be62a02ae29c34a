"""CubaLIF: leaky integrate and fire, behind a synaptic current that decays."""

import numpy as np

from spikelet.description.errors import SpikeletError
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

__all__ = ["CURRENT_BIAS", "CubaLif"]

CURRENT_BIAS = "bias_i"
"""The parameter of a model that adds a constant to the synaptic current in every tick."""


class CubaLif(NeuronHandler):
    """Neurons behind a synaptic current, ``tau_syn dI/dt = -I + w_in S`` and
    ``tau_mem dv/dt = (v_leak - v) + r I``, by forward Euler, the current first.

    The current's decay is `1 - dt/tau_syn`, its gain `w_in dt/tau_syn`; the potential is that of a
    `LIF`. Both gains move into the weights. Frameworks take other ones
    ([conventions.md](conventions.md)).
    """

    kind = "CubaLIF"
    fields = (
        Field("tau_syn", remedy=NO_LEAK, infinite=True),
        Field("tau_mem", remedy=NO_LEAK, infinite=True),
        Field("r", remedy=NO_LEAK, infinite=True),
        Field("w_in", required=False, infinite=True),
        *(Field("v_leak"), V_THRESHOLD, V_RESET),
    )

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return decays, threshold and reset potential, gain of both, and constant input."""
        needed = [field.name for field in self.fields if field.name in node.fields]
        given = {name: node.parameter(name, size) for name in needed}
        reading = node.network.reading
        rule, model = reading.rule(self.kind), reading.model(self.kind, node.recurrent, node.name)
        if not {"decay_i", CURRENT_BIAS} <= set(model.parameter_names):
            raise SpikeletError(
                f"neuron model {model.name} has no synaptic current (decay_i and {CURRENT_BIAS})",
                remedy="leave --neuron out, or pass a model that has one, such as cuba-lif",
            )
        if not rule.clamped:
            for field in self.fields:
                if field.name in node.fields:
                    field.check_finite(node.fields[field.name])
        found = constants(reading.convention, self.kind, numbers(node, size), reading.dt)
        assert found.decay_i is not None and found.current_gain is not None
        if not rule.clamped:
            check_leak(node, "tau_mem", found.decay, given["tau_mem"])
            check_leak(node, "tau_syn", found.decay_i, given["tau_syn"])
        begin = start(node, size)
        return NeuronValues(
            {
                "decay": found.decay,
                "decay_i": found.decay_i,
                **firing(node, size, model, begin),
            },
            found.current_gain * found.gain,
            (given["v_leak"] - begin) * (1 - found.decay),
            model,
            CURRENT_BIAS,
        )

    def doubts(self, node: ImportedNode, population: Population) -> list[Doubt]:
        """Return what may be in another unit: a long tau, a far rest, a far reset potential."""
        tau, v_leak = (node.fields[name].astype(float) for name in ("tau_mem", "v_leak"))
        threshold = population.values("threshold")
        return [
            *many_ticks("tau_mem", tau, node.network.dt),
            *far_from_threshold("v_leak", v_leak, threshold, start=np.zeros(1)),
            *super().doubts(node, population),
        ]

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of neurons with a synaptic current, whose rest is 0."""
        if "decay_i" not in parameters or "decay" not in parameters:
            return None
        rate, rate_i = 1 - parameters["decay"], 1 - parameters["decay_i"]
        with np.errstate(divide="ignore"):  # without a leak, tau has no end
            return {
                "v_threshold": parameters["threshold"],
                "v_reset": parameters.get(RESET_POTENTIAL, np.zeros(size)),
                "tau_mem": dt / rate,
                "tau_syn": dt / rate_i,
                "r": 1 / rate,
                "w_in": 1 / rate_i,  # so that an input, times both gains, counts 1
                "v_leak": np.zeros(size),
            }
