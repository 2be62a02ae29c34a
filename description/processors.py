"""How many threads a run may take: as many as there are processors for this process, or fewer."""

import os

from spikelet.description.errors import SpikeletError

__all__ = ["processors", "set_threads", "threads_of"]

_chosen: list[int | None] = [None]
"""What :func:`set_threads` was given last."""


def processors() -> int:
    """Return on how many processors this process may run: those of its affinity, not all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_of(threads: int | None, name: str = "threads") -> int:
    """Return how many threads to take.

    Parameters
    ----------
    threads : int or None
        1 or more; None: as many as :func:`set_threads` says.
    name : str
        Of the argument or option, for the error.

    Raises
    ------
    SpikeletError
        If it is no such number, or there are not so many processors.
    """
    most = processors()
    if threads is None:
        return min(_chosen[0] or most, most)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise SpikeletError(
            f"{name} must be 1 or more, not {threads!r}",
            remedy=f"give 1..{most}, or leave it out for {most}, one for each processor",
        )
    if threads > most:
        raise SpikeletError(
            f"{name}: {threads:,} threads are more than the {most:,} processors that this process "
            "may run on",
            remedy=f"give 1..{most}, or leave it out for {most}, one for each processor",
        )
    return threads


def set_threads(threads: int | None, name: str = "threads") -> None:
    """Say how many threads runs take that are not told; None: one for each processor.

    For the whole process; SpikeletError as :func:`threads_of`.
    """
    _chosen[0] = None if threads is None else threads_of(threads, name)
