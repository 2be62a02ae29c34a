"""``spikelet verify``: engines against golden, bit for bit."""

import sys
from pathlib import Path

import click

from spikelet.commands.options import (
    BAUD,
    COUNT,
    DECODE,
    EARLY_STOP,
    LEARNING,
    NETWORK,
    OUT,
    PORT,
    POSITIVE,
    REQUIRE_RECORDED,
    SAMPLES,
    START,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["verify"]


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
@PORT
@BAUD
@click.option("--waves", is_flag=True, help="Of a difference, write a waveform.")
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
    port: str | None,
    baud: int | None,
    waves: bool,
) -> None:
    """Run golden and other engines on SAMPLES and compare everything, bit for bit."""
    from spikelet.description.chip.state import ChipState
    from spikelet.host.board_port import BoardPort
    from spikelet.project import opened
    from spikelet.results import show_verification
    from spikelet.runs.engines import chosen_engines
    from spikelet.runs.recorded import require_recorded as required
    from spikelet.samples.plastic_samples import load_learning_samples

    chosen = chosen_engines(engines, terminal.say)
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
            port=BoardPort.named(port, baud),
            say=terminal.say,
            waves=terminal.say if waves else None,
        )
    show_verification(terminal, result)
    terminal.result(result.to_dict())
    if require_recorded:
        required(result.recorded)
    if not result.equal:
        sys.exit(1)
