"""Doctor: every tool, its version, where it was found, and what repairs one that is missing."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from spikelet.description.installation import PACKAGES, Package, install_command
from spikelet.fpga.families import families

__all__ = ["PROGRAMS", "Finding", "examine"]

PROGRAMS = (
    # names, Debian package, what it is for, needed by the demo
    (("g++", "clang++"), "g++", "compiled simulation", True),
    (("cc", "gcc", "clang"), "gcc", "fast golden model", False),
    (("make",), "make", "simulation by FuseSoC", False),
    (("perl",), "perl", "simulation by FuseSoC", False),
    (("git",), "git", "fetching the source", False),
    (("iverilog",), "iverilog", "simulation in Icarus", False),
    (("yosys",), "yosys", "synthesis by FuseSoC", False),
    (("chromium", "chromium-browser"), "chromium", "tests of the report's page", False),
)
"""Programs that do not come from the package index; those that a user calls stand in the README."""

_DEMO = ("", "chip", "fpga", "report")
"""Extras that the demo needs."""


@dataclass(frozen=True)
class Finding:
    """One tool.

    Parameters
    ----------
    name, purpose : str
    version, place : str
        Empty if it was not found.
    remedy : str
        The command that installs it; empty if it was found.
    required : bool
        Whether the demo needs it.
    """

    name: str
    purpose: str
    version: str
    place: str
    remedy: str
    required: bool


def examine() -> list[Finding]:
    """Look at every tool."""
    python = Finding("python", "everything", platform.python_version(), sys.executable, "", True)
    brought = [package for family in families() for package in family.packages]
    packages = map(_package, (*PACKAGES, *brought))
    return [python, *packages, _yices(), *map(_program, PROGRAMS), _venv()]


def _package(package: Package) -> Finding:
    required = package.extra in _DEMO
    spec = find_spec(package.module)
    if spec is not None and spec.origin is not None:
        return Finding(
            package.name,
            package.purpose,
            _package_version(package.name),
            spec.origin,
            "",
            required,
        )
    return Finding(package.name, package.purpose, "", "", install_command(package.extra), required)


def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # copied rather than installed
        return "?"


def _yices() -> Finding:
    """Look for Yices, a package without a module."""
    folder = str(Path(sys.executable).parent)
    place = shutil.which("yices-smt2", path=folder) or shutil.which("yices-smt2")
    if place:
        return Finding("yices-smt2", "proofs", _version(place), place, "", False)
    return Finding("yices-smt2", "proofs", "", "", install_command("formal"), False)


def _program(entry: tuple[tuple[str, ...], str, str, bool]) -> Finding:
    names, package, purpose, required = entry
    for name in names:
        place = shutil.which(name)
        if place:
            asked = "-V" if name == "iverilog" else "--version"
            return Finding(name, purpose, _version(place, asked), place, "", required)
    return Finding(names[0], purpose, "", "", f"sudo apt-get install {package}", required)


def _venv() -> Finding:
    """Look for what makes virtual environments, which Debian packs by itself."""
    spec = find_spec("ensurepip")
    if spec is not None and spec.origin is not None:
        version = platform.python_version()
        return Finding("ensurepip", "python3 -m venv", version, spec.origin, "", False)
    remedy = "sudo apt-get install python3-venv"
    return Finding("ensurepip", "python3 -m venv", "", "", remedy, False)


def _version(program: str, asked: str = "--version") -> str:
    """Return the first line that a program says of its version."""
    try:
        done = subprocess.run(
            [program, asked], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return lines[0] if lines else "?"
