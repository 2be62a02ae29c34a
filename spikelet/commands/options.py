"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Any

import click

__all__ = [
    "BAUD",
    "COUNT",
    "DECAY_BITS",
    "DECODE",
    "DT",
    "EARLY_STOP",
    "FRAMEWORK",
    "FROM_0",
    "INPUT_COUNTS",
    "INPUT_LEVELS",
    "LEARNING",
    "LIBERTY",
    "NETWORK",
    "NEURON",
    "OUT",
    "PATIENCE",
    "PLACEMENT_SEED",
    "PORT",
    "POSITIVE",
    "POTENTIAL_BITS",
    "REQUIRE_RECORDED",
    "SAMPLES",
    "SPIKE_BITS",
    "START",
    "THREADS",
    "WATCHDOG",
    "WEIGHT_BITS",
]

POSITIVE = click.IntRange(min=1)
FROM_0 = click.IntRange(min=0)
NETWORK = click.argument("network", type=click.Path(path_type=Path))
SAMPLES = click.argument("samples", type=click.Path(path_type=Path))
OUT = click.option(
    *("-o", "--out", "folder"),
    type=click.Path(path_type=Path),
    help="Project folder, unless NETWORK is one.",
)
NEURON = click.option(
    "--neuron", metavar="MODEL", help="Neuron model: a name, or a .toml or .json file."
)
FRAMEWORK = click.option(
    "--framework", metavar="NAME", help="Who wrote a NIR file: snntorch, norse, ..."
)
DT = click.option("--dt", type=float, help="Seconds per tick, where the file does not say.")
WEIGHT_BITS = click.option(
    "--weight-bits", metavar="[LAYER=]BITS", multiple=True, help="4 by default."
)
POTENTIAL_BITS = click.option(
    "--potential-bits", metavar="[LAYER=]BITS", multiple=True, help="16 by default."
)
REQUIRE_RECORDED = click.option(
    "--require-recorded",
    is_flag=True,
    help="Fail unless the float network equals what the framework recorded (expected).",
)
DECAY_BITS = click.option(
    "--decay-bits", metavar="[LAYER=]BITS", multiple=True, help="12, and more for slow leaks."
)
SPIKE_BITS = click.option(
    "--spike-bits",
    metavar="[LAYER=]BITS",
    multiple=True,
    help="Of counts of spikes, where neurons spike several times a tick; by calibration, or 4.",
)
INPUT_LEVELS = click.option(
    "--input-levels",
    type=click.IntRange(1, 255),
    help="Graded inputs (direct coding), in so many steps from 0 to 1.",
)
INPUT_COUNTS = click.option(
    "--input-counts",
    type=click.IntRange(1, 255),
    help="Inputs are counts of events, up to so many in a tick.",
)
COUNT = click.option("--count", type=POSITIVE, help="Only the first so many samples.")
PLACEMENT_SEED = click.option(
    "--placement-seed",
    type=FROM_0,
    default=0,
    show_default=True,
    help="Another seed, another chip.",
)


def _set_threads(context: click.Context, option: click.Parameter, threads: Any) -> None:
    from spikelet.description.processors import set_threads

    set_threads(threads, "--threads")


THREADS = click.option(
    "--threads",
    type=int,
    expose_value=False,
    callback=_set_threads,
    help="Of golden and rtl, which changes no result; one for each processor by default.",
)
DECODE = click.option("--decode", default="count", show_default=True, help="Decoder of classes.")
EARLY_STOP = click.option(
    "--early-stop", is_flag=True, help="Stop each sample at its first output spike."
)
LEARNING = click.option("--learning/--no-learning", default=True, help="Only run, or learn.")
LIBERTY = click.option(
    "--liberty",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Library of standard cells (.lib), for engine netlist-cells.",
)
START = click.option("--start", type=click.Path(path_type=Path), help="A snapshot to begin with.")
PORT = click.option(
    "--port", help="Of the board: serial, or ftdi://...; or SPIKELET_PORT, or the only one."
)
BAUD = click.option("--baud", type=POSITIVE, help="As the image was built; Hz of SPI; 1000000.")
PATIENCE = click.option(
    *("--patience", "patience_s"),
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Without an answer of the board, before it is given up; 5.",
)
WATCHDOG = click.option(
    *("--watchdog", "watchdog_s"),
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Without a word to the board, before it resets its chip; 0: never.",
)
