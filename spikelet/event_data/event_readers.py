"""The kinds of event files that are read, and the choice of a file's reader."""

from collections.abc import Iterable
from pathlib import Path

from spikelet.description.array_files import beginning, kind_of
from spikelet.description.errors import SpikeletError
from spikelet.event_data.class_folders import class_folder
from spikelet.event_data.event_file import EventFile
from spikelet.event_data.event_reader import EventReader, Layout
from spikelet.event_data.readers.camera import Camera
from spikelet.event_data.readers.csv_text import CsvText
from spikelet.event_data.readers.evt21 import Evt21
from spikelet.event_data.readers.nmnist import NMnist
from spikelet.event_data.readers.shd import Shd
from spikelet.event_data.readers.structured import Structured

__all__ = ["EVENT_READERS", "event_reader_of", "open_events"]

EVENT_READERS: tuple[EventReader, ...] = (
    *(Structured(), Shd(), Evt21(), Camera(), NMnist(), CsvText()),
)
"""One reader a file of ``event_data/readers/``; a test compares the two. The first that recognises
a file reads it."""


def event_reader_of(path: Path, more: Iterable[EventReader] = ()) -> EventReader | None:
    """Return the reader that recognises a file; None if there is none.

    Parameters
    ----------
    path : Path
    more : iterable of EventReader
        A user's own, which are asked first.

    Raises
    ------
    SpikeletError
        If the file cannot be read, or one of ``more`` is no :class:`EventReader`.
    """
    return _recognised(path, *_readers(more))


def open_events(
    path: str | Path, layout: Layout | None = None, *, readers: Iterable[EventReader] = ()
) -> EventFile:
    """Open a file of events, or a folder of such files with a folder for each class.

    Parameters
    ----------
    path : path
    layout : Layout or None
        What the files do not say about themselves.
    readers : iterable of EventReader
        Of further kinds of files; they are asked first whether a file is theirs.

    Raises
    ------
    SpikeletError
        If the file is of no kind that is read, or damaged.
    """
    path, layout = Path(path), layout or Layout()
    known, needed = _readers(readers)

    def opened(file: Path) -> EventFile:
        reader = _recognised(file, known, needed)
        if reader is None:
            suffix = file.suffix.lower()
            reader = next((one for one in known if suffix in one.suffixes), None)
        if reader is None:
            kind = kind_of(beginning(file, needed))
            raise SpikeletError(f"{file} is {kind}, not a file of events", remedy=f"give {needed}")
        return reader.open(file, layout)  # which, by a suffix, says what is wrong with the file

    return class_folder(path, opened) if path.is_dir() else opened(path)


def _readers(more: Iterable[EventReader]) -> tuple[tuple[EventReader, ...], str]:
    """Return all readers, and what is needed, for messages."""
    readers = (*more, *EVENT_READERS)
    for reader in readers:
        if not isinstance(reader, EventReader):
            raise SpikeletError(
                f"a reader of event files must be an EventReader, not {reader!r}",
                remedy="give an object, not its class",
            )
    return readers, "; or ".join(reader.needed for reader in readers)


def _recognised(path: Path, readers: Iterable[EventReader], needed: str) -> EventReader | None:
    head = beginning(path, needed)
    return next((reader for reader in readers if reader.recognises(path, head)), None)
