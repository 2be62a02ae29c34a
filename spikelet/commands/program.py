"""``spikelet program``: a bitstream into a board."""

from pathlib import Path

import click

from spikelet.commands.options import NETWORK
from spikelet.terminal import Terminal, printing_options

__all__ = ["program"]


@click.command()
@NETWORK
@click.argument("board")
@click.option("--image", help="Which of the board's bitstreams: self-test (by default), ...")
@click.option("--flash", is_flag=True, help="Into the flash, from which the board starts again.")
@printing_options
def program(terminal: Terminal, network: Path, board: str, image: str | None, flash: bool) -> None:
    """Load what build made of NETWORK, a project folder, for BOARD into it, by openFPGALoader."""
    from spikelet.boards import board_named
    from spikelet.images.kinds import image_kind
    from spikelet.programming import program_board
    from spikelet.project import opened

    chosen = board_named(board)
    folder = opened(network, None).build_folder(chosen.name, image)
    command = program_board(chosen, folder, flash=flash, say=terminal.say)
    terminal.say(f"{chosen.name}: programmed")
    for line in image_kind(image).guidance(chosen):
        terminal.say(line)
    terminal.result({"board": chosen.name, "command": command})
