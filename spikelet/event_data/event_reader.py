"""What a kind of event file is to the rest: the door for a new one (``docs/data.md``)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spikelet.description.errors import SpikeletError
from spikelet.event_data.event_file import EventFile

__all__ = ["TIME_UNITS", "EventReader", "Layout"]

TIME_UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
"""Units of time, in microseconds."""


@dataclass(frozen=True)
class Layout:
    """What files of numbers do not say about themselves; for CSV and numpy's arrays.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns of a CSV file without a header, in their order: ``t``, ``x``, and
        optionally ``y`` and ``p``; any other name is a column that is not used.
    time_unit : str
        Unit of ``t``: ``ns``, ``us``, ``ms`` or ``s``.
    """

    columns: tuple[str, ...] = ()
    time_unit: str = "us"

    def __post_init__(self) -> None:
        if self.time_unit not in TIME_UNITS:
            raise SpikeletError(
                f"the unit of time must be one of {', '.join(TIME_UNITS)}, not {self.time_unit!r}"
            )


class EventReader(ABC):
    """How event files of one kind are read.

    Attributes
    ----------
    needed : str
        What such a file holds, for messages: "an .h5 file with ...".
    starts : tuple of bytes
        What such a file may begin with; empty: only the suffix tells.
    suffixes : tuple of str
        As in ".csv", in lower case.
    """

    needed: ClassVar[str]
    starts: ClassVar[Sequence[bytes]] = ()
    suffixes: ClassVar[Sequence[str]] = ()

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file, of which ``head`` is the beginning, is of this kind."""
        if self.starts:
            return head.startswith(tuple(self.starts))
        return path.suffix.lower() in self.suffixes

    @abstractmethod
    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return what a file holds; its events are read later, block by block.

        Raises
        ------
        SpikeletError
            If the file is damaged, or of another kind, naming it, the place in it, and what would
            be valid; also when blocks are read.
        """
