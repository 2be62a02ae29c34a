"""``spikelet demo``: from a trained network to bitstreams for two families."""

import sys
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import PLACEMENT_SEED, THREADS
from spikelet.description.chip.params import TOPOLOGIES
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["demo"]


@click.command()
@click.option(
    "-o",
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("build/demo"),
    show_default=True,
)
@click.option("--netlists/--no-netlists", default=True, help="Also simulate the netlists.")
@click.option("--topology", type=click.Choice(TOPOLOGIES), default="mesh", show_default=True)
@PLACEMENT_SEED
@THREADS
@printing_options
def demo(terminal: Terminal, folder: Path, **options: Any) -> None:
    """From a trained digits network to bitstreams for two FPGA families, and the report."""
    from spikelet.demo import demonstrate
    from spikelet.project import Project

    project = Project(folder, command_line(click.get_current_context()))
    if not demonstrate(terminal, project, **options):
        sys.exit(1)
