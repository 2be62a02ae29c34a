"""Yosys, from the pyosys package, in a process of its own. No twin: it computes nothing."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require

__all__ = ["LINT_WAIVERS", "run_yosys", "yosys_share"]

LINT_WAIVERS = {
    "CASEOVERLAP": "yosys writes one multiplexer of several cases as a function with casez",
    "DECLFILENAME": "a chip is one file of many modules",
    "PROCASSINIT": "yosys gives registers that a process assigns an initial value",
    "UNOPTFLAT": "yosys assigns parts of a vector, some of them copies; Amaranth refuses loops",
    "UNUSEDSIGNAL": "yosys keeps each wire of the source, whole, also where a part is used",
    "WIDTHEXPAND": "yosys leaves extension to the language",
    "WIDTHTRUNC": "yosys leaves truncation to the language",
}
"""Warnings of ``verilator --lint-only -Wall`` that come from how yosys writes Verilog, and why."""

_RUNNER = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1])"


def yosys_share() -> Path:
    """Return the folder of Yosys's cell models and technology files."""
    return require("pyosys", "yosys") / "share"


def run_yosys(script: str, folder: Path, name: str = "yosys") -> None:
    """Run a script in ``folder``; it is kept as ``NAME.ys`` and the output as ``NAME.log``.

    SpikeletError with the error line of the log if Yosys fails.
    """
    yosys_share()
    (folder / f"{name}.ys").write_text(script)
    log = folder / f"{name}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-c", _RUNNER, f"{name}.ys"],
            cwd=folder,
            env=_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        lines = log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if "ERROR" in line] or lines[-1:]
        raise SpikeletError(
            f"yosys failed (status {done.returncode}): {' '.join(errors[:1])}",
            remedy=f"see {log}",
        )


def _environment() -> dict[str, str]:
    """Return the environment; abc fails in a temporary folder whose path has a blank or a quote."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if re.fullmatch(r"[\w/.+-]+", place, re.ASCII) and os.access(place, os.W_OK | os.X_OK):
            return {**os.environ, "TMPDIR": place}
    return dict(os.environ)
