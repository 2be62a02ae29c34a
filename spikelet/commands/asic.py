"""``spikelet asic``: a chip's files for standard cells, and an estimate before layout."""

from pathlib import Path

import click

from spikelet.commands.options import POSITIVE
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["asic"]


@click.command()
@click.argument("network", type=click.Path(path_type=Path))
@click.option(
    *("-o", "--out", "folder"),
    type=click.Path(path_type=Path),
    help="Where the files go; asic/ in the project folder.",
)
@click.option(
    "--liberty",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Library of standard cells (.lib): also gates, and an estimate.",
)
@click.option(
    "--clock-mhz",
    type=click.FloatRange(min=0, min_open=True),
    default=100.0,
    show_default=True,
    help="For the constraints.",
)
@click.option(
    "--macro-bits",
    type=POSITIVE,
    default=1024,
    show_default=True,
    help="Memories of fewer bits become registers.",
)
@printing_options
def asic(
    terminal: Terminal,
    network: Path,
    folder: Path | None,
    liberty: Path | None,
    clock_mhz: float,
    macro_bits: int,
) -> None:
    """Write NETWORK, a project folder, for standard cells: the layout is made elsewhere."""
    from dataclasses import asdict

    from spikelet.locked import writing
    from spikelet.project import opened
    from spikelet.project_asic import write_asic
    from spikelet.results import show_asic

    command = command_line(click.get_current_context())
    project = opened(network, None, command)
    place = folder or project.folder / "asic"
    with writing(project.folder):
        estimate = write_asic(
            *(project.load(), place),
            liberty=liberty,
            clock_mhz=clock_mhz,
            smallest_macro_bits=macro_bits,
            command=command,
            progress=terminal.say,
        )
    show_asic(terminal, estimate)
    terminal.say(f"files in {place}; test: sh {place / 'test' / 'run.sh'} gates")
    terminal.result({**asdict(estimate), "macro_bits": estimate.macro_bits, "folder": str(place)})
