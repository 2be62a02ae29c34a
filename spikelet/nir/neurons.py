"""What the neuron kinds of NIR have in common.

A spike is 1 for one tick, not ``1/dt``: the weight of a synapse is what one spike adds, times the
gain. Potentials start at 0, also where ``v_leak`` is not 0. Both are the convention of snnTorch,
Norse, sinabs and Spyx.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.network.network import FloatArray, Population
from spikelet.nir.handler import Field, ImportedNode, NeuronValues, NodeHandler
from spikelet.nir.neuron_model import RESET_POTENTIAL
from spikelet.nir.signal import Signal
from spikelet.nir.units import Doubt, far_from_threshold, question

__all__ = ["V_RESET", "V_THRESHOLD", "NeuronHandler", "firing", "without_noise"]

V_THRESHOLD, V_RESET = Field("v_threshold"), Field("v_reset", required=False)


class NeuronHandler(NodeHandler):
    """How neurons of one kind are read, and written.

    Attributes
    ----------
    needs_dt : bool
        Whether their constants depend on the time step.
    """

    spikes = True
    needs_dt = False

    @abstractmethod
    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return what a node says of its ``size`` neurons; SpikeletError if it makes no sense."""

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Add a population, ask about its units, and return its spikes."""
        values = self.values(node, signal.size)
        spikes = node.network.neurons(node.name, values, signal)
        population = node.network.populations[-1]
        driven = signal.scaled(values.gain).parts.values()
        drive = np.sum([part.excitation() for part in driven], axis=0)
        if asked := question(self.doubts(node, population), population, drive):
            node.warn(asked)
        return spikes

    def doubts(self, node: ImportedNode, population: Population) -> list[Doubt]:
        """Return what may be in another unit than it should."""
        reset = population.parameters.get(RESET_POTENTIAL, np.zeros(1))
        return far_from_threshold("v_reset", reset, population.values("threshold"), start=reset)

    def not_of_snntorch(self, fields: dict[str, npt.NDArray[Any]], dt: float) -> str | None:
        """Return what shows, in words, that a node is not the work of snnTorch's exporter.

        None if it may be, to the last bits; ``dt`` is the exporter's time step.
        """
        return None

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of a node of ``size`` neurons whose input gain is 1.

        Parameters
        ----------
        parameters : dict of str to array
            As those of :class:`NeuronValues`.
        dt : float
            Seconds per tick.
        size : int

        Returns
        -------
        dict of str to array, or None
            None if neurons of this kind do not have these parameters.
        """
        return None


def _threshold(node: ImportedNode, size: int) -> FloatArray:
    """Return the thresholds of a node; SpikeletError unless they are above 0."""
    threshold = node.parameter("v_threshold", size)
    if not (threshold > 0).all():
        v_leak = node.fields.get("v_leak", np.zeros(1)).ravel()
        rest = f", where v_leak is {v_leak[0]:g}" if v_leak.any() else ""
        raise SpikeletError(
            f"v_threshold must be above 0, found {threshold.min():g}{rest}",
            remedy="potentials start at 0: subtract the rest from v_leak, v_reset and "
            "v_threshold, or leave the neuron out",
        )
    return threshold


def firing(node: ImportedNode, size: int) -> dict[str, FloatArray]:
    """Return the parameters that say when a node's neurons fire, and what becomes of them.

    SpikeletError for a ``v_reset`` that the model does not have.
    """
    found = {"threshold": _threshold(node, size)}
    if "v_reset" not in node.fields:
        return found
    v_reset, model = node.parameter("v_reset", size), node.network.neuron
    if RESET_POTENTIAL in model.parameter_names:
        return {**found, RESET_POTENTIAL: v_reset}
    if v_reset.any():
        raise SpikeletError(
            f"v_reset is {v_reset[np.argmax(v_reset != 0)]:g}, but neuron model {model.name} has "
            f"no {RESET_POTENTIAL}",
            remedy="use a model that resets to a value: --neuron nir-euler",
        )
    return found


def without_noise(
    values: FloatArray, fields: dict[str, npt.NDArray[Any]], names: Iterable[str]
) -> FloatArray:
    """Return constants derived from stored fields, less their last two, unsure bits.

    snnTorch's export stores ``tau = dt / (1 - beta)`` in float32: ``r * dt / tau`` comes back as
    0.99999994 or 1.0000001. Left alone, a potential that should equal its threshold exactly is
    just above it in float and not in integers, or the other way round.
    """
    dtypes = [fields[name].dtype for name in names]
    bits = min(np.finfo(d).nmant if d.kind == "f" else 52 for d in dtypes) - 1
    mantissa, exponent = np.frexp(values)
    rounded: FloatArray = np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)
    return rounded
