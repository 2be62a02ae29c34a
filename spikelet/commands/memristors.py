"""``spikelet memristors``: models of memristive devices, listed or in full."""

import click

from spikelet.terminal import Terminal, printing_options

__all__ = ["memristors"]


@click.command()
@click.argument("model", required=False)
@click.option("--levels", type=int, default=16, show_default=True, help="Of a device.")
@click.option("--count", type=int, default=1, show_default=True, help="Devices of a synapse.")
@printing_options
def memristors(terminal: Terminal, model: str | None, levels: int, count: int) -> None:
    """List models of memristive devices, or show what is built of MODEL, a name or TOML file."""
    from spikelet.description.learning.device_model import device_model, device_models

    if model is None:
        terminal.table(
            ("model", "device", "noise", "variation", "source"),
            [
                [m.name, m.title, f"{m.noise:g}", f"{m.variation:g}", m.source]
                for m in device_models().values()
            ],
        )
        terminal.result({"models": list(device_models())})
        return
    found = device_model(model)
    devices = found.devices(count, levels=levels)
    terminal.say(f"{found.name}: {found.title}")
    terminal.say(found.source)
    steps = zip(range(levels), devices.up, devices.down, strict=True)
    rows = [[str(level), f"{up / 16:g}", f"{down / 16:g}"] for level, up, down in steps]
    terminal.table(("level", "step up", "step down"), rows)
    terminal.say(
        f"noise {devices.noise / 16:g} levels, lowest conductance {devices.off} levels, weights "
        f"{devices.w_min} to {devices.w_max}"
    )
    terminal.result(
        {"model": found.name, "up": devices.up, "down": devices.down, "noise": devices.noise}
    )
