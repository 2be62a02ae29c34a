"""Parts of a task given to threads, whoever comes first."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TypeVar

__all__ = ["share_out"]

_Part = TypeVar("_Part")


def share_out(
    parts: Iterable[_Part],
    workers: Sequence[Callable[[_Part], None]],
    last: Callable[[], None] = lambda: None,
) -> None:
    """Let each worker take the next part until none is left.

    The first worker runs in this thread, leaves a part for each of the others, and does theirs if
    they get no processor in time: so this takes no longer than without them.

    Parameters
    ----------
    parts : iterable
    workers : sequence of callable
        Each is given one part at a time.
    last : callable
        Called in this thread once no part is left for it, while the others do theirs.

    Raises
    ------
    Exception
        What a worker raises; the others end with the part that they have.
    """
    left, lock = deque(parts), Lock()

    def work(worker: Callable[[_Part], None], leave: int = 0) -> None:
        while True:
            with lock:
                if len(left) <= leave:
                    return
                part = left.popleft()
            worker(part)

    def guarded(worker: Callable[[_Part], None]) -> None:
        try:
            work(worker)
        except BaseException:
            left.clear()
            raise

    first, *others = workers
    waiting = [_pool(len(others)).submit(guarded, other) for other in others]
    try:
        work(first, len(others))
        last()
        for future, other in zip(waiting, others, strict=True):
            if future.cancel():
                work(other)
    except BaseException:
        left.clear()
        raise
    finally:
        begun = [future for future in waiting if not future.cancel()]
        errors = [future.exception() for future in begun]  # none of them writes any more
    for error in errors:
        if error:
            raise error


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return threads that wait for work: to start one takes as long as many a run."""
    return ThreadPoolExecutor(threads, "spikelet")


if hasattr(os, "register_at_fork"):  # a copy of the process has none of the threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
