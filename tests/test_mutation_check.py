"""The mutation check: which tests it runs for a fault, and that it finds what they find."""

from pathlib import Path

import pytest

from benchmarks.mutants import mutants_of
from benchmarks.mutation import Baseline
from benchmarks.mutation_copy import ROOT, Copy

FILE = "golden/timing.py"
TESTS = "tests/golden/test_timing.py"
BY_HAND = f"{TESTS}::test_the_barrier_is_passed_twice"


def test_the_likeliest_and_quickest_tests_come_first() -> None:
    (fault,) = mutants_of("a.py", "x = 1\n")
    seconds = {"t.py::slow": 9.0, "t.py::quick": 1.0, "u.py::user": 2.0, "v.py::other": 0.1}
    lines = {
        "t.py::slow": {"a.py": frozenset({1, 7})},
        "t.py::quick": {},
        "u.py::user": {"a.py": frozenset({7})},
        "v.py::other": {"b.py": frozenset({1})},
    }
    assert Baseline(seconds, lines).tests_for(fault) == ["t.py::slow", "t.py::quick"]
    # None runs the line: those that run the file first, then all others.
    lines["t.py::slow"] = {"a.py": frozenset({7})}
    assert Baseline(seconds, lines).tests_for(fault) == [
        *("u.py::user", "t.py::slow"),
        *("v.py::other", "t.py::quick"),
    ]


@pytest.mark.slow
def test_faults_in_a_copy_are_found_and_taken_out_again(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    found, output = copy.run([TESTS], None, 60, trace=[FILE])
    assert found is not None and found["failed"] == [], output
    assert found["foreign"] == {}
    assert BY_HAND in found["seconds"]
    source = (ROOT / FILE).read_text()
    faults = mutants_of(FILE, source)
    (barrier,) = (
        fault
        for fault in faults
        if fault.text.startswith("return slowest + 2") and fault.before == "2"
        if [FILE, fault.line] in found["lines"][BY_HAND]
    )
    with copy.fault(barrier):
        found, output = copy.run([TESTS], [BY_HAND], 60)
        assert found is not None and found["failed"] == [BY_HAND], output
        assert (ROOT / FILE).read_text() == source
    found, output = copy.run([TESTS], [BY_HAND], 60)
    assert found is not None and found["failed"] == [], output
    hanging = tmp_path / "repository" / "tests" / "test_hanging.py"
    hanging.write_text("def test_hanging():\n    while True:\n        pass\n")
    assert copy.run(["tests/test_hanging.py"], None, 1)[0] is None
