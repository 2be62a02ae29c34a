"""Workers that are processes of this machine; the usual ones."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait

from spikelet.description.errors import SpikeletError
from spikelet.description.processors import processors, set_threads
from spikelet.sweeps.bench import Bench, Configuration, Point

__all__ = ["Processes"]

_bench: list[Bench] = []
"""In a worker, what it was given when it began."""


class Processes:
    """Spawned processes, each with the bench; a pool that lost one is replaced.

    Parameters
    ----------
    bench : Bench
    workers : int or None
        1 or more; None: one for each processor.

    Raises
    ------
    SpikeletError
        If ``workers`` is no such number, or no process can be started.
    """

    def __init__(self, bench: Bench, workers: int | None = None) -> None:
        if workers is not None and (type(workers) is not int or workers < 1):
            raise SpikeletError(f"workers must be an int of 1 or more, not {workers!r}")
        self._bench, self._workers = bench, workers or processors()
        self._executor = self._pool()
        try:
            self._executor.submit(os.getpid).result()
        except BrokenExecutor as error:
            raise SpikeletError(
                "worker processes end as soon as they begin",
                remedy="in a script, call spikelet.sweep below if __name__ == '__main__', since "
                "each worker imports the script; else see what the worker printed above",
            ) from error

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # threads of the parent are not copied
        return ProcessPoolExecutor(
            self._workers, mp_context=context, initializer=_begin, initargs=(self._bench,)
        )

    @property
    def room(self) -> int:
        """Two for each process."""
        return 2 * self._workers

    @property
    def executor(self) -> Executor:
        """The pool, until it breaks."""
        return self._executor

    def submit(self, configuration: Configuration) -> "Future[Point]":
        """Give out a configuration."""
        return self._executor.submit(_measured, configuration)

    def renew(self) -> None:
        """Begin a new pool."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._pool()

    def check(self) -> None:
        """Say nothing: a pool that loses a process breaks by itself."""

    def given_up(self, error: BaseException) -> bool:
        """Return False: whoever submits counts."""
        return False

    def close(self) -> None:
        """End all processes, wherever they are."""
        running = dict(getattr(self._executor, "_processes", None) or {})
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in running.values():
            with suppress(OSError, ValueError):
                process.terminate()


def _begin(bench: Bench) -> None:
    """Prepare a worker: one thread, no answer to Ctrl-C, and an end with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    set_threads(1)
    _bench[:] = [bench]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent was killed, which tells nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _measured(configuration: Configuration) -> Point:
    return _bench[0].measured(configuration)
