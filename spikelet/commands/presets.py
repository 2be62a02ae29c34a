"""``spikelet presets``: cores like those of published chips, listed or in full."""

import click

from spikelet.terminal import Terminal, printing_options

__all__ = ["presets"]


@click.command()
@click.argument("preset", required=False)
@printing_options
def presets(terminal: Terminal, preset: str | None) -> None:
    """List the presets, or print all of PRESET, a name or a .toml file."""
    from spikelet.reports.preset_listing import show_preset, show_presets

    terminal.result(show_preset(preset, terminal.say) if preset else show_presets(terminal.say))
