"""``spikelet sweep``: measures of a network at each point of a grid."""

import json
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import (
    COUNT,
    DT,
    FRAMEWORK,
    INPUT_COUNTS,
    INPUT_LEVELS,
    NETWORK,
    NEURON,
    POSITIVE,
    SAMPLES,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["sweep"]

_ROWS = 30
"""Of the table of the front; the JSON has all."""


@click.command()
@NETWORK
@SAMPLES
@click.option(
    *("-o", "--out", "folder"),
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of results; one that is there goes on.",
)
@click.option(
    *("--axis", "axes"),
    metavar="NAME=VALUES",
    multiple=True,
    required=True,
    help="Such as weight_bits=2..8, lanes=1,4,16 or ticks=4..12..2.",
)
@click.option(
    *("--measure", "measures"),
    metavar="NAME",
    multiple=True,
    help="accuracy, cycles, luts and block_rams by default.",
)
@NEURON
@FRAMEWORK
@DT
@click.option("--preset", metavar="NAME", help="In the place of that of a TOML file.")
@INPUT_LEVELS
@INPUT_COUNTS
@click.option("--calibration", type=click.Path(path_type=Path), help="As for compile.")
@click.option("--target", help="Board or device whose resources are counted; LFE5U-85F.")
@COUNT
@click.option("--on", metavar="tcp://HOST:PORT", help="A Dask scheduler, whose workers measure.")
@click.option("--workers", type=POSITIVE, help="Processes; one for each processor by default.")
@printing_options
def sweep(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path,
    axes: tuple[str, ...],
    measures: tuple[str, ...],
    calibration: Path | None,
    count: int | None,
    input_levels: int | None,
    input_counts: int | None,
    **options: Any,
) -> None:
    """Measure NETWORK on SAMPLES with every choice of the axes' values.

    Results are kept as they come: the same command goes on after an interruption.
    """
    from spikelet.description.installation import require

    if options["on"] is not None:
        require("distributed", "spikelet sweep --on")
    from spikelet.compiler.compile import compiled_folder
    from spikelet.compiler.compiled import CompiledNetwork
    from spikelet.samples.samples import load_samples
    from spikelet.sweeps.bench import Point
    from spikelet.sweeps.sweep import sweep as swept

    levels = input_levels or input_counts or 1
    if network.is_dir():
        levels = CompiledNetwork.load(compiled_folder(network)).network.input_levels
    grid = _grid(axes)
    with terminal.progress() as progress:

        def each(point: Point) -> None:
            terminal.say(f"{_chosen(point.configuration)}: {_outcome(point)}")

        result = swept(
            network,
            load_samples(samples, input_levels=levels).first(count),
            grid,
            measures=measures or None,
            calibration=load_samples(calibration, input_levels=levels) if calibration else None,
            folder=folder,
            input_levels=input_levels,
            input_counts=input_counts,
            command=command_line(click.get_current_context()),
            progress=progress,
            each=each,
            **options,
        )
    names = [measure.name for measure in result.measures]
    rows = [
        [_chosen(point.configuration), *(f"{point.values[name]:,.6g}" for name in names)]
        for point in result.front[:_ROWS]
    ]
    terminal.table(("on the Pareto front", *names), rows)
    without = sum(bool(point.refusal) for point in result.points)
    failed = [point for point in result.points if point.failure]
    terminal.say(
        f"{len(result.points):,} configurations, {result.resumed:,} of them measured before; "
        f"{without:,} make no chip, {len(failed):,} failed; {len(result.front):,} on the front"
    )
    if failed:
        terminal.warn(
            f"{_chosen(point.configuration)} failed, and is measured again when the same command "
            f"is given: {point.failure}"
            for point in failed[:_ROWS]
        )
    if result.picture:
        terminal.say(f"picture: {result.picture}")
    terminal.result({**result.to_dict(), "picture": result.picture and str(result.picture)})


def _chosen(configuration: dict[str, Any]) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in configuration.items())


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _outcome(point: Any) -> str:
    if point.refusal or point.failure:
        return f"no chip: {point.refusal}" if point.refusal else f"failed: {point.failure}"
    return ", ".join(f"{name} {value:,.6g}" for name, value in point.values.items())


def _grid(axes: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values of each ``NAME=VALUES``; SpikeletError for another form."""
    from spikelet.description.errors import SpikeletError

    form = "give NAME=VALUES, such as weight_bits=2..8, lanes=1,4,16 or ticks=4..12..2"
    found: dict[str, list[Any]] = {}
    for text in axes:
        name, equals, values = text.partition("=")
        if not equals or not name or not values:
            raise SpikeletError(f"--axis {text!r} is no axis with values", remedy=form)
        if name in found:
            raise SpikeletError(f"--axis {name} is given twice", remedy="give its values in one")
        found[name] = []
        for word in values.split(","):
            try:
                found[name] += _values(word.strip())
            except ValueError as error:
                raise SpikeletError(f"--axis {text!r}: {error}", remedy=form) from error
    return found


def _values(word: str) -> list[Any]:
    """Return the values of a word: a range of integers, a number, true, false, or a text."""
    if not word:
        raise ValueError("a value is empty")
    if ".." in word:
        first, last, *step = (int(part) for part in word.split(".."))
        if len(step) > 1 or last < first or (step and step[0] < 1):
            raise ValueError(f"{word} is no range FIRST..LAST or FIRST..LAST..STEP")
        return list(range(first, last + 1, *step))
    if word in ("true", "false"):
        return [word == "true"]
    for kind in (int, float):
        try:
            return [kind(word)]
        except ValueError:
            continue
    return [word]
