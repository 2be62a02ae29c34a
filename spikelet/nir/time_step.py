"""The time step that a user or a NIR file gives."""

import numpy as np

from spikelet.description.errors import SpikeletError
from spikelet.nir.graph import NirGraph

__all__ = ["given_time_step"]

_REMEDY = "pass the time step of the training, such as --dt 1e-4"


def given_time_step(graph: NirGraph, dt: float | None) -> float | None:
    """Return the seconds per tick that are given; None if nobody says them.

    Parameters
    ----------
    graph : NirGraph
    dt : float or None
        Given by the user, in seconds; goes before the file's metadata.

    Raises
    ------
    SpikeletError
        If it is not a number above 0.
    """
    found = graph.metadata.get("dt") if dt is None else dt
    if found is None:
        return None
    where = f"{graph.path}: metadata 'dt'" if dt is None else f"{graph.path}: the time step (--dt)"
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise SpikeletError(f"{where} must be a number of seconds, not {found!r}", remedy=_REMEDY)
    if not (np.isfinite(found) and found > 0):
        raise SpikeletError(f"{where} must be above 0 seconds, not {found:g}", remedy=_REMEDY)
    return float(found)
