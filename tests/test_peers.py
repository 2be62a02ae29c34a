"""The benchmark beside other simulators: engines, environments, page; no peer is installed."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.peers import environments
from benchmarks.peers.engine import Engine
from benchmarks.peers.environments import REQUIREMENTS, environment_of, python_of
from benchmarks.peers.page import page
from benchmarks.peers.tasks import TASKS
from spikelet.description.errors import SpikeletError

CPU = str(max(os.sched_getaffinity(0)))


@pytest.mark.parametrize("name", TASKS)
def test_each_engine_of_a_task_is_there(name: str) -> None:
    task = TASKS[name]
    for side, engines in (("golden", task.golden), ("peers", task.peers)):
        found = import_module(f"benchmarks.peers.{task.family}_{side}").ENGINES
        assert set(engines) <= set(found)
    assert {environment_of(peer) for peer in task.peers} <= set(REQUIREMENTS)
    assert set(task.goals) <= set(task.peers)


def test_engines_are_processes_that_run_once_a_measurement() -> None:
    engines = [
        Engine(name, Path(sys.executable), ["layers", name, CPU]) for name in TASKS["layers"].golden
    ]
    try:
        for _ in range(2):
            for engine in engines:
                engine.measure()
    finally:
        for engine in engines:
            engine.close()
    compiled, numpy = engines
    assert compiled.spikes == numpy.spikes and sum(compiled.spikes) > 10
    assert len(compiled.seconds) == len(numpy.seconds) == 2
    assert 0 < compiled.seconds[0] < numpy.seconds[0]
    assert "numpy" in compiled.versions
    with pytest.raises(SpikeletError, match="golden compiled has ended"):
        compiled.measure()


def test_an_engine_that_cannot_be_built_says_why() -> None:
    with pytest.raises(SpikeletError, match="ModuleNotFoundError: No module named '(torch|sinabs)"):
        Engine("sinabs", Path(sys.executable), ["layers", "sinabs", CPU])


def test_an_environment_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(environments.REQUIREMENTS, "nobody", (str(tmp_path / "absent"),))
    said: list[str] = []
    with pytest.raises(SpikeletError, match="nobody cannot be installed: .*absent"):
        python_of("nobody", tmp_path / "environments", said.append)
    assert len(said) == 1 and list((tmp_path / "environments").iterdir()) == []


def test_the_page_says_what_was_not_reached_and_what_was_left_out() -> None:
    row = {"spikes": 1234, "set_up_seconds": 1.0, "peak_gigabytes": 0.5, "operations_per_s": 2e9}
    task = {
        "title": "64 cores",
        "engines": {
            "golden compiled": {**row, "ticks_per_s": 8e4, "equal": True},
            "Brian2": {**row, "ticks_per_s": 2e4, "equal": False},
        },
        "ratios": {"Brian2": 4.0},
        "goals": {"Brian2": 8.0, "NEST": 8.0},
        "reached": {"Brian2": False},
        "left_out": {"NEST": "no such package"},
    }
    text = page({"tasks": {"cores": task}, "rounds": 3, "tools": {"numpy": "2"}})
    assert "| Brian2 | 20.000 | 4.00 | 1,234 | no | >= 8 | **not reached** |" in text
    assert "NEST was left out: no such package" in text
    assert "| 64 cores | 2.00 | 1.0 | 0.50 |" in text
    assert "Medians of 3 rounds. Tools: numpy 2." in text
