"""What to do with a bitstream, in words."""

import shlex
from pathlib import Path

from spikelet.boards import BOARDS
from spikelet.fpga.flow import FpgaReport
from spikelet.images.image import FLASH_FILE
from spikelet.images.kinds import image_kind

__all__ = ["after_build"]


def after_build(folder: Path, report: FpgaReport) -> list[str]:
    """Return lines that say where the bitstream is, how to program it, and what the LEDs mean.

    Parameters
    ----------
    folder : Path
        That of the build.
    report : FpgaReport
        Of it; a bare device has no bitstream, and its lines say so.
    """
    folder = folder.resolve()
    if not report.bitstream:
        return [f"  files: {folder}; a bare device has no pins, so no bitstream: build for a board"]
    board = BOARDS[report.board]
    path = folder / report.bitstream
    first, *others = (f"{command} {shlex.quote(str(path))}" for command in board.programmers)
    kept = [f"{c} {shlex.quote(str(path))}" for c in board.flash_programmers]
    return [
        f"  bitstream: {path}",
        f"  program it: {first}",
        *(f"          or: {other}" for other in others),
        *(f"  to keep it, into the flash: {command}" for command in kept[:1]),
        *_flash(folder, report),
        *image_kind(report.image).guidance(board),
    ]


def _flash(folder: Path, report: FpgaReport) -> list[str]:
    """Return how to write what the chip loads from the board's flash, if it does."""
    if "flash_offset" not in report.settings:
        return []
    path, offset = folder / FLASH_FILE, report.settings["flash_offset"]
    commands = BOARDS[report.board].flash_programmers
    first, *others = (f"{command} -o {offset} {shlex.quote(str(path))}" for command in commands)
    return [
        f"  weights: {path}",
        f"  write them into the flash: {first}",
        *(f"                         or: {other}" for other in others),
    ]
