"""The time step of a NIR file: given, written in it, or that of snnTorch's exporter."""

import warnings
from collections.abc import Mapping

import numpy as np

from spikelet.description.errors import SpikeletError, SpikeletWarning
from spikelet.description.neurons.model import NeuronModel
from spikelet.nir.graph import NirGraph
from spikelet.nir.handler import NodeHandler
from spikelet.nir.neurons import NeuronHandler

__all__ = ["SNNTORCH_DT", "time_step"]

SNNTORCH_DT = 1e-4
"""Seconds per tick that ``snntorch.export_nir`` (1.0) takes, without writing it."""

_REMEDY = "pass the time step of the training, such as --dt 1e-4"


def time_step(
    graph: NirGraph,
    handlers: Mapping[str, NodeHandler],
    neuron: NeuronModel,
    dt: float | None,
) -> float | None:
    """Return the seconds per tick, None if nobody says them and no node depends on them.

    snnTorch's exporter writes ``tau = dt / (1 - beta)`` and ``r = tau / dt`` with its own dt of
    1e-4, since snnTorch knows betas only. A file all of whose LIF nodes have ``r = tau / 1e-4``, to
    the last bits, and that is read with one of snnTorch's models, is taken for its work: then
    ``beta = 1 - dt/tau`` comes back and the input gain is 1, as in snnTorch. Which nodes depend on
    the time step, and whether they may be that exporter's work, their handlers say.

    Parameters
    ----------
    graph : NirGraph
    handlers : mapping of str to NodeHandler
        Of the graph's nodes, by kind.
    neuron : NeuronModel
    dt : float or None
        Given by the user, in seconds; goes before the file's metadata.

    Raises
    ------
    SpikeletError
        If nodes depend on the time step and it is not known, or it is not a number above 0.

    Warns
    -----
    SpikeletWarning
        If the time step is that of snnTorch's exporter.
    """
    found = graph.metadata.get("dt") if dt is None else dt
    if found is None:
        return _of_snntorch(graph, handlers, neuron)
    where = f"{graph.path}: metadata 'dt'" if dt is None else f"{graph.path}: the time step (--dt)"
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise SpikeletError(f"{where} must be a number of seconds, not {found!r}", remedy=_REMEDY)
    if not (np.isfinite(found) and found > 0):
        raise SpikeletError(f"{where} must be above 0 seconds, not {found:g}", remedy=_REMEDY)
    return float(found)


def _of_snntorch(
    graph: NirGraph, handlers: Mapping[str, NodeHandler], neuron: NeuronModel
) -> float | None:
    neurons = [(node, handlers[node.kind]) for node in graph.nodes.values()]
    timed = [(node, h) for node, h in neurons if isinstance(h, NeuronHandler) and h.needs_dt]
    if not timed:
        return None
    unknown = "the time step is not known: the file has no metadata 'dt'"
    if not neuron.name.startswith("snntorch"):
        raise graph.error(
            timed[0][0].name,
            unknown,
            remedy="pass --dt SECONDS (snnTorch's exporter implies 1e-4 without writing it)",
        )
    for node, handler in timed:
        if shown := handler.not_of_snntorch(node.fields, SNNTORCH_DT):
            raise graph.error(
                node.name,
                f"{unknown}, and it is not snnTorch's {SNNTORCH_DT:g} s, since {shown}",
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
