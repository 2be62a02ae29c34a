"""Yosys, from the pyosys package, in a process of its own. No twin: it computes nothing."""

import subprocess
import sys
from pathlib import Path

from spikelet.errors import SpikeletError
from spikelet.installation import require

__all__ = ["run_yosys", "yosys_share"]

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
