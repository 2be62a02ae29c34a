"""What the command line prints: tables, progress and warnings for people, or JSON for programs."""

import json
import shlex
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from spikelet.description.artefact import OutOfDate
from spikelet.description.errors import SpikeletWarning

__all__ = ["Terminal", "command_line", "described", "printing_options", "warnings_shown"]

_NOT_OF_THE_RESULT = ("as_json", "quiet", "debug", "resume", "help", "version")
"""Parameters of commands that change what is shown, or where a run begins, but no result."""


class Terminal:
    """Where a command prints.

    Parameters
    ----------
    as_json : bool
        Print one JSON object at the end, and nothing else, to the standard output.
    quiet : bool
        Print nothing but warnings and errors, which go to the standard error.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        # names are text, whatever they say
        quiet = as_json or quiet
        self.console = Console(quiet=quiet, markup=False, emoji=False, highlight=False)

    def say(self, line: str) -> None:
        """Print a line as it is."""
        self.console.print(line, soft_wrap=True)

    def table(self, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Print a table."""
        table = Table(padding=(0, 0, 0, 1))
        for title in header:
            table.add_column(title, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def warn(self, lines: Iterable[str]) -> None:
        """Print warnings to the standard error."""
        for line in lines:
            click.echo(f"spikelet: warning: {line}", err=True)

    def out_of_date(self, found: Iterable[OutOfDate]) -> None:
        """Name what is out of date, and what renews it, on the standard error."""
        for old in found:
            click.echo(f"spikelet: {old}", err=True)

    def result(self, fields: dict[str, Any]) -> None:
        """Print a command's result, if JSON is wanted."""
        if self.as_json:
            click.echo(json.dumps(fields, indent=1, default=str))

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """Show a bar for each thing that goes on."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as bars:
            tasks: dict[str, Any] = {}

            def report(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, description=described(what, done))

            yield report


def described(engine: str, done: int) -> str:
    """Return the text of an engine's progress bar; until the first sample, what it waits for."""
    if done or not any(name in engine for name in ("rtl", "netlist", "cocotb")):
        return engine
    first = "synthesising, then " if "netlist" in engine else ""
    return f"{engine}: {first}compiling the simulator"


def printing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--json`` and ``--quiet``, and a :class:`Terminal` as first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", is_flag=True, help="Print warnings and errors only.")
    @wraps(command)
    def with_terminal(*args: Any, as_json: bool, quiet: bool, **options: Any) -> Any:
        return command(Terminal(as_json, quiet), *args, **options)

    return with_terminal


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Print warnings of ours as messages, without the place in the code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        click.echo(f"spikelet: warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", SpikeletWarning)
        warnings.showwarning = show
        yield


def command_line(context: click.Context) -> str:
    """Return the shell command of a call, with every option that was in force."""
    words = ["spikelet", context.info_name or ""]
    for parameter in context.command.get_params(context):
        value = context.params.get(parameter.name or "")
        if parameter.name in _NOT_OF_THE_RESULT or value is None:
            continue
        if isinstance(parameter, click.Argument):
            text = str(value)
            words.append(f"./{text}" if text.startswith("-") else text)
        elif isinstance(parameter, click.Option) and (parameter.is_flag or parameter.multiple):
            name = max(parameter.opts, key=len)
            off = max(parameter.secondary_opts, key=len, default="")
            if parameter.multiple:
                words += [word for one in value for word in (name, str(one))]
            elif value or off:
                words.append(name if value else off)
        else:
            words += [max(parameter.opts, key=len), str(value)]
    return shlex.join(words)
