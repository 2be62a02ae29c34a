"""Tests that are out of time are counted, not hidden; any other skipped test is an error."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import skipped

ROOT = Path(__file__).parents[1]
PASSING = "tests/test_skipped.py::test_a_skipped_test_is_an_error"


def results(path: Path, *options: str) -> str:
    """Run a test of this file in a process of its own; return the name of its record."""
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        [*command, PASSING, f"--junit-xml={path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return str(path)


def test_what_would_begin_too_late_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = results(tmp_path / "late.xml", "--begin-until=1")
    ran = results(tmp_path / "ran.xml", "--begin-until=1e12")
    assert skipped.main([ran, late]) == 0
    name = PASSING.partition("::")[2]
    said = f"skipped: tests.test_skipped.{name}: out of time"
    assert capsys.readouterr().out.splitlines() == [
        said,
        "tests that ran: 1; out of time: 1; skipped: 0",
    ]
    assert skipped.main([late]) == 1


def test_a_skipped_test_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    case = '<testcase classname="a" name="b">{}</testcase>'
    path.write_text(f"<testsuite>{case.format('')}</testsuite>")
    assert skipped.main([str(path)]) == 0
    skip = case.format('<skipped message="no tool"/>')
    path.write_text(f"<testsuite>{case.format('')}{skip}</testsuite>")
    assert skipped.main([str(path)]) == 1
