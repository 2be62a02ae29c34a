"""``spikelet report``: one page of all that is known."""

import json
from pathlib import Path

import click

from spikelet.commands.options import FROM_0, NETWORK, OUT
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["report"]


@click.command()
@NETWORK
@OUT
@click.option("--sample", type=FROM_0, default=0, show_default=True, help="Which sample to draw.")
@click.option("--state", default="v", show_default=True, help="Which state of neurons to draw.")
@printing_options
def report(terminal: Terminal, network: Path, folder: Path | None, sample: int, state: str) -> None:
    """Write one HTML page of all that is known of a project."""
    from spikelet.project import opened
    from spikelet.reports.report import THROUGHPUT
    from spikelet.reports.report_json import REPORT_JSON
    from spikelet.results import old_fields

    project = opened(network, folder, command_line(click.get_current_context()))
    page, old = project.report(sample, state)
    terminal.out_of_date(old)
    terminal.say(f"report: {page}")
    counted = page.with_name(THROUGHPUT)
    cycles = json.loads(counted.read_text()) if counted.exists() else None
    measures = json.loads(page.with_name(REPORT_JSON).read_text())["sections"]["measures"]
    terminal.result({"report": str(page), "throughput": cycles, **measures, **old_fields(old)})
