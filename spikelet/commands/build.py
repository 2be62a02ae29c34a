"""``spikelet build``: a bitstream, or a bare chip in a device."""

from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import FROM_0, NETWORK, OUT, POSITIVE
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["build"]


@click.command()
@NETWORK
@click.argument("target")
@OUT
@click.option("--image", help="What the bitstream is: self-test (by default), host-link, ...")
@click.option("--samples", type=click.Path(path_type=Path), help="Some are stored in the image.")
@click.option("--sample", type=FROM_0, default=0, show_default=True, help="First of them.")
@click.option("--count", type=POSITIVE, help="How many; 1, or 20 of a network that learns.")
@click.option("--baud", type=POSITIVE, help="Of the serial port; 1000000.")
@click.option("--ticks", type=POSITIVE, help="Of a window of a live image; 32.")
@click.option(
    "--tick-us",
    type=click.FloatRange(min=0, min_open=True),
    help="From tick to tick in a live image, in us; 1000.",
)
@click.option(
    "--clock",
    "clock_mhz",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MHZ",
    help="Of the chip on a board; what the board's PLL makes next below.",
)
@click.option("--seeds", type=POSITIVE, default=4, show_default=True, help="Seeds to try at most.")
@click.option("--all-seeds", is_flag=True, help="Try all of them; each must meet a board's clock.")
@printing_options
def build(
    terminal: Terminal,
    network: Path,
    target: str,
    folder: Path | None,
    samples: Path | None,
    image: str | None,
    seeds: int,
    **options: Any,
) -> None:
    """Synthesise, place, route and pack for TARGET, a board or a bare device."""
    from spikelet.project import opened
    from spikelet.results import build_fields, show_build
    from spikelet.samples.plastic_samples import load_learning_samples

    project = opened(network, folder, command_line(click.get_current_context()))
    encoder = project.load().network.encoder
    chosen = load_learning_samples(samples, encoder).first(None) if samples else None
    report = project.build(
        target, chosen, image=image, seeds=range(1, seeds + 1), progress=terminal.say, **options
    )
    kept = project.build_folder(target, image)
    show_build(terminal, target, report, kept)
    terminal.result(build_fields(report, kept))
