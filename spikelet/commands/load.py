"""``spikelet load``: weights of a network into a chip on a board that runs its structure."""

from pathlib import Path

import click

from spikelet.commands.options import BAUD, NETWORK, PATIENCE, PORT, WATCHDOG
from spikelet.terminal import Terminal, printing_options

__all__ = ["load"]


@click.command()
@NETWORK
@PORT
@BAUD
@PATIENCE
@WATCHDOG
@printing_options
def load(
    terminal: Terminal,
    network: Path,
    port: str | None,
    baud: int | None,
    patience_s: float | None,
    watchdog_s: float | None,
) -> None:
    """Load NETWORK, a project folder, into a board whose bitstream has the same structure.

    All that is written is read back and compared.
    """
    from spikelet.host.board_port import BoardPort
    from spikelet.project import opened
    from spikelet.runs.board import board_chip

    compiled = opened(network, None).load()
    place = BoardPort.named(port, baud, patience_s, watchdog_s).found(say=terminal.say)
    with (
        board_chip(place, compiled.chip, network) as chip,
        terminal.progress() as progress,
    ):
        chip.load(
            compiled.image,
            check=True,
            progress=lambda done, words: progress("words written and read back", done, words),
        )
    words = len(compiled.image.program(compiled.chip))
    terminal.say(f"{place.name}: {words:,} words loaded, read back and found equal")
    terminal.result({"port": place.name, "words": words, "structure": compiled.chip.digest[:8]})
