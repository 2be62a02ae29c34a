"""The README: its commands and packages are those of the code, and its text runs as it stands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikelet.cli import main
from spikelet.doctor import PROGRAMS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
INSTALLING = (ROOT / "docs/installing.md").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
EXPORTED = ROOT / "tests/fixtures/snntorch"


def block(mark: str) -> str:
    """Return the commands behind a mark."""
    return README.partition(f"<!-- {mark} -->\n```sh\n")[2].partition("```")[0]


def section(title: str) -> str:
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_packages_are_those_that_doctor_looks_for() -> None:
    named = block("Debian packages").split("apt-get install ")[1].split()
    packages = {package for _, package, *_ in PROGRAMS} - {"gcc"}  # comes with g++
    assert set(named) == packages | {"python3-venv"}
    assert block("Debian packages") in INSTALLING


def test_extras_are_explained() -> None:
    for extra in EXTRAS:
        assert re.search(rf"^\|.*`{extra}`.* \| ", INSTALLING, re.MULTILINE), extra


def test_ci_finds_the_commands() -> None:
    """``.ci/run`` reads them from the README."""
    script = (ROOT / ".ci/run").read_text()
    for mark in re.findall(r'block "([\w ]+)"', script):
        assert block(mark).count("\n") == 1, mark
    assert block("test command").rstrip().endswith(".venv/bin/pytest")
    assert block("main command").rstrip().endswith(".venv/bin/spikelet demo")
    subprocess.run(["bash", "-n", str(ROOT / ".ci/run")], check=True)


def test_an_old_python_is_refused_before_anything_is_fetched() -> None:
    """``setup.py``, which pip runs first, run as by a Python 3.9."""
    code = "import sys; sys.version_info = (3, 9, 2); exec(open('setup.py').read())"
    done = subprocess.run(
        [sys.executable, "-c", code, "egg_info"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Spikelet needs Python 3.11 or later; this is Python 3.9 (")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with what the README's user has: an exported file, and samples."""
    shutil.copyfile(EXPORTED / "leaky.nir", tmp_path / "network.nir")
    recorded = np.load(EXPORTED / "recorded.npz")
    labels = recorded["leaky_output"].sum(axis=1).argmax(axis=1)
    np.savez(tmp_path / "samples.npz", spikes=recorded["leaky_spikes"], labels=labels)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[str]:
    return re.search(r"```sh\n(.*?)```", section("Your own network"), re.DOTALL)[1].splitlines()


@pytest.mark.filterwarnings("default::spikelet.description.errors.SpikeletWarning")
def test_your_own_network_compiles_as_it_stands(own: Path) -> None:
    for command, verb in zip(commands(), ("check", "compile"), strict=False):
        words = shlex.split(command, comments=True)
        assert words[1:3] == [verb, "network.nir"] and "--dt" not in words
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, result.output
    assert (own / "build/mine/rtl/chip.v").exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)  # the place-and-route tools compile themselves at their first call
def test_your_own_network_does_all_as_it_stands(own: Path) -> None:
    """Both blocks of the section, in a shell and in Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "set -e\n" + "\n".join(commands())
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=own,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "network.nir: approximate" in done.stdout
    assert "is read as snnTorch 1.0 writes it (--framework)" in " ".join(done.stdout.split())
    assert "openFPGALoader -b ulx3s" in done.stdout
    assert (own / "build/mine/report/index.html").exists()
    python = re.search(r"```python\n(.*?)```", section("Your own network"), re.DOTALL)[1]
    done = subprocess.run(
        [sys.executable, "-c", python], cwd=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 0 <= float(done.stdout) <= 1
