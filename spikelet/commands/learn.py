"""``spikelet learn``: let a network learn, and keep what it learned."""

import sys
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import (
    FROM_0,
    LEARNING,
    LIBERTY,
    NETWORK,
    OUT,
    POSITIVE,
    SAMPLES,
    START,
    THREADS,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["learn"]


@click.command()
@NETWORK
@SAMPLES
@OUT
@click.option("--engine", default="golden", show_default=True, help="golden, rtl, netlist-...")
@click.option(
    "--epochs",
    type=POSITIVE,
    default=1,
    show_default=True,
    help="How often all samples are shown.",
)
@click.option("--seed", type=FROM_0, help="In the place of that of a TOML file.")
@LEARNING
@LIBERTY
@START
@click.option("--resume", is_flag=True, help="Go on behind the last epoch that has ended.")
@click.option(
    "--verify", type=FROM_0, default=0, metavar="N", help="Compare golden and RTL on N samples."
)
@THREADS
@printing_options
def learn(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engine: str,
    seed: int | None,
    verify: int,
    **options: Any,
) -> None:
    """Let NETWORK learn from SAMPLES; save, export and report what it learned."""
    from spikelet.project import opened
    from spikelet.results import learned_fields, show_learned, show_verification
    from spikelet.runs.engines import engine_named
    from spikelet.runs.learn import NIR_FILE
    from spikelet.runs.run_result import SNAPSHOT_FILE, WEIGHTS_FILE
    from spikelet.samples.plastic_samples import load_learning_samples

    engine_named(engine)
    project = opened(network, folder, command_line(click.get_current_context()), seed)
    shown = load_learning_samples(samples, project.load().network.encoder)
    with terminal.progress() as progress:
        result = project.learn(shown, engine=engine, verify=verify, progress=progress, **options)
    show_learned(terminal, result.run)
    written, reasons = result.run.nir
    for reason in reasons:
        terminal.say(f"{NIR_FILE} {'does not express' if written else 'is not written:'} {reason}")
    terminal.warn(result.warnings)
    place = project.folder / "learned"
    terminal.say(f"learned: {place / WEIGHTS_FILE}; go on with --start {place / SNAPSHOT_FILE}")
    terminal.say(f"report: {result.report}")
    if result.verification:
        show_verification(terminal, result.verification)
    terminal.result(learned_fields(result, project.folder))
    if result.verification and not result.verification.equal:
        sys.exit(1)
