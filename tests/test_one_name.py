"""Only ``spikelet`` is installed, and what is in it comes from one tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(
    path.name for path in (ROOT / ".types" / "spikelet").iterdir() if (ROOT / path.name).is_dir()
)
"""Folders beside ``spikelet/`` that are imported as parts of it."""

PLACES = """
import sys, spikelet.golden.chip, spikelet.sim.engine, spikelet.fpga.flow, spikelet.boards
from spikelet.compiler.compiled import CompiledNetwork
for name, module in sys.modules.items():
    if name.split(".")[0] == "spikelet":
        print(module.__file__)
"""


def run(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    (folder / "script.py").write_text(script)
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_users_own_modules_are_left_alone(tmp_path: Path) -> None:
    names = [*FOLDERS, "errors", "cache", "compiler", "network", "tests"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"mine = {name!r}\n")
    own = "".join(f"import {name}\nassert {name}.mine == {name!r}\n" for name in names)
    done = run(own + PLACES, tmp_path)
    assert not done.returncode, done.stderr


def test_all_parts_come_from_the_tree_whose_package_is_imported(tmp_path: Path) -> None:
    """A second checkout, run in the environment of the first, is whole."""
    for name in ("spikelet", *FOLDERS):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = run(PLACES, tmp_path)
    assert not done.returncode, done.stderr
    files = done.stdout.split()
    assert len(files) > 50
    assert [file for file in files if not Path(file).is_relative_to(tmp_path)] == []


def test_tests_refuse_a_package_of_another_tree(tmp_path: Path) -> None:
    for name in ("spikelet", *FOLDERS):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = [
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
        "-n",
        "0",
        str(ROOT / "tests/test_one_name.py"),
    ]
    done = run(f"import spikelet, pytest, sys; sys.exit(pytest.main({options}))", tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"spikelet was imported from {tmp_path}" in done.stderr


def test_type_checking_sees_every_module() -> None:
    """mypy finds what is imported through links, one for each entry of the package."""
    links = {path.name: path for path in (ROOT / ".types" / "spikelet").iterdir()}
    own = {path.name for path in (ROOT / "spikelet").iterdir() if path.name != "__pycache__"}
    assert links.keys() - set(FOLDERS) == own
    for name, link in links.items():
        assert link.is_symlink()
        assert link.resolve() == (ROOT / "spikelet" / name if name in own else ROOT / name)
