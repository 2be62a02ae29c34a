"""The report's part on how a board is programmed with what was built."""

import shlex
from typing import Any

from spikelet.boards import board_named
from spikelet.description.errors import SpikeletError
from spikelet.fpga.flow import FpgaReport
from spikelet.images.kinds import image_kind
from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content"]


def content(parts: Parts) -> dict[str, Any] | None:
    """Return of each build for a board ``board``, ``bitstream``, ``command``, ``look``; or None.

    ``command`` is carried out in the folder above the project's.
    """
    boards = []
    for build in parts.fpga:
        if not build.board or not build.bitstream:
            continue
        chosen = f" --image {shlex.quote(build.image)}" if build.image else ""
        boards.append(
            {
                "board": build.board,
                "bitstream": build.bitstream,
                "command": f"spikelet program FOLDER {shlex.quote(build.board)}{chosen}",
                "look": _look(build),
            }
        )
    return {"boards": boards} if boards else None


def _look(build: FpgaReport) -> list[str]:
    """Return what to look at then; nothing for a board or image that is not known here."""
    try:
        lines = image_kind(build.image or None).guidance(board_named(build.board))
    except SpikeletError:
        return []
    return [line.strip() for line in lines]


SECTION = Section("program", "How to program the board", "program_section.html.j2", content)
