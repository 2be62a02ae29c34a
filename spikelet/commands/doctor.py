"""``spikelet doctor``: tools, and what repairs them."""

import sys

import click

from spikelet.terminal import Terminal, printing_options

__all__ = ["doctor"]


@click.command()
@printing_options
def doctor(terminal: Terminal) -> None:
    """Show every tool, its version and place, and what repairs one that is missing."""
    from dataclasses import asdict

    from spikelet.doctor import examine

    findings = examine()
    for item in findings:
        terminal.say(f"{item.name:22}{item.version or 'MISSING':22}  {item.purpose}")
        terminal.say(f"    {item.place or 'repair: ' + item.remedy}")
    terminal.result({"tools": [asdict(item) for item in findings]})
    if any(not item.version and item.required for item in findings):
        sys.exit(1)
