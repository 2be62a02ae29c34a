"""Give configurations to workers until each has a result, whoever of them is lost."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from spikelet.description.errors import SpikeletError
from spikelet.sweeps.bench import Configuration, Point
from spikelet.sweeps.workers import Workers

__all__ = ["carry_out"]

_ATTEMPTS = 3
"""Workers that a configuration may end by itself before it is given up."""

_PATIENCE_S = 5.0
"""Without a result, before it is asked whether anybody is left."""

_LOST = (BrokenExecutor, CancelledError)


class _Outstanding:
    """Which configurations wait, which are suspected of ending workers, and which are given out.

    A pool that breaks does not say which of those given out did it. Those are suspects, and given
    out one at a time; who breaks it alone has done it.
    """

    def __init__(self, workers: Workers, configurations: Sequence[Configuration]) -> None:
        self.workers = workers
        self.waiting = deque(configurations)
        self.suspects: deque[Configuration] = deque()
        self.out: dict[Future[Point], Configuration] = {}
        self.ended: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self.waiting or self.suspects or self.out)

    def give_out(self) -> None:
        """Give out as many as there is room for."""
        if self.suspects:
            if not self.out:
                self._submit(self.suspects)
            return
        while self.waiting and len(self.out) < self.workers.room and self._submit(self.waiting):
            pass

    def _submit(self, line: "deque[Configuration]") -> bool:
        """Give out the first of a line; return whether there was a worker."""
        try:
            future = self.workers.submit(line[0])
        except BrokenExecutor:  # lost meanwhile: of what is out, the futures say so
            if not self.out:
                self.workers.renew()
            return False
        self.out[future] = line.popleft()
        return True

    def lost(self, first: Sequence[Configuration]) -> list[Point]:
        """Take back what was out when workers were lost; return what ended before, or is given up.

        Parameters
        ----------
        first : sequence of Configuration
            Already known to be lost.
        """
        lost, found = list(first), []
        wait(self.out, timeout=_PATIENCE_S)  # a broken pool fails all of them at once
        for future, configuration in self.out.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                found.append(future.result())
            else:
                future.cancel()
                lost.append(configuration)
        self.out.clear()
        self.workers.renew()
        for configuration in lost:
            name = repr(configuration)
            self.ended[name] += len(lost) == 1
            if self.ended[name] >= _ATTEMPTS:
                found.append(_given_up(configuration))
            else:
                self.suspects.append(configuration)
        return found


def carry_out(
    workers: Workers, configurations: Sequence[Configuration], keep: Callable[[Point], None]
) -> None:
    """Measure configurations, in whatever order they end.

    Parameters
    ----------
    workers : Workers
    configurations : sequence of Configuration
    keep : callable
        Given each result.

    Raises
    ------
    SpikeletError
        If a worker is of another version, or nobody is left to measure; or what ``keep`` raises.
    """
    outstanding = _Outstanding(workers, configurations)
    while outstanding:
        outstanding.give_out()
        done, _ = wait(outstanding.out, timeout=_PATIENCE_S, return_when=FIRST_COMPLETED)
        if not done:
            workers.check()
        lost = []
        for future in done:
            configuration = outstanding.out.pop(future)
            try:
                point = future.result()
            except _LOST:
                lost.append(configuration)
                continue
            except Exception as error:
                if workers.given_up(error):
                    point = _given_up(configuration)
                else:
                    failure = f"{type(error).__name__}: {error}"
                    point = Point(configuration, {}, failure=failure)
            _keep(point, keep)
        if lost:
            for point in outstanding.lost(lost):
                _keep(point, keep)


def _keep(point: Point, keep: Callable[[Point], None]) -> None:
    if point.other_version:
        raise SpikeletError(
            f"a worker has another version: {point.other_version}",
            remedy="install the same version of Spikelet and its packages wherever workers run; "
            "what was measured is kept, and the same command goes on",
        )
    keep(point)


def _given_up(configuration: Configuration) -> Point:
    return Point(
        configuration, {}, failure=f"it ended {_ATTEMPTS} workers: killed, or out of memory"
    )
