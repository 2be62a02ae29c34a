"""``spikelet convert``: a ReLU network as spiking neurons, in a NIR file for ``compile``."""

import shlex
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import COUNT, SAMPLES, THREADS
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["convert"]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@SAMPLES
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), required=True)
@click.option(
    "--ticks", type=click.IntRange(min=1), default=32, show_default=True, help="Of a sample."
)
@click.option(
    "--percentile",
    type=float,
    default=99.9,
    show_default=True,
    help="Of a layer's activations: what a spike a tick stands for.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    help="Levels on which activations are taken; SAMPLES by default.",
)
@click.option("--mean", type=float, multiple=True, help="Of the inputs in training, per channel.")
@click.option("--std", type=float, multiple=True, help="Of the inputs in training, per channel.")
@COUNT
@THREADS
@printing_options
def convert(
    terminal: Terminal,
    model: Path,
    samples: Path,
    folder: Path,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    **options: Any,
) -> None:
    """Turn MODEL, a ReLU network in an ONNX file, into spiking neurons; measure it on SAMPLES.

    SAMPLES hold levels and labels. FOLDER/conversion gets a NIR file, and a picture of the accuracy
    over ticks.
    """
    from spikelet.conversion.convert import NEURON
    from spikelet.conversion.convert import convert as converted
    from spikelet.conversion.keep import PICTURE, keep

    with terminal.progress() as progress:
        result = converted(
            model, samples, mean=mean or 0.0, std=std or 1.0, progress=progress, **options
        )
    command = command_line(click.get_current_context())
    file = keep(result, folder, model, samples, command)
    shown = sorted({1 << n for n in range(result.ticks.bit_length())} | {result.ticks})
    terminal.table(
        ("ticks", "as labelled", "as the ReLU network"),
        [
            [str(n), f"{result.accuracies[n - 1]:.2%}", f"{result.agreements[n - 1]:.2%}"]
            for n in shown
        ],
    )
    terminal.say(
        f"ReLU network {result.relu_accuracy:.2%} of {result.samples:,} samples, spiking "
        f"{result.accuracy:.2%} after {result.ticks} ticks: {result.lost:.2f} points lost"
    )
    for note in result.notes:
        terminal.say(f"left out: {note}")
    terminal.say(f"picture: {file.parent / PICTURE}")
    words = ("spikelet", "compile", file, "-o", folder, "--neuron", NEURON)
    following = shlex.join(map(str, words))
    terminal.say(f"network: {file}; next: {following}")
    picture = str(file.parent / PICTURE)
    terminal.result(
        {**result.to_dict(), "network": str(file), "picture": picture, "command": following}
    )
