"""The command ``spikelet data``, and how its options are written."""

import re
from pathlib import Path
from typing import Any

import click

from spikelet.terminal import Terminal, printing_options

__all__ = ["data_command"]

_POSITIVE = click.IntRange(min=1)
_FROM_0 = click.IntRange(min=0)


def _parts(text: str, pattern: str, example: str) -> tuple[str, ...]:
    """Return the parts of an option, "1" for one that is left out."""
    found = re.fullmatch(pattern, text.strip(), re.ASCII)
    if found is None:
        raise click.BadParameter(f"{text!r} must be written as {example}")
    return found.groups("1")


def _time(text: str) -> int:
    """Return microseconds."""
    example = "10ms, 500us or 1.5s"
    whole, fraction, unit = _parts(text, r"(\d{1,9})((?:\.\d{1,9})?)\s*(us|ms|s)", example)
    digits = {"us": 0, "ms": 3, "s": 6}[unit]
    fraction = fraction[1:].rstrip("0")
    if len(fraction) > digits:
        raise click.BadParameter(f"{text!r} is no whole number of microseconds")
    return int(f"{whole}{fraction.ljust(digits, '0')}")


def _size(text: str) -> tuple[int, ...]:
    """Return columns and rows."""
    example = "34x34, columns and rows, or 700"
    return tuple(map(int, _parts(text, r"(\d{1,6})(?:x(\d{1,6}))?", example)))


def _region(text: str) -> tuple[int, ...]:
    """Return first column and row, columns and rows."""
    example = "2,4,16x12: first column, first row, columns and rows"
    pattern = r"(\d{1,6}),(\d{1,6}),(\d{1,6})x(\d{1,6})"
    return tuple(map(int, _parts(text, pattern, example)))


@click.command("data")
@click.argument("file")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write a samples file.")
@click.option("--picture", type=click.Path(path_type=Path), help="Write a picture (PNG).")
@click.option("--bin", "tick", type=_time, metavar="TIME", help="Time of a tick, such as 10ms.")
@click.option("--ticks", type=_POSITIVE, help="Ticks of a sample; as many as needed by default.")
@click.option(
    "--sensor", type=_size, metavar="SIZE", help="Columns and rows: 34x34; channels: 700."
)
@click.option("--downsample", type=_POSITIVE, default=1, show_default=True, help="N x N pixels.")
@click.option(
    "--polarity",
    type=click.Choice(["both", "merged", "on", "off"]),
    default="both",
    show_default=True,
    help="An input for on and one for off events, one for either, or only these.",
)
@click.option("--region", type=_region, metavar="X,Y,WxH", help="Part of the sensor that is used.")
@click.option(
    "--start",
    type=_time,
    metavar="TIME",
    help="Where streams begin, if not at 0 or the first event.",
)
@click.option("--cut", is_flag=True, help="Cut streams into samples of --ticks each.")
@click.option("--lengths", is_flag=True, help="What follows a stream's last event is no time.")
@click.option("--columns", help="Of a CSV file without a header, such as t,x,y,p.")
@click.option("--time-unit", help="Of CSV and numpy's arrays: ns, us, ms or s; us by default.")
@click.option("--merge-counts", is_flag=True, help="Counts above 1 become one spike.")
@click.option("--time-first", is_flag=True, help="The first axis is ticks, the second samples.")
@click.option("--count", type=_POSITIVE, help="Only the first so many samples, or streams.")
@click.option("--sample", type=_FROM_0, default=0, show_default=True, help="Which one to show.")
@printing_options
def data_command(
    terminal: Terminal,
    file: str,
    tick: int | None,
    ticks: int | None,
    sensor: tuple[int, int] | None,
    downsample: int,
    polarity: str,
    region: tuple[int, int, int, int] | None,
    start: int | None,
    cut: bool,
    columns: str | None,
    time_unit: str | None,
    **options: Any,
) -> None:
    """Show what FILE holds, events or samples; with -o, write it as a samples file.

    FILE is a file of events (CSV, N-MNIST, SHD, numpy, AEDAT4, EVT2, EVT2.1, EVT3, DAT), a folder
    of them with a folder for each class, or a samples file.
    """
    from spikelet.data_summary import data
    from spikelet.event_data.binning import Binning
    from spikelet.event_data.event_reader import Layout

    binning = Binning(tick, ticks, sensor, downsample, polarity, region, start, cut)
    layout = None
    if columns or time_unit:
        layout = Layout(tuple(columns.split(",")) if columns else (), time_unit or "us")
    with terminal.progress() as progress:
        found = data(file, binning, layout=layout, progress=progress, **options)
    for line in (*found.lines, *found.pictures):
        terminal.say(line)
    terminal.result(found.fields)
