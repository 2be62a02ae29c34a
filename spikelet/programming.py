"""A bitstream into a board, by openFPGALoader."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from spikelet.boards import Board
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import not_installed
from spikelet.fpga.flow import FpgaReport

__all__ = ["LOADER", "program_board"]

LOADER = "openFPGALoader"


def program_board(
    board: Board, folder: Path, *, flash: bool, say: Callable[[str], None] = lambda line: None
) -> list[str]:
    """Load the bitstream of a build into a board; return the command.

    Parameters
    ----------
    board : Board
    folder : Path
        That of the build.
    flash : bool
        Whether the bitstream is written to the board's flash.
    say : callable
        Told what the loader prints.

    Raises
    ------
    SpikeletError
        If there is no such build, it is for another board, or the loader is missing or fails.
    """
    report = FpgaReport.load(folder)
    if report.board != board.name:
        raise SpikeletError(
            f"{folder} holds a build for {report.board or report.device}, not for {board.name}",
            remedy=f"spikelet build FOLDER {board.name}",
        )
    words = next((p.split() for p in board.programmers if p.split()[0] == LOADER), None)
    if words is None:
        raise SpikeletError(
            f"{LOADER} does not know {board.name}",
            remedy=f"program it with {' or '.join(board.programmers)}",
        )
    command = [_loader(), *words[1:], *(["-f"] if flash else [])]
    command.append(str((folder / report.bitstream).absolute()))
    say(shlex.join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SpikeletError(f"{LOADER} cannot be run: {error}", remedy="reinstall it") from error
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    for line in lines:
        say(f"  {line}")
    if done.returncode:
        raise SpikeletError(
            f"{LOADER} failed ({done.returncode}): {lines[-1] if lines else 'it printed nothing'}",
            remedy=f"plug {board.name} in; on Linux its USB device must be yours to write: install "
            "the udev rules of openFPGALoader",
        )
    return command


def _loader() -> str:
    """Return the path of the loader: beside this Python, or of the system."""
    places = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    found = shutil.which(LOADER, path=places)
    if found is None:
        raise not_installed("openfpgaloader", "spikelet program")
    return found
