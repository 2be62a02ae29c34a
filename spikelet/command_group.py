"""How commands end: errors as messages with a remedy, and the exit status."""

import os
from typing import Any

import click

from spikelet.description.errors import SpikeletError, SpikeletWarning, file_error
from spikelet.description.installation import install_command, not_installed
from spikelet.terminal import warnings_shown

__all__ = ["CommandGroup"]

_INTERNAL = 70  # EX_SOFTWARE of sysexits.h
_EXTRAS = {
    **dict.fromkeys(("asic", "compile", "run", "verify"), "chip"),
    **dict.fromkeys(("report", "learn", "sweep"), "report"),
    "data": "report",
    "build": "fpga",
    "demo": "all",
    **dict.fromkeys(("boards", "load", "program"), "board"),
    "tune": "tune",
    "convert": "convert",
}
"""The extra that has all that a command needs."""


class CommandGroup(click.Group):
    """Turns errors that a user can act on into messages, unless ``--debug`` is given."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings_shown():
                return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if ctx.params.get("debug"):
                raise
            text, status = _explained(error, ctx.invoked_subcommand or "")
            click.echo(f"spikelet: {text}", err=True)
            ctx.exit(status)


def _explained(error: BaseException, verb: str) -> tuple[str, int]:
    """Return what a user is told of an error in a command, and the exit status."""
    match error:
        case KeyboardInterrupt():
            return "interrupted; the same command can be given again", 130
        case SpikeletError() | SpikeletWarning():
            return str(error), 1
        case ImportError():
            return _missing(error, verb), 1
        case OSError():
            where = error.filename or "the system refused"
            return str(file_error(os.fsdecode(where) if error.filename else where, error)), 1
        case MemoryError():
            remedy = "fewer samples (--count), fewer ticks, or a smaller network"
            return f"there is not enough memory: {error}\n  remedy: {remedy}", 1
    return (
        f"internal error: {type(error).__name__}: {error}\n"
        "  remedy: spikelet --debug COMMAND shows where it happened; please report it, with the "
        "command and its files",
        _INTERNAL,
    )


def _missing(error: ImportError, verb: str) -> str:
    """Return what a user is told of a package that cannot be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return str(not_installed(error.name, f"spikelet {verb}", _EXTRAS.get(verb, "")))
    remedy = f"{install_command('all')}; spikelet doctor lists what is there"
    return f"{error}\n  remedy: {remedy}"
