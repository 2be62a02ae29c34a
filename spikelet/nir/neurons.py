"""What the neuron kinds of NIR have in common.

A spike is 1 for one tick, not ``1/dt``: the weight of a synapse is what one spike adds, times the
gain. The potentials of a chip start at 0. Where a framework's start elsewhere, all are counted from
there: threshold, rest and reset potential are moved by as much, which changes no spike.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.model import NeuronModel
from spikelet.network.network import FloatArray, Population
from spikelet.nir.frameworks import SPIKELET
from spikelet.nir.handler import Field, ImportedNode, NeuronValues, NodeHandler
from spikelet.nir.metadata import RESET_POTENTIAL
from spikelet.nir.signal import Signal
from spikelet.nir.units import Doubt, far_from_threshold, question

__all__ = [
    "NO_LEAK",
    "V_RESET",
    "V_THRESHOLD",
    "NeuronHandler",
    "check_leak",
    "firing",
    "numbers",
    "start",
]

NO_LEAK = "a neuron without leak (beta = 1) is an IF node, not a LIF of infinite tau"

V_THRESHOLD, V_RESET = Field("v_threshold"), Field("v_reset", required=False)


class NeuronHandler(NodeHandler):
    """How neurons of one kind are read, and written."""

    spikes = True

    @abstractmethod
    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return what a node says of its ``size`` neurons; SpikeletError if it makes no sense."""

    def apply(self, node: ImportedNode, signal: Signal) -> Signal:
        """Add a population, ask about its units, and return its spikes."""
        values = self.values(node, signal.size)
        if told := node.network.reading.told.get(node.name):
            values = replace(values, parameters={**values.parameters, **told})
        spikes = node.network.neurons(node.name, values, signal)
        population = node.network.populations[-1]
        driven = signal.scaled(values.gain).parts.values()
        drive = np.sum([part.excitation() for part in driven], axis=0)
        ours = node.network.reading.convention is SPIKELET  # whose units are not in doubt
        if not ours and (asked := question(self.doubts(node, population), population, drive)):
            node.warn(asked)
        return spikes

    def doubts(self, node: ImportedNode, population: Population) -> list[Doubt]:
        """Return what may be in another unit than it should."""
        reset = population.parameters.get(RESET_POTENTIAL, np.zeros(1))
        return far_from_threshold("v_reset", reset, population.values("threshold"), start=reset)

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


def numbers(node: ImportedNode, size: int) -> dict[str, npt.NDArray[Any]]:
    """Return a node's fields as :meth:`ImportedNode.parameter` does, in their own formats."""
    found = {}
    for field, values in node.fields.items():
        dtype = values.dtype if values.dtype.kind == "f" else np.float64
        found[field] = node.parameter(field, size).astype(dtype)
    return found


def start(node: ImportedNode, size: int) -> FloatArray:
    """Return the potentials at which a node's neurons start, by the file's convention."""
    field = node.network.reading.rule(node.kind).start
    return node.parameter(field, size) if field in node.fields else np.zeros(1)


def firing(
    node: ImportedNode, size: int, model: NeuronModel, begin: FloatArray
) -> dict[str, FloatArray]:
    """Return the parameters that say when a node's neurons fire, and what becomes of them.

    Parameters
    ----------
    node : ImportedNode
    size : int
    model : NeuronModel
    begin : array of float64, shape (1,) or (size,)
        The potentials at which they start, from which all are counted.

    Raises
    ------
    SpikeletError
        For a threshold that is not above the start, and a ``v_reset`` that the model does not have.
    """
    found = {"threshold": _threshold(node, size, begin)}
    v_reset = node.parameter("v_reset", size) if "v_reset" in node.fields else np.zeros(1)
    if RESET_POTENTIAL in model.parameter_names:
        moved = v_reset - begin
        return (
            {**found, RESET_POTENTIAL: moved} if moved.any() or "v_reset" in node.fields else found
        )
    if v_reset.any():
        raise SpikeletError(
            f"v_reset is {v_reset[np.argmax(v_reset != 0)]:g}, but neuron model {model.name} has "
            f"no {RESET_POTENTIAL}",
            remedy="use a model that resets to a value: --neuron nir-euler",
        )
    if begin.any():
        raise SpikeletError(
            f"potentials start at {begin[np.argmax(begin != 0)]:g}, which neuron model "
            f"{model.name}, whose reset is not to a value, cannot count from",
            remedy="train with v_leak = 0, or with a reset to a value",
        )
    return found


def _threshold(node: ImportedNode, size: int, begin: FloatArray) -> FloatArray:
    """Return the thresholds of a node above the start; SpikeletError unless they are above it."""
    threshold = node.parameter("v_threshold", size)
    if not (threshold - begin > 0).all():
        v_leak = node.fields.get("v_leak", np.zeros(1)).ravel()
        rest = f", where v_leak is {v_leak[0]:g}" if v_leak.any() else ""
        where = "0" if not begin.any() else f"the start of the potentials, {begin.max():g}"
        raise SpikeletError(
            f"v_threshold must be above {where}, found {threshold.min():g}{rest}",
            remedy="neurons of a chip are silent at rest: subtract the rest from v_leak, v_reset "
            "and v_threshold, or leave the neuron out",
        )
    return threshold - begin


def check_leak(node: ImportedNode, field: str, decay: FloatArray, tau: FloatArray) -> None:
    """SpikeletError unless decays are in 0..1, of time constants above 0."""
    wrong = ~((decay >= 0) & (decay < 1))
    if wrong.any():
        dt, neuron = node.network.dt, int(np.argmax(wrong))
        step = "" if dt is None else f"dt {dt:g} s, "
        raise SpikeletError(
            f"dt/{field} must be above 0 and at most 1, found {1 - decay[neuron]:g} "
            f"({step}{field} {tau[neuron]:g} s)",
            remedy="give the time step the network was trained with (--dt SECONDS), or the "
            "framework that wrote the file (--framework): snnTorch's exporter implies 1e-4, "
            "Norse's writes tau times dt",
        )
