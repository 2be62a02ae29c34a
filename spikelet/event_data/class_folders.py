"""A folder of event files as one set of samples: a folder for each class, as N-MNIST has."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from spikelet.description.errors import SpikeletError
from spikelet.event_data.event_file import EventBlock, EventFile, EventStream

__all__ = ["class_folder"]

_LAYOUT = "give a folder of event files, or one with a folder for each class"


def class_folder(path: Path, opened: Callable[[Path], EventFile]) -> EventFile:
    """Return the files of a folder as one, a stream for each; hidden files are left out.

    Where folders are in it, each is a class. They number the classes if all are called by numbers,
    as N-MNIST's are; otherwise classes are numbered in alphabetical order.

    Parameters
    ----------
    path : Path
    opened : callable
        Opens a single file.

    Raises
    ------
    SpikeletError
        If there is no file, files stand beside folders, or one is of another kind.
    """
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    folders = [entry for entry in entries if entry.is_dir()]
    if folders and len(folders) < len(entries):
        beside = next(entry for entry in entries if entry not in folders)
        raise SpikeletError(f"{path}: {beside.name} stands beside folders", remedy=_LAYOUT)
    numbered = all(folder.name.isdecimal() for folder in folders)
    folders.sort(key=lambda folder: int(folder.name) if numbered else folder.name)
    files: list[tuple[Path, int | None]] = [(entry, None) for entry in entries if not folders]
    for index, folder in enumerate(folders):
        label = int(folder.name) if numbered else index
        found = sorted(entry for entry in folder.iterdir() if entry.name[0] != ".")
        files += [(entry, label) for entry in found]
    if not files:
        raise SpikeletError(f"{path} holds no file", remedy=_LAYOUT)
    first = opened(files[0][0])
    streams = [EventStream(str(f), partial(_blocks, f, first, opened), label) for f, label in files]
    classes = tuple(folder.name for folder in folders)
    kind = f"a folder of {first.kind}"
    return EventFile(path, kind, streams, first.sensor, first.polarity, first.from_zero, classes)


def _blocks(
    path: Path, first: EventFile, opened: Callable[[Path], EventFile]
) -> Iterator[EventBlock]:
    file = opened(path)
    for what in ("kind", "sensor", "polarity"):
        mine, others = getattr(file, what), getattr(first, what)
        if mine != others:
            raise SpikeletError(
                f"{path}: {what} is {mine}, that of {first.path} {others}",
                remedy="all files of a folder must be of one kind, and of one sensor",
            )
    if len(file.streams) != 1:
        raise SpikeletError(
            f"{path} holds {len(file.streams)} samples; in a folder each file is one",
            remedy="give the file by itself",
        )
    yield from file.streams[0].blocks()
