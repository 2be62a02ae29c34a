"""A section of the report that is a file of its own: its data, and the template that shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.flow import FpgaReport
from spikelet.runs.run_result import Run
from spikelet.samples.samples import Samples

__all__ = ["Parts", "Section"]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a report is made of.

    Parameters
    ----------
    compiled : CompiledNetwork
    samples : Samples or None
        The input that led to ``run``; it may have more samples.
    run : Run or None
        Golden's, of the first samples.
    decode : str
        How samples are classified.
    sample : int
        The sample that is shown first.
    fpga : sequence of FpgaReport
    files : sequence of Path
        Files that belong to the network, relative to the report's folder.
    guidance : mapping of str to sequence of str
        What to look at once a board is programmed, in lines, by the board.
    """

    compiled: CompiledNetwork
    samples: Samples | None
    run: Run | None
    decode: str
    sample: int
    fpga: Sequence[FpgaReport]
    files: Sequence[Path] = ()
    guidance: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Parameters
    ----------
    name : str
        Its anchor on the page, and its field in ``report.json``.
    title : str
    template : str
        File beside this one, which shows what ``content`` returned under that name.
    content : callable
        Returns JSON-compatible values; None leaves the section out.
    pictures : callable or None
        Returns PNGs by name.
    """

    name: str
    title: str
    template: str
    content: Callable[[Parts], dict[str, Any] | None]
    pictures: Callable[[Parts], dict[str, bytes]] | None = None
