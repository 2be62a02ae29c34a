"""What a kind of event file is to the rest: the door for a new one (``docs/data.md``)."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.event_data.event_file import EventFile
from spikelet.samples.reader import FileReader

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


class EventReader(FileReader):
    """How event files of one kind are read."""

    @abstractmethod
    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return what a file holds; its events are read later, block by block.

        Raises
        ------
        SpikeletError
            If the file is damaged, or of another kind, naming it, the place in it, and what would
            be valid; also when blocks are read.
        """
