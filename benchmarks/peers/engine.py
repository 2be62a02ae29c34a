"""An engine as a process: see :mod:`benchmarks.peers.worker`."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.worker import ONE_THREAD
from spikelet.description.errors import SpikeletError

__all__ = ["Engine"]

_ROOT = Path(__file__).parents[2]


class Engine:
    """An engine that has run once, and its measurements.

    Parameters
    ----------
    name : str
    python : Path
        Interpreter of the environment that it runs in.
    arguments : sequence of str
        Of the worker.

    Attributes
    ----------
    versions : dict of str to str
        Of what it is made of.
    set_up : float
        Seconds to build it and to run it once.
    seconds : list of float
        Of a run, in each round.
    spikes : list of int
        Of the last run: of each tick, or all.
    gigabytes : float
        The most memory that its process took.

    Raises
    ------
    SpikeletError
        If it cannot be built.
    """

    def __init__(self, name: str, python: Path, arguments: Sequence[str]) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.spikes: list[int] = []
        self.gigabytes = 0.0
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.peers.worker", *arguments],
            cwd=_ROOT,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            ready = self._answer()
            if "error" in ready:
                raise SpikeletError(ready["error"])
        except SpikeletError:
            self.close()
            raise
        self.versions: dict[str, str] = ready["ready"]
        self.set_up: float = ready["set_up"]

    def measure(self) -> None:
        """Run it once, or as often as fits the shortest measurement; note the mean time."""
        assert self._process.stdin
        try:
            print("run", file=self._process.stdin, flush=True)
        except (BrokenPipeError, ValueError):  # ValueError: it was closed
            raise SpikeletError(f"{self.name} has ended") from None
        found = self._answer()
        self.seconds.append(found["seconds"])
        self.spikes, self.gigabytes = found["spikes"], found["gigabytes"]

    def close(self) -> None:
        """End its process."""
        with self._process as process:
            process.kill()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SpikeletError(f"{self.name} ended with exit status {self._process.wait()}")
        return json.loads(line)
