"""``spikelet neurons``: neuron models, listed or in full."""

import click

from spikelet.terminal import Terminal, printing_options

__all__ = ["neurons"]


@click.command()
@click.argument("model", required=False)
@click.option("--cost", metavar="FAMILY", help="Also build its pipeline for a family or device.")
@printing_options
def neurons(terminal: Terminal, model: str | None, cost: str | None) -> None:
    """List the neuron models, or print all of MODEL, a name or a .toml or .json file."""
    from spikelet.reports.neuron_listing import show_model, show_models

    if cost and not model:
        raise click.UsageError("--cost is of one MODEL: name it")
    say = terminal.say
    terminal.result(show_model(model, cost, say) if model else show_models(say))
