"""The kinds of samples files that are read, and the choice of a file's reader."""

from collections.abc import Iterable
from pathlib import Path

from spikelet.description.array_files import beginning, kind_of
from spikelet.description.errors import SpikeletError
from spikelet.samples.reader import SampleReader
from spikelet.samples.readers.npy import Npy
from spikelet.samples.readers.npz import Npz

__all__ = ["NEEDED", "READERS", "reader_of"]

READERS: tuple[SampleReader, ...] = (Npz(), Npy())
"""One reader a file of ``samples/readers/``; a test compares the two."""

NEEDED = "; or ".join(reader.needed for reader in READERS)
"""What samples files may be, for messages."""


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
        raise SpikeletError(
            f"{path} is {kind_of(head)}, not a samples file", remedy=f"give {needed}"
        )
    return found
