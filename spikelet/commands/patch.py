"""``spikelet patch``: other weights in a bitstream that there is."""

from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import FROM_0, NETWORK, POSITIVE
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["patch"]


@click.command()
@NETWORK
@click.argument("target")
@click.option(
    "--from",
    "other",
    type=click.Path(path_type=Path),
    help="Project folder with the bitstream; by default NETWORK, built before it was compiled "
    "again.",
)
@click.option("--image", help="What the bitstream is: self-test (by default), ...")
@click.option("--samples", type=click.Path(path_type=Path), help="Some are stored in the image.")
@click.option("--sample", type=FROM_0, default=0, show_default=True, help="First of them.")
@click.option("--count", type=POSITIVE, help="How many; as for build.")
@printing_options
def patch(
    terminal: Terminal,
    network: Path,
    target: str,
    other: Path | None,
    samples: Path | None,
    **options: Any,
) -> None:
    """Put NETWORK, a project folder, into a bitstream for TARGET that holds one of its structure.

    Contents of block RAMs are exchanged, without synthesis, placement and routing. Compile the
    network with --like the folder whose bitstream it is.
    """
    from spikelet.project import Project, opened
    from spikelet.results import build_fields, show_build
    from spikelet.samples.plastic_samples import load_learning_samples

    project = opened(network, None, command_line(click.get_current_context()))
    encoder = project.load().network.encoder
    chosen = load_learning_samples(samples, encoder).first(None) if samples else None
    image = options["image"]
    built = Project(other or project.folder).build_folder(target, image)
    report = project.patch(target, chosen, built, progress=terminal.say, **options)
    kept = project.build_folder(target, image)
    memories = report.patched["memories"] or "none: it held this network"
    terminal.say(f"contents of {built} were exchanged; in memories {memories}")
    show_build(terminal, target, report, kept)
    terminal.result({**build_fields(report, kept), "patched": dict(report.patched)})
