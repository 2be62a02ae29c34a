"""What the commands of the experiments share: options, the table over seeds, and how they end."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from spikelet.description.errors import SpikeletError
from spikelet.description.run.recording import Recording
from spikelet.examples.learning.support import COLOURS, compare, console, save, tools

__all__ = ["Command", "panels"]


@dataclass(frozen=True)
class Command:
    """An experiment's command line.

    Parameters
    ----------
    name : str
        Of the folder of results, below ``build/literature``.
    seeds : int
        By default so many, from 0.
    """

    name: str
    seeds: int

    def parser(self) -> argparse.ArgumentParser:
        """Return the options that all have."""
        parser = argparse.ArgumentParser(prog=f"python -m spikelet.examples.literature.{self.name}")
        parser.add_argument("--seeds", type=int, default=self.seeds, help="so many, from 0")
        parser.add_argument("--rtl", action="store_true", help="compare the RTL with golden, too")
        parser.add_argument("--out", type=Path, default=Path("build/literature") / self.name)
        return parser

    def parsed(
        self, arguments: Sequence[str] | None, parser: argparse.ArgumentParser | None = None
    ) -> argparse.Namespace:
        """Return the options; SpikeletError for fewer seeds than 1, or more than 1000."""
        options = (parser or self.parser()).parse_args(arguments)
        if not 1 <= options.seeds <= 1000:
            raise SpikeletError(f"--seeds must be in 1..1000, not {options.seeds}")
        return options

    def show(
        self, title: str, first: str, rows: Mapping[Any, Mapping[str, npt.ArrayLike]], form: str
    ) -> None:
        """Print a table, a row for each of ``rows``: mean ± standard deviation [least, most].

        Parameters
        ----------
        title : str
        first : str
            What the keys of ``rows`` are.
        rows : mapping
            Of columns, by their names; each the values of all seeds.
        form : str
            How a number is written, such as ``".3f"``.
        """
        table = Table(title=title)
        table.add_column(first)
        for name in next(iter(rows.values())):
            table.add_column(name, justify="right")
        for key, columns in rows.items():
            table.add_row(str(key), *(_spread(np.asarray(v), form) for v in columns.values()))
        console.print(table)

    def finish(
        self,
        options: argparse.Namespace,
        goals: Mapping[str, bool],
        report: Mapping[str, Any],
        figure: Figure,
        run: Callable[[str], Sequence[Recording]],
    ) -> int:
        """Print goals, compare engines if asked to, and save; return the exit status.

        0, unless RTL and golden differ.

        Parameters
        ----------
        options : Namespace
            Of :meth:`parsed`.
        goals : mapping of bool
            Whether each, in words, is reached.
        report : mapping
            What ``results.json`` holds besides.
        figure : Figure
        run : callable
            As for :func:`compare`.
        """
        for goal, reached in goals.items():
            console.print(f"goal: {goal}: {'reached' if reached else 'NOT reached'}")
        confirmed = compare(run) if options.rtl else None
        if confirmed:
            console.print(str(confirmed))
        found = {
            "seeds": options.seeds,
            "goals": {goal: bool(reached) for goal, reached in goals.items()},
            **report,
            "rtl": asdict(confirmed) if confirmed else None,
            "tools": tools("amaranth", "verilator"),
        }
        for axes in figure.axes:
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=8)
        save(options.out, found, figure)
        return 0 if confirmed is None or confirmed.equal else 1


def panels(count: int, width: float = 7.2, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels side by side, whose lines take :data:`COLOURS` in turn."""
    figure = Figure(figsize=(width, height), layout="constrained")
    found = list(figure.subplots(1, count, squeeze=False)[0])
    for axes in found:
        axes.set_prop_cycle(color=COLOURS)
    return figure, found


def _spread(values: npt.NDArray[Any], form: str) -> str:
    low, high = values.min(), values.max()
    return f"{values.mean():{form}} ± {values.std():{form}} [{low:{form}}, {high:{form}}]"
