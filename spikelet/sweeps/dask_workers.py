"""Workers of a Dask cluster, through ``Client.get_executor()``; needs the extra ``cluster``."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from distributed import Client, KilledWorker

from spikelet.description.errors import SpikeletError
from spikelet.golden.native import available
from spikelet.sweeps.bench import Bench, Configuration, Point
from spikelet.sweeps.versions import different, versions

__all__ = ["DaskWorkers"]

_CONNECT_S = 10.0
"""In which a scheduler answers, and has a worker."""

_ALONE_S = 60.0
"""For which a sweep waits when all workers are gone: others may be on their way."""

_GONE = "what was measured is kept, and the same command goes on"


class DaskWorkers:
    """The workers of a scheduler; each has the bench, and Dask gives out anew what a lost one had.

    Parameters
    ----------
    bench : Bench
    address : str
        Of the scheduler, such as ``"tcp://192.168.0.2:8786"``.

    Raises
    ------
    SpikeletError
        If no scheduler answers there, it has no worker, or one of another version.
    """

    def __init__(self, bench: Bench, address: str) -> None:
        self._bench, self._address = bench, address
        self._alone_since: float | None = None
        try:
            self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SpikeletError(
                f"no Dask scheduler answers at {address}: {error}",
                remedy="start one (dask scheduler, and dask worker ADDRESS), and give its address: "
                "--on tcp://HOST:8786",
            ) from error
        try:
            self._prepare()
        except BaseException:
            self._client.close()
            raise

    def _prepare(self) -> None:
        """Check all workers, let each build the kernel, and give each the bench."""
        client = self._client
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError:
            raise SpikeletError(
                f"the Dask scheduler at {self._address} has no workers",
                remedy=f"start some: dask worker {self._address}",
            ) from None
        found: Mapping[str, Any] = client.run(_installed, on_error="return")
        for worker, there in found.items():
            if isinstance(there, BaseException):
                other = f"it cannot measure: {type(there).__name__}: {there}"
            else:
                other = different(self._bench.versions, there)
            if other:
                raise SpikeletError(
                    f"the Dask worker {worker} has another version: {other}",
                    remedy="install the same version of Spikelet and its packages wherever workers "
                    "run, and start them again",
                )
        self._given = client.scatter(self._bench, broadcast=True, hash=False)
        self._executor = client.get_executor(pure=False)

    @property
    def room(self) -> int:
        """Two for each thread of each worker that is there."""
        return max(2, 2 * sum(self._threads().values()))

    def _threads(self) -> dict[str, int]:
        there: dict[str, int] = self._client.nthreads()
        return there

    def submit(self, configuration: Configuration) -> "Future[Point]":
        """Give out a configuration."""
        future: Future[Point] = self._executor.submit(_measured, self._given, configuration)
        return future

    def renew(self) -> None:
        """Give the bench to the workers that are there now."""
        with self._answering():
            self._prepare()

    def check(self) -> None:
        """Raise SpikeletError if the scheduler is gone, or all workers for a minute."""
        with self._answering():
            there = self._threads()
        if there:
            self._alone_since = None
            return
        self._alone_since = self._alone_since or time.monotonic()
        if time.monotonic() - self._alone_since >= _ALONE_S:
            raise SpikeletError(
                f"the Dask scheduler at {self._address} has had no worker for {_ALONE_S:.0f} s",
                remedy=f"start some (dask worker {self._address}); {_GONE}",
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn what a scheduler that is gone leads to into a SpikeletError."""
        lost = SpikeletError(
            f"the Dask scheduler at {self._address} is gone",
            remedy=f"start it again, with its workers; {_GONE}",
        )
        if self._client.status != "running":
            raise lost
        try:
            yield
        except (OSError, RuntimeError) as error:
            raise lost from error

    def given_up(self, error: BaseException) -> bool:
        """Return whether Dask has given a configuration up, after several lost workers."""
        return isinstance(error, KilledWorker)

    def close(self) -> None:
        """Leave the cluster, which forgets what is under way."""
        self._client.close()


def _installed() -> dict[str, str]:
    """Build the kernel of golden on a worker's machine, once; return the worker's versions."""
    available()
    return versions()


def _measured(bench: Bench, configuration: Configuration) -> Point:
    return bench.measured(configuration)
