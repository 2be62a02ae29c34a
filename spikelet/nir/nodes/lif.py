"""LIF: leaky integrate and fire, by forward Euler."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.network.network import FloatArray, Population
from spikelet.nir.handler import Field, ImportedNode, NeuronValues
from spikelet.nir.neuron_model import RESET_POTENTIAL
from spikelet.nir.neurons import V_RESET, V_THRESHOLD, NeuronHandler, firing, without_noise
from spikelet.nir.units import Doubt, far_from_threshold, many_ticks

__all__ = ["Lif"]

_NO_LEAK = "a neuron without leak (beta = 1) is an IF node, not a LIF of infinite tau"


class Lif(NeuronHandler):
    """Neurons with a leak, ``tau dv/dt = (v_leak - v) + r I``, by forward Euler.

    The decay is `1 - dt/tau`; the input gain `r dt/tau` moves into the weights, and `v_leak dt/tau`
    into the bias.
    """

    kind = "LIF"
    fields = (
        *(Field("tau", remedy=_NO_LEAK), Field("r", remedy=_NO_LEAK), Field("v_leak")),
        *(V_THRESHOLD, V_RESET),
    )
    needs_dt = True

    def values(self, node: ImportedNode, size: int) -> NeuronValues:
        """Return decay, threshold and reset potential, input gain and constant input."""
        tau, r, v_leak = (node.parameter(field, size) for field in ("tau", "r", "v_leak"))
        dt = node.network.dt
        assert dt is not None  # time_step has it, or has refused the file
        with np.errstate(divide="ignore"):
            rate = without_noise(dt / tau, node.fields, ("tau",))
        wrong = ~((rate > 0) & (rate <= 1))
        if wrong.any():
            neuron = int(np.argmax(wrong))
            raise SpikeletError(
                f"dt/tau must be above 0 and at most 1, found {rate[neuron]:g} "
                f"(dt {dt:g} s, tau {tau[neuron]:g} s)",
                remedy="give the time step the network was trained with: --dt SECONDS "
                "(snnTorch's exporter implies 1e-4)",
            )
        gain = without_noise(r * (dt / tau), node.fields, ("tau", "r"))
        return NeuronValues({"decay": 1 - rate, **firing(node, size)}, gain, v_leak * rate)

    def doubts(self, node: ImportedNode, population: Population) -> list[Doubt]:
        """Return what may be in another unit: a long tau, a far rest, a far reset potential."""
        tau, v_leak = (node.fields[name].astype(float) for name in ("tau", "v_leak"))
        threshold = population.values("threshold")
        return [
            *many_ticks("tau", tau, node.network.dt),
            *far_from_threshold("v_leak", v_leak, threshold, start=np.zeros(1)),
            *super().doubts(node, population),
        ]

    def not_of_snntorch(self, fields: dict[str, npt.NDArray[Any]], dt: float) -> str | None:
        """Return the neuron whose ``r`` is not ``tau / dt``, as snnTorch's exporter writes it."""
        tau, r = _broadcast(fields)
        other = np.flatnonzero(~(np.abs(r * dt - tau) <= _tolerance(fields) * np.abs(tau)))
        if not other.size:
            return None
        k = int(other[0])
        return f"neuron {k} has r {r[k]:.7g} where tau / {dt:g} is {tau[k] / dt:.7g}"

    def written(
        self, parameters: dict[str, FloatArray], dt: float, size: int
    ) -> dict[str, FloatArray] | None:
        """Return the fields of neurons with a decay, whose rest is 0."""
        if "decay" not in parameters:
            return None
        rate = 1 - parameters["decay"]
        return {
            "v_threshold": parameters["threshold"],
            "v_reset": parameters.get(RESET_POTENTIAL, np.zeros(size)),
            "tau": dt / rate,
            "r": 1 / rate,  # so that an input, times r dt/tau, counts 1
            "v_leak": np.zeros(size),
        }


def _broadcast(fields: dict[str, npt.NDArray[Any]]) -> tuple[FloatArray, FloatArray]:
    """Return tau and r as vectors of one size; where they do not fit, as far as the shorter goes.

    That they fit the layer is checked later, where its size is known.
    """
    tau, r = (np.asarray(fields[name], np.float64).ravel() for name in ("tau", "r"))
    size = min(tau.size, r.size) if min(tau.size, r.size) > 1 else max(tau.size, r.size)
    return np.resize(tau, size), np.resize(r, size)


def _tolerance(fields: dict[str, npt.NDArray[Any]]) -> float:
    """Return the relative error that the exporter's arithmetic may have: a few last bits."""
    dtypes = [fields[name].dtype for name in ("tau", "r")]
    return 4 * max(float(np.finfo(d if d.kind == "f" else np.float64).eps) for d in dtypes)
