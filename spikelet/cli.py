"""The command line: every stage alone, and all of them in one demo."""

import io
import sys

import click

from spikelet import __version__
from spikelet.command_group import CommandGroup
from spikelet.commands.asic import asic
from spikelet.commands.boards import boards
from spikelet.commands.build import build
from spikelet.commands.check import check
from spikelet.commands.compile import compile_command
from spikelet.commands.convert import convert
from spikelet.commands.data import data_command
from spikelet.commands.demo import demo
from spikelet.commands.doctor import doctor
from spikelet.commands.learn import learn
from spikelet.commands.load import load
from spikelet.commands.memristors import memristors
from spikelet.commands.neurons import neurons
from spikelet.commands.patch import patch
from spikelet.commands.presets import presets
from spikelet.commands.program import program
from spikelet.commands.report import report
from spikelet.commands.run import run
from spikelet.commands.sweep import sweep
from spikelet.commands.tune import tune
from spikelet.commands.verify import verify
from spikelet.commands.virtual_board import virtual_board_command

__all__ = ["main"]


@click.group(cls=CommandGroup)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def main(debug: bool) -> None:
    """From a spiking neural network to a chip whose every spike is proven."""
    for stream in (sys.stdout, sys.stderr):  # names may be more than a terminal can show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


for _command in (
    *(
        asic,
        boards,
        build,
        check,
        compile_command,
        convert,
        data_command,
        demo,
        doctor,
        learn,
        load,
    ),
    *(memristors, neurons, patch, presets, program, report, run, sweep, tune, verify),
    virtual_board_command,
):
    main.add_command(_command)
