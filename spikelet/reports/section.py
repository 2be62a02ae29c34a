"""A section of the report that is a file of its own: its data, and the template that shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikelet.compiler.compiled import CompiledNetwork
from spikelet.fpga.flow import FpgaReport
from spikelet.runs.run_result import Run
from spikelet.runs.verification import Verification
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
    verification : Verification or None
    cycles : float or None
        Clock cycles of a sample, mean.
    """

    compiled: CompiledNetwork
    samples: Samples | None
    run: Run | None
    decode: str
    sample: int
    fpga: Sequence[FpgaReport]
    files: Sequence[Path] = ()
    guidance: Mapping[str, Sequence[str]] = field(default_factory=dict)
    verification: Verification | None = None
    cycles: float | None = None


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Parameters
    ----------
    name : str
        Its anchor on the page, and its field in ``report.json``.
    title : str
    template : str
        File beside this one, which shows as ``content`` what ``content`` returned.
    content : callable
        Returns JSON-compatible values; None leaves the section out.
    pictures : callable or None
        Returns PNGs by name.
    shown : callable or None
        Returns what the template shows in the place of the content that it is given, such as
        numbers in words.
    """

    name: str
    title: str
    template: str
    content: Callable[[Parts], dict[str, Any] | None]
    pictures: Callable[[Parts], dict[str, bytes]] | None = None
    shown: Callable[[dict[str, Any]], dict[str, Any]] | None = None
