"""``spikelet tune``: the smallest chip that keeps the accuracy, as a command of ``compile``."""

import shlex
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import (
    COUNT,
    DT,
    FRAMEWORK,
    FROM_0,
    INPUT_COUNTS,
    INPUT_LEVELS,
    NETWORK,
    NEURON,
    OUT,
    POSITIVE,
    SAMPLES,
    THREADS,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["tune"]


@click.command()
@NETWORK
@SAMPLES
@OUT
@click.option(
    "--accuracy",
    type=float,
    default=-0.5,
    show_default=True,
    help="Percentage points against float that may be lost.",
)
@NEURON
@FRAMEWORK
@DT
@INPUT_LEVELS
@INPUT_COUNTS
@click.option("--calibration", type=click.Path(path_type=Path), help="As for compile.")
@click.option("--target", help="Board or device that it must fit, and whose resources count.")
@click.option("--max-cycles", type=float, help="Clock cycles that a sample may take, predicted.")
@COUNT
@click.option(
    "--trials",
    type=POSITIVE,
    default=100,
    show_default=True,
    help="Chips to try before single steps, and steps at most.",
)
@click.option("--seed", type=FROM_0, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on with the trials in the folder.")
@THREADS
@printing_options
def tune(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    neuron: str | None,
    framework: str | None,
    dt: float | None,
    input_levels: int | None,
    input_counts: int | None,
    calibration: Path | None,
    target: str | None,
    count: int | None,
    **options: Any,
) -> None:
    """Search the smallest chip of NETWORK that keeps the accuracy on SAMPLES, which have labels.

    What is searched are the weight, potential and decay bits of each layer, the size of cores,
    lanes, pipelines, the format of synapses and the kind of memory. Printed is the command that
    compiles the best.
    """
    from spikelet.compiler.compile import compiled_folder
    from spikelet.compiler.compiled import CompiledNetwork
    from spikelet.description.errors import SpikeletError
    from spikelet.samples.samples import load_samples
    from spikelet.tuning.study import PICTURE
    from spikelet.tuning.tune import tune as tuned

    if folder is None and not network.is_dir():
        raise SpikeletError(
            f"{network} is no project folder, and there is none to work in",
            remedy="name one: -o FOLDER",
        )
    folder = folder or network
    levels = input_levels or input_counts or 1
    if network.is_dir():
        levels = CompiledNetwork.load(compiled_folder(network)).network.input_levels
    shown = load_samples(samples, input_levels=levels).first(count)
    given: dict[str, Any] = {"neuron": neuron, "framework": framework, "dt": dt, "target": target}
    given |= {"input_levels": input_levels, "input_counts": input_counts}
    with terminal.progress() as progress:
        result = tuned(
            network,
            shown,
            **given,
            calibration=load_samples(calibration, input_levels=levels) if calibration else None,
            folder=folder,
            command=command_line(click.get_current_context()),
            progress=progress,
            **options,
        )
    rows = [
        [
            " ".join(result.space.words(trial.point)),
            f"{result.accuracy(trial):.2%}",
            f"{trial.size:.4f}",
            ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in trial.needed.items() if n),
            f"{trial.cycles:,.0f}",
        ]
        for trial in result.front
    ]
    header = ("chips on the front", "accuracy", f"size ({result.target})", "takes", "cycles")
    terminal.table(header, rows)
    best = result.best
    terminal.say(
        f"float network {result.float_accuracy:.2%}, best chip {result.accuracy(best):.2%} of "
        f"{result.bounds.samples:,} samples; {len(result.trials)} chips tried"
    )
    picture = folder / "tuning" / PICTURE
    terminal.say(f"picture: {picture}")
    given |= {"calibration": calibration, "target": target and result.target}
    kept = [
        word
        for name, value in given.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", value)
    ]
    words = ["spikelet", "compile", network, "-o", folder, *kept, *result.words]
    command = shlex.join(map(str, words))
    terminal.say(command)
    terminal.result({**result.to_dict(), "command": command, "picture": str(picture)})
