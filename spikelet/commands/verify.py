"""``spikelet verify``: engines against golden, bit for bit."""

import sys
from pathlib import Path

import click

from spikelet.commands.options import (
    BAUD,
    COUNT,
    DECODE,
    EARLY_STOP,
    FROM_0,
    LEARNING,
    LIBERTY,
    NETWORK,
    OUT,
    PATIENCE,
    PORT,
    POSITIVE,
    REQUIRE_RECORDED,
    SAMPLES,
    START,
    THREADS,
    WATCHDOG,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["verify"]

LEVELS = ("rtl", "board", "netlist", "configuration")
"""Those of :data:`spikelet.runs.levels.LEVELS`, which is loaded when it is used."""


@click.command()
@NETWORK
@SAMPLES
@OUT
@click.option(
    *("--engine", "engines"),
    multiple=True,
    default=("rtl",),
    show_default=True,
    help="Besides golden; can be given several times; cocotb: in every simulator that is there.",
)
@COUNT
@DECODE
@EARLY_STOP
@LEARNING
@START
@click.option("--netlist-samples", type=POSITIVE, default=20, show_default=True)
@REQUIRE_RECORDED
@LIBERTY
@PORT
@BAUD
@PATIENCE
@WATCHDOG
@click.option("--waves", is_flag=True, help="Of a difference, write a waveform.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="Also compare all levels of a board's build down to this one.",
)
@click.option("--board", help="Whose build; needed with --level.")
@click.option("--sample", type=FROM_0, default=0, show_default=True, help="First in the build.")
@THREADS
@printing_options
def verify(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engines: tuple[str, ...],
    count: int | None,
    decode: str,
    early_stop: bool,
    learning: bool,
    start: Path | None,
    netlist_samples: int,
    require_recorded: bool,
    liberty: Path | None,
    port: str | None,
    baud: int | None,
    patience_s: float | None,
    watchdog_s: float | None,
    waves: bool,
    level: str | None,
    board: str | None,
    sample: int,
) -> None:
    """Run golden and other engines on SAMPLES and compare everything, bit for bit.

    With --level, go on down to the bitstream that was built for a board.
    """
    from spikelet.boards import board_named
    from spikelet.description.chip.state import ChipState
    from spikelet.description.errors import SpikeletError
    from spikelet.host.board_port import BoardPort
    from spikelet.project import opened
    from spikelet.results import show_proof, show_verification
    from spikelet.runs.engines import chosen_engines
    from spikelet.runs.recorded import require_recorded as required
    from spikelet.samples.plastic_samples import load_learning_samples

    if level and not board:
        raise SpikeletError(
            "--level compares a board's build, and no board is named",
            remedy="name one: --board BOARD",
        )
    if board:
        board = board_named(board).name
    asked = (*engines, "rtl") if level else engines
    chosen = chosen_engines(asked, terminal.say)
    project = opened(network, folder, command_line(click.get_current_context()))
    net = project.load().network
    loaded = load_learning_samples(samples, net.encoder, input_levels=net.input_levels)
    shown = loaded.first(count)
    with terminal.progress() as progress:
        result = project.verify(
            shown,
            chosen,
            learning=learning,
            start=ChipState.load(start) if start else None,
            netlist_samples=netlist_samples,
            decode=decode,
            early_stop=early_stop,
            progress=progress,
            port=BoardPort.named(port, baud, patience_s, watchdog_s),
            say=terminal.say,
            liberty=liberty,
            waves=terminal.say if waves else None,
        )
    show_verification(terminal, result)
    fields, equal = result.to_dict(), result.equal
    if level and board:
        proof = project.prove(
            loaded.first(None), board, level, result, sample=sample, progress=terminal.say
        )
        show_proof(terminal, proof)
        fields, equal = {**fields, "proof": proof.to_dict()}, equal and proof.equal
    terminal.result(fields)
    if require_recorded:
        required(result.recorded)
    if not equal:
        sys.exit(1)
