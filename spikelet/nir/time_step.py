"""The time step of a NIR file: given, written in it, or that of snnTorch's exporter."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.profile import ExecutionProfile
from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.nir.graph import NirGraph, NirNode

__all__ = ["SNNTORCH_DT", "time_step"]

SNNTORCH_DT = 1e-4
"""Seconds per tick that ``snntorch.export_nir`` (1.0) takes, without writing it."""

_REMEDY = "pass the time step of the training, such as --dt 1e-4"


def time_step(graph: NirGraph, profile: ExecutionProfile, dt: float | None) -> float | None:
    """Return the seconds per tick, None if nobody says them and there is no LIF node.

    snnTorch's exporter writes ``tau = dt / (1 - beta)`` and ``r = tau / dt`` with its own dt of
    1e-4, since snnTorch knows betas only. A file all of whose LIF nodes have ``r = tau / 1e-4``, to
    the last bits, and that is read with one of snnTorch's profiles, is taken for its work: then
    ``beta = 1 - dt/tau`` comes back and the input gain is 1, as in snnTorch.

    Parameters
    ----------
    graph : NirGraph
    profile : ExecutionProfile
    dt : float or None
        Given by the user, in seconds; goes before the file's metadata.

    Raises
    ------
    SpikeletError
        If there are LIF nodes and the time step is not known, or is not a number above 0.

    Warns
    -----
    SpikeletWarning
        If the time step is that of snnTorch's exporter.
    """
    found = graph.metadata.get("dt") if dt is None else dt
    if found is None:
        return _of_snntorch(graph, profile)
    where = f"{graph.path}: metadata 'dt'" if dt is None else f"{graph.path}: the time step (--dt)"
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise SpikeletError(f"{where} must be a number of seconds, not {found!r}", remedy=_REMEDY)
    if not (np.isfinite(found) and found > 0):
        raise SpikeletError(f"{where} must be above 0 seconds, not {found:g}", remedy=_REMEDY)
    return float(found)


def _of_snntorch(graph: NirGraph, profile: ExecutionProfile) -> float | None:
    leaky = [node for node in graph.nodes.values() if node.kind == "LIF"]
    if not leaky:
        return None
    unknown = "the time step is not known: the file has no metadata 'dt'"
    if not profile.name.startswith("snntorch"):
        raise graph.error(
            leaky[0].name,
            unknown,
            remedy="pass --dt SECONDS (snnTorch's exporter implies 1e-4 without writing it)",
        )
    for node in leaky:
        tau, r = _broadcast(node)
        other = np.flatnonzero(~(np.abs(r * SNNTORCH_DT - tau) <= _tolerance(node) * np.abs(tau)))
        if other.size:
            k = int(other[0])
            raise graph.error(
                node.name,
                f"{unknown}, and it is not snnTorch's {SNNTORCH_DT:g} s, since neuron {k} has r "
                f"{r[k]:.7g} where tau / {SNNTORCH_DT:g} is {tau[k] / SNNTORCH_DT:.7g}",
                remedy="pass the time step of the training: --dt SECONDS",
            )
    warnings.warn(
        f"{graph.path}: the time step is taken as {SNNTORCH_DT:g} s, that of snnTorch's exporter: "
        f"the file has none, and r is tau / {SNNTORCH_DT:g} s in each LIF node; pass --dt for "
        "another",
        SpikeletWarning,
        stacklevel=2,
    )
    return SNNTORCH_DT


def _broadcast(node: NirNode) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return tau and r as vectors of one size; where they do not fit, as far as the shorter goes.

    That they fit the layer is checked later, where its size is known.
    """
    tau, r = (np.asarray(node.fields[name], np.float64).ravel() for name in ("tau", "r"))
    size = min(tau.size, r.size) if min(tau.size, r.size) > 1 else max(tau.size, r.size)
    return np.resize(tau, size), np.resize(r, size)


def _tolerance(node: NirNode) -> float:
    """Return the relative error that the exporter's arithmetic may have: a few last bits."""
    dtypes = [node.fields[name].dtype for name in ("tau", "r")]
    return 4 * max(float(np.finfo(d if d.kind == "f" else np.float64).eps) for d in dtypes)
