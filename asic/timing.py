"""The longest path of gates before layout, by OpenSTA where it is installed."""

import re
import shutil
import subprocess
from pathlib import Path

from spikelet.description.errors import SpikeletError

__all__ = ["longest_path_ps"]

_SCRIPT = """\
read_liberty cells.lib
read_verilog netlist.v
link_design {top}
read_sdc constraints.sdc
report_checks -path_delay max -digits 4
exit
"""
_SLACK = re.compile(r"^\s*(-?[\d.]+)\s+slack", re.M)
_UNIT = re.compile(r'\btime_unit\s*:\s*"\s*([\d.]+)\s*(ps|ns)\s*"')
_PICOSECONDS = {"ps": 1.0, "ns": 1000.0}


def longest_path_ps(folder: Path, top: str, period_ps: float) -> float | None:
    """Return the shortest clock cycle, in ps, that OpenSTA finds enough; None without OpenSTA.

    From clock to clock, with what flip-flops, input and output delays and uncertainty take; memory
    macros, which have no delays, are left out.

    Parameters
    ----------
    folder : Path
        With ``cells.lib``, ``netlist.v`` and ``constraints.sdc``, of a clock of ``period_ps``.
    top : str
    period_ps : float

    Raises
    ------
    SpikeletError
        If OpenSTA fails.
    """
    program = shutil.which("sta")
    if program is None:
        return None
    (folder / "timing.tcl").write_text(_SCRIPT.format(top=top))
    command = [program, "-no_splash", "-exit", "timing.tcl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    log = done.stdout + done.stderr
    (folder / "timing.log").write_text(log)
    slack = _SLACK.search(log)
    if done.returncode or slack is None:
        raise SpikeletError(
            f"OpenSTA ({program}) failed: {log.strip().splitlines()[-1] if log.strip() else ''}",
            remedy=f"see {folder / 'timing.log'}",
        )
    unit = _UNIT.search((folder / "cells.lib").read_text(errors="replace"))
    scale = float(unit[1]) * _PICOSECONDS[unit[2]] if unit else 1000.0
    return period_ps - float(slack[1]) * scale
