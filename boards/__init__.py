"""Boards: pins, clocks and devices, one file each, on amaranth-boards' platform classes."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikelet.boards.board import Board
from spikelet.boards.gatemate_evb import GATEMATE_EVB
from spikelet.boards.ice40_hx8k_breakout import ICE40_HX8K_BREAKOUT
from spikelet.boards.icebreaker import ICEBREAKER
from spikelet.boards.ulx3s import ULX3S, ULX3S_85F
from spikelet.description.errors import SpikeletError
from spikelet.description.pins import Pin

__all__ = ["BOARDS", "ICEBREAKER", "ULX3S_85F", "Board", "Pin", "board_named", "registered"]

BOARDS = {board.name: board for board in (*ULX3S, ICEBREAKER, ICE40_HX8K_BREAKOUT, GATEMATE_EVB)}
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


@contextmanager
def registered(board: Board) -> Iterator[Board]:
    """Make a board of one's own known by name, as a target, in a ``with`` block.

    SpikeletError if there is a board of that name already.
    """
    if board.name.casefold() in (name.casefold() for name in BOARDS):
        raise SpikeletError(
            f"board {board.name!r} cannot be registered: there is a board of that name",
            remedy="give it a name of its own",
        )
    BOARDS[board.name] = board
    try:
        yield board
    finally:
        del BOARDS[board.name]
