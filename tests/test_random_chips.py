"""The long differential run: what it keeps, that it goes on, and that it finds a difference."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import random_chips
from benchmarks.random_chips import Kept, Outcome, table
from spikelet.golden.chip import GoldenChip

STRUCTURE = 8


def test_results_are_kept_and_what_failed_or_was_cut_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "kept.jsonl"
    kept = Kept(path)
    kept.add(Outcome(1, 0, {"cores": ["2"]}, 5, 6))
    kept.add(Outcome(1, 1, failure="TypeError: no"))
    kept.add(Outcome(2, 0))
    path.write_text(path.read_text()[:-9])
    again = Kept(path)
    assert again.outcomes == {(1, 0): Outcome(1, 0, {"cores": ["2"]}, 5, 6)}
    again.add(Outcome(1, 1))
    assert Kept(path).outcomes.keys() == {(1, 0), (1, 1)}


def test_the_table_counts_by_kind() -> None:
    rows = table(
        [
            Outcome(1, 0, {"neuron": ["a", "b"], "learning": ["no"]}, 1000, 0),
            Outcome(1, 1, {"neuron": ["a"], "learning": ["yes"]}, 234, 0, "differs"),
        ]
    )
    assert rows[2:] == [
        "| all |  | 2 | 1,234 | 1 |",
        "| learning | no | 1 | 1,000 | 0 |",
        "| learning | yes | 1 | 234 | 1 |",
        "| neuron | a | 2 | 1,234 | 1 |",
        "| neuron | b | 1 | 1,000 | 0 |",
    ]


def test_a_structure_of_either_kind_is_drawn() -> None:
    kinds = [random_chips.kinds_of(random_chips.random_structure(n)) for n in range(6)]
    assert ["yes" in found["learning"] for found in kinds] == [False, True] * 3
    assert len({str(found) for found in kinds}) == 6


@pytest.mark.slow
def test_a_run_goes_on_and_a_difference_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, one structure; the second run finds the first one's results."""
    ran: list[int] = []
    compared = random_chips._compared

    def counting(engine: object, structure: int, contents: int, kinds: object) -> Outcome:
        ran.append(contents)
        return compared(engine, structure, contents, kinds)

    class InProcess:
        """Stands for the pool of processes."""

        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> "InProcess":
            return self

        def __exit__(self, *_: object) -> None: ...
        def imap_unordered(self, work: object, items: object) -> object:
            return map(work, items)

    monkeypatch.setattr(random_chips, "_compared", counting)
    monkeypatch.setattr(random_chips.multiprocessing, "get_context", lambda _: random_chips)
    monkeypatch.setattr(random_chips, "Pool", InProcess, raising=False)
    report = tmp_path / "report.json"

    def run(count: int) -> int:
        options = ("--folder", str(tmp_path), "--first-structure", str(STRUCTURE))
        command = ["random_chips", "--count", str(count), *options, "--json", str(report)]
        monkeypatch.setattr(sys, "argv", command)
        return random_chips.main()

    assert run(2) == 0
    assert ran == [0, 1]
    assert run(3) == 0
    assert ran == [0, 1, 2]
    found = json.loads(report.read_text())
    assert (found["configurations"], found["structures"], found["failures"]) == (3, 1, [])
    assert found["spikes"] > 0

    golden = GoldenChip.run

    def wrong(self: GoldenChip, *given: object, **named: object) -> object:
        trace = golden(self, *given, **named)
        if self.notes["backend"] == "numpy":
            trace.states[0]["v"][0, 3, 0] ^= 1
        return trace

    monkeypatch.setattr(GoldenChip, "run", wrong)
    assert run(4) == 1
    (failure,) = json.loads(report.read_text())["failures"]
    assert failure["contents"] == 3
    assert "RTL to numpy: v differ first at sample 0, tick 3" in failure["failure"]
    monkeypatch.setattr(GoldenChip, "run", golden)
    assert run(4) == 0
    assert ran == [0, 1, 2, 3, 3], "what failed is tried again"
