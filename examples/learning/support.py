"""What the experiments share: engines compared bit for bit, scores, and how results are kept."""

import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.console import Console

from spikelet.description.errors import SpikeletError
from spikelet.description.files import AtomicFile
from spikelet.description.run.recording import Recording

__all__ = [
    "COLOURS",
    "RECORD",
    "Comparison",
    "area_under_curve",
    "compare",
    "console",
    "guarded",
    "save",
    "separation",
    "tools",
]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's colours, told apart with any colour vision."""

RECORD = ("spikes", "states", "checksums")
"""What is compared between engines, besides outputs and counters. A checksum after each sample
covers weights, tags, traces and random states."""

console = Console(width=110)


@dataclass(frozen=True)
class Comparison:
    """A run on golden and on the generated Verilog.

    Parameters
    ----------
    samples, ticks : int
        In all.
    compared : tuple of str
        What was recorded by both.
    difference : str or None
        The first place where they differ; None: nowhere.
    cycles : int
        Clock cycles of the Verilog, without loading and reading.
    golden_seconds, rtl_seconds : float
        Wall-clock time, with recording, and for the Verilog its compilation.
    """

    samples: int
    ticks: int
    compared: tuple[str, ...]
    difference: str | None
    cycles: int
    golden_seconds: float
    rtl_seconds: float

    @property
    def equal(self) -> bool:
        """Whether they agree in every value."""
        return self.difference is None

    def __str__(self) -> str:
        result = "equal" if self.equal else f"DIFFERENT: {self.difference}"
        return (
            f"RTL to golden, {self.samples:,} samples, {self.ticks:,} ticks, {self.cycles:,} clock "
            f"cycles: {result} ({', '.join(self.compared)})"
        )


def compare(run: Callable[[str], Sequence[Recording]]) -> Comparison:
    """Return how runs on the generated Verilog compare with the same runs on golden.

    Parameters
    ----------
    run : callable
        Given ``"golden"`` or ``"rtl"``, returns Recordings, one after another, with :data:`RECORD`.
    """
    began = time.perf_counter()
    expected = run("golden")
    between = time.perf_counter()
    traces = run("rtl")
    ended = time.perf_counter()
    pairs = list(zip(traces, expected, strict=True))
    found = (trace.first_difference(golden) for trace, golden in pairs)
    difference = next((str(place) for place in found if place), None)
    return Comparison(
        sum(trace.samples for trace in traces),
        sum(trace.samples * trace.ticks for trace in traces),
        tuple(pairs[0][0].compared(pairs[0][1])),
        difference,
        sum(int(trace.cycles.sum()) for trace in traces if trace.cycles is not None),
        between - began,
        ended - between,
    )


def separation(high: npt.NDArray[np.floating[Any]], low: npt.NDArray[np.floating[Any]]) -> float:
    """Return the difference of the means over the pooled standard deviation.

    The variances of both groups count alike, however large they are. Infinite where both are 0.
    """
    pooled = float(np.sqrt((high.var() + low.var()) / 2))
    gap = float(high.mean() - low.mean())
    return gap / pooled if pooled else float(np.copysign(np.inf, gap))


def area_under_curve(
    high: npt.NDArray[np.floating[Any]], low: npt.NDArray[np.floating[Any]]
) -> float:
    """Return the probability that one of ``high`` exceeds one of ``low``; ties count one half."""
    above = (high[:, None] > low).mean()
    return float(above + (high[:, None] == low).mean() / 2)


def tools(*distributions: str) -> dict[str, str]:
    """Return the versions of Python and of the distributions named."""
    found = {"python": platform.python_version()}
    for name in ("numpy", *distributions):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def save(folder: Path, report: dict[str, Any], figure: Figure) -> None:
    """Write ``results.json`` and ``figure.png`` into a folder, and say so.

    SpikeletError if the folder cannot be written.
    """
    try:
        with AtomicFile(folder / "results.json") as file:
            file.write((json.dumps(report, indent=1) + "\n").encode())
        with AtomicFile(folder / "figure.png") as file:
            figure.savefig(file, format="png", dpi=100)
    except OSError as error:
        raise SpikeletError(f"{folder} cannot be written: {error.strerror}") from error
    console.print("  ".join(f"{name} {version}" for name, version in report["tools"].items()))
    console.print(f"wrote {folder / 'results.json'} and {folder / 'figure.png'}")


def guarded(main: Callable[[], int]) -> NoReturn:
    """Exit with the status of a command, or with what it refuses."""
    try:
        sys.exit(main())
    except SpikeletError as error:
        sys.exit(f"error: {error}")
