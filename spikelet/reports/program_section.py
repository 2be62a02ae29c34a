"""The report's part on how a board is programmed with what was built."""

import shlex
from typing import Any

from spikelet.reports.section import Parts, Section

__all__ = ["SECTION", "content"]


def content(parts: Parts) -> dict[str, Any] | None:
    """Return of each build for a board ``board``, ``bitstream``, ``command``, ``look``; or None."""
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
                "look": list(parts.guidance.get(build.board, ())),
            }
        )
    return {"boards": boards} if boards else None


SECTION = Section("program", "How to program the board", "program_section.html.j2", content)
