"""Boards: pins, clocks and devices, one file each, on amaranth-boards' platform classes."""

from spikelet.boards.board import Board, Pin
from spikelet.boards.icebreaker import ICEBREAKER
from spikelet.boards.ulx3s import ULX3S_85F
from spikelet.description.errors import SpikeletError

__all__ = ["BOARDS", "Board", "Pin", "board_named"]

BOARDS = {board.name: board for board in (ULX3S_85F, ICEBREAKER)}
"""The boards by name."""


def board_named(name: str) -> Board:
    """Return the board called ``name``, in any case; SpikeletError lists the names otherwise."""
    for board in BOARDS.values():
        if board.name.lower() == name.lower():
            return board
    raise SpikeletError(
        f"board must be one of {', '.join(BOARDS)}, not {name!r}",
        remedy="choose one of these boards",
    )
