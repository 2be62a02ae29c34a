"""Real workers: processes and Dask's, of which some are killed, and the main process itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import spikelet
from spikelet.description.errors import SpikeletError
from spikelet.sweeps.bench import Bench, Configuration, Point
from spikelet.sweeps.carry_out import carry_out
from spikelet.sweeps.kept import TABLE
from spikelet.sweeps.processes import Processes
from spikelet.sweeps.sweep import Sweep
from tests.sweeps.helpers import GRID, task

MORE = {**GRID, "potential_bits": list(range(8, 20))}
"""Of 96 configurations."""


def swept(folder: Path | None, axes: Any = GRID, **options: Any) -> Sweep:
    network, samples = task()
    return spikelet.sweep(network, samples, axes, folder=folder, **options)


def test_a_process_that_is_killed_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were given out are given out again, and processes end with the sweep."""
    seen: list[Processes] = []
    begun = Processes.__init__

    def noted(self: Processes, bench: Bench, workers: int | None = None) -> None:
        begun(self, bench, workers)
        seen.append(self)

    killed: list[int] = []

    def each(point: Point) -> None:
        if not killed:
            killed.extend(seen[0].executor._processes)  # type: ignore[attr-defined]
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(Processes, "__init__", noted)
    found = swept(None, workers=1, each=each)
    assert killed and not any(point.failure for point in found.points)
    left = list(seen[0].executor._processes or {})  # type: ignore[attr-defined]
    assert set(left) != set(killed)
    assert [bool(point.values) for point in found.points] == 2 * [True, True, False, False]


@pytest.mark.parametrize("workers", [0, True, "2"])
def test_a_number_of_processes_that_is_none(workers: Any) -> None:
    with pytest.raises(SpikeletError, match="workers must be an int of 1 or more"):
        swept(None, workers=workers)


SCRIPT = """
import sys
from pathlib import Path
from tests.sweeps.helpers import task
from tests.sweeps.test_workers import MORE
import spikelet

if __name__ == "__main__":
    network, samples = task()
    spikelet.sweep(network, samples, MORE, folder=Path(sys.argv[1]), workers=2)
"""


@contextmanager
def started(*command: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a process of this tree, and end it."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    process = subprocess.Popen(command, env=environment, cwd=root, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(what: Any, seconds: float = 120) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def children_of(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


@pytest.mark.slow
def test_a_sweep_killed_twice_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    script, folder = tmp_path / "script.py", tmp_path / "sweep"
    script.write_text(SCRIPT)

    def results() -> int:
        return len(list(folder.glob("points/*.json")))

    workers: list[int] = []
    for more in (5, 10):
        there = results()
        with started(sys.executable, str(script), str(folder)) as process:
            until(lambda: results() >= there + more)  # noqa: B023
            workers += children_of(process.pid)
            process.send_signal(signal.SIGKILL)
    assert workers and not (folder / TABLE).exists()
    until(lambda: not any(alive(worker) for worker in workers), 30)
    found = swept(folder, MORE)
    assert 15 <= found.resumed < 96
    swept(tmp_path / "whole", MORE)
    assert (folder / TABLE).read_bytes() == (tmp_path / "whole" / TABLE).read_bytes()
    names = sorted(path.name for path in folder.glob("points/*"))
    assert names == sorted(path.name for path in (tmp_path / "whole").glob("points/*"))


def alive(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace('if __name__ == "__main__"', "if True"))
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode and "below if __name__ == '__main__'" in done.stderr


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list["subprocess.Popen[str]"]]]:
    """Start a scheduler and workers of one thread, without nannies; yield address and workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    python = (sys.executable, "-m", "distributed.cli.dask_scheduler")
    local = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show")
    with started(*python, *local):
        command = (sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny")
        own = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
        running = [started(*command, *own) for _ in range(workers)]
        processes = [one.__enter__() for one in running]
        try:
            yield address, processes
        finally:
            for one in running:
                one.__exit__(None, None, None)


@pytest.mark.slow
def test_two_dask_workers_of_which_one_is_killed(tmp_path: Path) -> None:
    from spikelet.sweeps.dask_workers import DaskWorkers  # the extra cluster comes with the tests

    with cluster(tmp_path / "dask") as (address, workers):
        seen: list[Point] = []

        def each(point: Point) -> None:
            seen.append(point)
            if len(seen) == 20:
                workers[0].send_signal(signal.SIGKILL)

        found = swept(tmp_path / "sweep", MORE, on=address, each=each)
        assert workers[0].wait(10) and workers[1].poll() is None
        assert len(seen) == 96 and not any(point.failure for point in found.points)
        other = replace_versions(found)
        with pytest.raises(SpikeletError, match="has another version: spikelet .*here 0.0.1"):
            DaskWorkers(other, address)
    assert found.table == swept(None, MORE).table


def replace_versions(found: Sweep) -> Bench:
    """Return a bench that was made by another version."""
    network, samples = task()
    versions = {**found_versions(found), "spikelet": "0.0.1"}
    return Bench(network, "", samples, {}, found.measures, "LFE5U-85F", None, versions)


def found_versions(found: Sweep) -> dict[str, str]:
    assert found.folder is not None
    tools: dict[str, str] = json.loads((found.folder / "artefact.json").read_text())["tools"]
    return tools


@pytest.mark.slow
def test_no_scheduler_one_without_workers_and_one_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikelet.sweeps import dask_workers

    monkeypatch.setattr(dask_workers, "_CONNECT_S", 5.0)
    for address in (f"tcp://127.0.0.1:{free_port()}", "nowhere://x"):
        with pytest.raises(SpikeletError, match="no Dask scheduler answers"):
            swept(tmp_path / "a", on=address)
    with (
        cluster(tmp_path / "dask", 0) as (address, _),
        pytest.raises(SpikeletError, match="has no workers"),
    ):
        swept(tmp_path / "a", on=address)
    assert swept(tmp_path / "a", workers=1).resumed == 0, "and nothing is in the way"


def test_who_is_left_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After what is out has not come for long, it is asked."""
    from concurrent.futures import Future

    from spikelet.sweeps import carry_out as carrying
    from tests.sweeps.helpers import Here

    class Alone(Here):
        def submit(self, configuration: Configuration) -> "Future[Point]":
            return Future()

        def check(self) -> None:
            raise SpikeletError("no worker is left")

    monkeypatch.setattr(carrying, "_PATIENCE_S", 0.01)
    bench: Any = None
    with pytest.raises(SpikeletError, match="no worker is left"):
        carry_out(Alone(bench), [{"lanes": 1}], lambda point: None)
