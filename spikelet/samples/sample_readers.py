"""The kinds of samples files that are read, and the choice of a file's reader."""

from collections.abc import Iterable
from pathlib import Path

from spikelet.description.array_files import beginning, kind_of
from spikelet.description.errors import SpikeletError
from spikelet.samples.reader import SampleReader
from spikelet.samples.readers.npy import Npy
from spikelet.samples.readers.npz import Npz

__all__ = ["FROM_EVENTS", "NEEDED", "READERS", "reader_of"]

READERS: tuple[SampleReader, ...] = (Npz(), Npy())
"""One reader a file of ``samples/readers/``; a test compares the two."""

NEEDED = "; or ".join(reader.needed for reader in READERS)
"""What samples files may be, for messages."""

FROM_EVENTS = (
    "events become a samples file by spikelet data FILE --sensor WxH --bin 10ms -o NEW.npz"
)
"""What to do about files of events."""

_EVENT_SUFFIXES = (".bin", ".csv", ".txt", ".h5", ".hdf5", ".aedat4", ".raw", ".dat")
"""Of files that hold events more often than samples."""


def reader_of(path: Path, more: Iterable[SampleReader] = ()) -> SampleReader:
    """Return the reader that recognises a file, or else whose suffix it has.

    Parameters
    ----------
    path : Path
    more : iterable of SampleReader
        A user's own, which are asked first.

    Raises
    ------
    SpikeletError
        If the file cannot be read or is of another kind (it says which), or one of ``more`` is no
        :class:`SampleReader`.
    """
    readers = (*more, *READERS)
    for reader in readers:
        if not isinstance(reader, SampleReader):
            raise SpikeletError(
                f"a reader of samples files must be a SampleReader, not {reader!r}",
                remedy="give an object, not its class",
            )
    needed = "; or ".join(reader.needed for reader in readers)
    head = beginning(path, needed)
    suffix = path.suffix.lower()
    named = (reader for reader in readers if suffix in reader.suffixes)  # which says what it misses
    found = next((reader for reader in readers if reader.recognises(path, head)), next(named, None))
    if found is None:
        kind = kind_of(head)
        remedy = f"give {needed}; {FROM_EVENTS}"
        if suffix in _EVENT_SUFFIXES:
            remedy = f"if it holds events: {FROM_EVENTS}; else give {needed}"
        if "pickle" in kind:
            remedy = f"store its arrays by np.savez(PATH, NAME=array), where it was made; {remedy}"
        raise SpikeletError(f"{path} is {kind}, not a samples file", remedy=remedy)
    return found
