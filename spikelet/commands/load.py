"""``spikelet load``: weights of a network into a chip on a board that runs its structure."""

from pathlib import Path

import click

from spikelet.commands.options import BAUD, NETWORK, PORT
from spikelet.terminal import Terminal, printing_options

__all__ = ["load"]


@click.command()
@NETWORK
@PORT
@BAUD
@printing_options
def load(terminal: Terminal, network: Path, port: str, baud: int) -> None:
    """Load NETWORK, a project folder, into a board whose bitstream has the same structure.

    All that is written is read back and compared.
    """
    from spikelet.host.board_port import BoardPort
    from spikelet.host.driver import Chip
    from spikelet.project import opened

    compiled = opened(network, None).load()
    place = BoardPort(port, baud).found()
    with (
        Chip.open(place.name, compiled.chip, baud=baud) as chip,
        terminal.progress() as progress,
    ):
        chip.load(
            compiled.image,
            check=True,
            progress=lambda done, words: progress("words written and read back", done, words),
        )
    words = len(compiled.image.program(compiled.chip))
    terminal.say(f"{place.name}: {words:,} words loaded, read back and found equal")
    terminal.result(
        {
            "port": place.name,
            "words": words,
            "structure": compiled.chip.digest[:8],
        }
    )
