"""What the kinds of nodes have in common whose potentials are an output: they never spike.

Their constants are those of the kind that spikes, by the convention of the file.
"""

from typing import ClassVar

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network.network import FloatArray
from spikelet.nir.frameworks import NIR, constants
from spikelet.nir.handler import BIAS, ImportedNode, NeuronValues
from spikelet.nir.neurons import NeuronHandler, check_leak, numbers
from spikelet.nir.signal import Signal

__all__ = ["ReadoutHandler"]


class ReadoutHandler(NeuronHandler):
    """How integrators are read.

    Attributes
    ----------
    spiking : str
        The node kind that has the same constants.
    model : str
        Name of the neuron model.
    leaks : tuple of (str, str)
        Time constants, each with the parameter of the model that is its decay.
    bias : str
        The parameter of the model that a constant among the inputs becomes.
    """

    spikes = False
    spiking: ClassVar[str]
    model: ClassVar[str]
    leaks: ClassVar[tuple[tuple[str, str], ...]] = ()
    bias: ClassVar[str] = BIAS

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return decays, input gain and constant input."""
        reading = node.network.reading
        kind = self.kind if self.kind in reading.convention.readouts else self.spiking
        known = (*reading.convention.rules, *reading.convention.readouts)
        convention = reading.convention if kind in known else NIR
        rule = convention.rule(kind)
        if self.leaks and reading.dt is None and convention.step != "1":
            raise SpikeletError(
                "the time step is not known: the file has no metadata 'dt'",
                remedy="pass the time step of the training: --dt SECONDS",
            )
        found = constants(convention, kind, numbers(node, size), reading.dt)
        decays = {"decay": found.decay, "decay_i": found.decay_i}
        parameters = {}
        for field, name in self.leaks:
            decay = decays[name]
            assert decay is not None
            if not rule.clamped:
                check_leak(node, field, decay, node.parameter(field, size))
            parameters[name] = decay
        start = rule.start
        if start in node.fields and node.fields[start].any():
            raise SpikeletError(
                f"{convention.title} starts potentials at {start}, which is "
                f"{node.fields[start].ravel()[0]:g}; those of a chip start at 0",
                remedy=f"train with {start} = 0",
            )
        gain = found.gain if found.current_gain is None else found.gain * found.current_gain
        rest = node.parameter("v_leak", size) * (1 - found.decay) if self.leaks else 0 * gain
        return NeuronValues(parameters, gain, rest, neuron_model(self.model), self.bias)

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Add a population and return its potentials."""
        return node.network.neurons(node.name, self.values(node, signal.size), signal)

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of integrators whose rest is 0; None for other leaks than these."""
        leaks = {name: 1 - parameters[name] for _, name in self.leaks if name in parameters}
        without = [name for name in parameters if name not in leaks]
        if len(leaks) < len(self.leaks) or any((parameters[n] != 1).any() for n in without):
            return None
        if any((rate == 0).any() for rate in leaks.values()):
            return None
        fields = {field: dt / leaks[name] for field, name in self.leaks}
        found = {**fields, "r": 1 / leaks.get("decay", np.ones(size))}
        if "decay_i" in leaks:
            found["w_in"] = 1 / leaks["decay_i"]
        return {**found, "v_leak": np.zeros(size)} if leaks else found
