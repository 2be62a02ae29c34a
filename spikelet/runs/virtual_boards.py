"""Virtual boards: what the bitstream of a board is made of, in simulation, driven by its pins."""

from spikelet.boards import Board
from spikelet.description.chip.params import ChipParams
from spikelet.fpga.link_top import LinkTop
from spikelet.host.serial_port import BAUD
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.verilator import Design
from spikelet.sim.virtual_board import VirtualBoard

__all__ = ["LARGEST_MISMATCH", "lit_leds", "rate_mismatch", "virtual_board"]

LARGEST_MISMATCH = 0.03
"""Of the rates of a host and a board, up to which every byte is understood."""


def virtual_board(
    chip: ChipParams,
    board: Board,
    *,
    baud: int = BAUD,
    offset: float = 0.0,
    damage: float = 0.0,
    seed: int = 0,
    time_limit_s: float = 1.0,
    optimise: str = "run",
) -> VirtualBoard:
    """Return a board with a chip behind its host link.

    Parameters
    ----------
    chip : ChipParams
    board : Board
    baud, time_limit_s
        As for :class:`LinkTop`.
    offset, damage, seed, optimise
        As for :class:`VirtualBoard`.

    Raises
    ------
    SpikeletError
        If a value is out of its range, the board's clock cannot be divided to the rate, or a tool
        is missing or fails.
    """
    top = LinkTop(chip, board, baud=baud, time_limit_s=time_limit_s)
    return VirtualBoard(
        Design(to_verilog(top, "top")),
        clock_hz=board.clock_hz,
        baud=baud,
        name=f"virtual {board.name}",
        button_inverted=board.pin("button").inverted,
        offset=offset,
        damage=damage,
        seed=seed,
        optimise=optimise,
    )


def rate_mismatch(clock_hz: int, divider: int, baud: int, offset: float) -> float:
    """Return by how much a host's rate, with its offset, is above that of a board."""
    return baud * (1 + offset) * divider / clock_hz - 1


def lit_leds(board: Board, levels: int) -> list[bool]:
    """Return which LEDs are lit, from LED 0 on, for the levels of their pins."""
    return [bool(levels >> at & 1) != led.inverted for at, led in enumerate(board.leds)]
