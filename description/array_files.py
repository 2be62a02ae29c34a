"""Arrays from .npz and .npy files that anybody may have made.

Nothing is unpickled, and a header is held against its file before memory is taken: what declares
more than the file holds, or more than a limit, is refused. A file of another kind is recognised by
its first bytes.
"""

import codecs
import io
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, file_error

__all__ = [
    "LARGEST_BYTES",
    "array_blocks",
    "array_headers",
    "arrays_under",
    "beginning",
    "kind_of",
    "packed_arrays",
    "read_array",
    "read_arrays",
]

_Found = TypeVar("_Found")

LARGEST_BYTES = 8 << 30
"""What the arrays of a file may take in memory."""

_HEAD_BYTES = 512
"""By which a file's kind is told."""

_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"

_KINDS = (
    # first bytes, what it is
    (_NPY, "a single numpy array (.npy)"),
    (_ZIP, "a zip archive"),
    (b"PK\x05\x06", "a zip archive without contents"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (NIR networks and some event data are stored so)"),
    (b"#!AER-DAT", "an AEDAT file of camera events"),
    (b"% evt", "a raw file of camera events (EVT)"),
    (b"% Data file containing", "a DAT file of camera events"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x1f\x8b", "a gzip-compressed file"),
    (b"BZh", "a bzip2-compressed file"),
    (b"\xfd7zXZ", "an xz-compressed file"),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    *((bytes([0x80, protocol]), "a Python pickle") for protocol in range(2, 6)),
)

_PYTORCH = "a PyTorch file (.pt)"

_DAMAGED = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, NotImplementedError, RuntimeError),
    *(SyntaxError, OverflowError, zipfile.BadZipFile, zlib.error, struct.error),
    tokenize.TokenError,
)
"""What numpy and zipfile raise for damaged files; their texts advise to unpickle."""


def arrays_under(
    arrays: Mapping[str, npt.NDArray[Any]], prefix: str
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): values
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def packed_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the contents of a compressed .npz file; the same arrays give the same bytes."""
    file = io.BytesIO()
    np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]
    return file.getvalue()


def read_arrays(
    source: str | Path | bytes, needed: str, *, limit: int | None = LARGEST_BYTES
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an .npz file by name.

    Parameters
    ----------
    source : path, or bytes
        The file, or what it holds.
    needed : str
        What file is needed, for messages: "an .npz file with ...".
    limit : int or None
        Bytes that the arrays may take in memory; None for a file that Spikelet wrote and sealed.

    Raises
    ------
    SpikeletError
        For a file that is missing, of another kind (it says which), damaged, beyond the limit, or
        with an array of Python objects, by name.
    """
    return _read(source, needed, lambda place, file: _of_zip(place, file, needed, limit))


def read_array(path: str | Path, needed: str) -> npt.NDArray[Any]:
    """Return the array of an .npy file; SpikeletError as for :func:`read_arrays`."""

    def single(place: str, file: IO[bytes]) -> npt.NDArray[Any]:
        if file.read(len(_NPY)) != _NPY:
            file.seek(0)
            kind = kind_of(file.read(_HEAD_BYTES))
            raise SpikeletError(f"{place} is {kind}, not an .npy file", remedy=f"give {needed}")
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        return _array(place, "the array", file, size, needed, LARGEST_BYTES)

    return _read(path, needed, single)


def array_headers(
    path: str | Path, needed: str
) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Return shape and number format of each array of an .npz file by name, of an .npy file by "".

    SpikeletError as for :func:`read_arrays`.
    """

    def headers(place: str, file: IO[bytes]) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        if file.read(len(_NPY)) == _NPY:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            return {"": _header(place, "the array", file, size, needed)}
        file.seek(0)
        found = {}
        try:
            with zipfile.ZipFile(file) as archive:
                for info in archive.infolist():
                    name = info.filename.removesuffix(".npy")
                    if name != info.filename:
                        with archive.open(info) as member:
                            said = f"array {name!r}"
                            found[name] = _header(place, said, member, info.file_size, needed)
        except _DAMAGED as error:
            raise _damaged_zip(place, error, needed) from error
        return found

    return _read(path, needed, headers)


def array_blocks(path: str | Path, name: str, rows: int, needed: str) -> Iterator[npt.NDArray[Any]]:
    """Yield an array of a file, ``rows`` rows at a time; names as of :func:`array_headers`.

    SpikeletError as for :func:`read_arrays`, but for its limit.
    """
    try:
        with open(path, "rb") as file:
            if not name:
                size = os.fstat(file.fileno()).st_size
                yield from _blocks(str(path), "the array", file, size, rows, needed)
                return
            with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
                size = archive.getinfo(f"{name}.npy").file_size
                yield from _blocks(str(path), f"array {name!r}", member, size, rows, needed)
    except _DAMAGED as error:
        raise _damaged_zip(str(path), error, needed) from error


def _blocks(
    place: str, name: str, file: IO[bytes], size: int, rows: int, needed: str
) -> Iterator[npt.NDArray[Any]]:
    shape, dtype = _header(place, name, file, size, needed)
    row, left = dtype.itemsize * math.prod(shape[1:]), shape[0]
    while left and row:
        count = min(rows, left)
        data = file.read(count * row)
        if len(data) < count * row:
            raise EOFError(f"{left:,} rows of {name} are missing")
        yield np.frombuffer(data, dtype).reshape(count, *shape[1:])
        left -= count


def _damaged_zip(place: str, error: BaseException, needed: str) -> SpikeletError:
    return SpikeletError(
        f"{place} is a file of arrays that is cut short or damaged ({_short(error)})",
        remedy=f"write or copy it again; needed is {needed}",
    )


def _read(
    source: str | Path | bytes, needed: str, read: Callable[[str, IO[bytes]], _Found]
) -> _Found:
    if isinstance(source, bytes):
        return read("the file", io.BytesIO(source))
    path = source if isinstance(source, Path) else Path(source)
    if os.path.isdir(path):
        raise SpikeletError(f"{path} is a folder, not a file", remedy=f"give {needed}")
    try:
        with open(path, "rb") as file:
            return read(str(path), file)
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        if isinstance(error, FileNotFoundError):
            raise SpikeletError(f"{path} does not exist", remedy=f"give {needed}") from error
        reason = error if isinstance(error, OSError) else OSError(str(error))
        raise file_error(f"{path} cannot be read", reason) from error


def beginning(path: str | Path, needed: str) -> bytes:
    """Return the first bytes of a file; SpikeletError as for :func:`read_arrays`."""
    return _read(path, needed, lambda _, file: file.read(_HEAD_BYTES))


def kind_of(head: bytes) -> str:
    """Return what a file is by its first bytes, such as "an AEDAT file of camera events"."""
    if not head:
        return "empty"
    for magic, kind in _KINDS:
        if head.startswith(magic):
            return kind
    try:
        # The last sign may be cut.
        text = codecs.getincrementaldecoder("utf8")().decode(head, final=len(head) < _HEAD_BYTES)
    except UnicodeDecodeError:
        return "of an unknown kind"
    printable = all(char.isprintable() or char in "\t\r\n\f" for char in text)
    return "a text file (such as CSV)" if printable else "of an unknown kind"


def _of_zip(
    place: str, file: IO[bytes], needed: str, limit: int | None
) -> dict[str, npt.NDArray[Any]]:
    head = file.read(len(_ZIP))
    file.seek(0)
    if head not in (_ZIP, b"PK\x05\x06"):
        kind = kind_of(file.read(_HEAD_BYTES))
        raise SpikeletError(f"{place} is {kind}, not an .npz file", remedy=f"give {needed}")
    arrays: dict[str, npt.NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            others = [i.filename for i in archive.infolist() if not i.filename.endswith(".npy")]
            if others and not members:
                said, remedy = _archive_kind(others), f"give {needed}"
                if said == _PYTORCH:
                    remedy = f"store its tensors by np.savez(PATH, NAME=tensor.numpy()); {remedy}"
                raise SpikeletError(f"{place} is {said}, not an .npz file", remedy=remedy)
            for info in members:
                name = info.filename.removesuffix(".npy")
                rest = None if limit is None else limit - sum(a.nbytes for a in arrays.values())
                with archive.open(info) as member:
                    arrays[name] = _array(
                        place, f"array {name!r}", member, info.file_size, needed, rest
                    )
    except _DAMAGED as error:
        raise SpikeletError(
            f"{place} is an .npz file that is cut short or damaged ({_short(error)})",
            remedy=f"write or copy it again; needed is {needed}",
        ) from error
    return arrays


def _archive_kind(names: list[str]) -> str:
    if any(name.endswith("data.pkl") for name in names):
        return _PYTORCH
    return f"a zip archive of {names[0]!r} and {len(names)} files in all"


def _header(
    place: str, name: str, file: IO[bytes], size: int, needed: str
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and number format of an array of ``size`` bytes, header and all.

    SpikeletError for what they must not be; then ``file`` stands behind the header.
    """
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        with warnings.catch_warnings():  # of a format's name that no numpy writes
            warnings.simplefilter("error", DeprecationWarning)
            shape, _, dtype = read_header(file)
        header = file.tell()
    except (*_DAMAGED, RecursionError, DeprecationWarning) as error:
        raise SpikeletError(
            f"{place}: the header of {name} is damaged or of an unknown version",
            remedy=f"give {needed}",
        ) from error
    if dtype.hasobject:
        raise SpikeletError(
            f"{place}: {name} holds Python objects (such as lists of unequal length), not numbers",
            remedy="make it one array of numbers: pad lists of unequal length, and store how many "
            f"ticks each has as `lengths`; needed is {needed}",
        )
    declared = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or declared > size - header:
        raise SpikeletError(
            f"{place}: {name} declares shape {_shown(shape)} of {dtype}, {_bytes(declared)}, and "
            f"the file holds {_bytes(max(0, size - header))} of it",
            remedy=f"write or copy it again; needed is {needed}",
        )
    return shape, dtype


def _array(
    place: str, name: str, file: IO[bytes], size: int, needed: str, limit: int | None
) -> npt.NDArray[Any]:
    """Return an array of ``size`` bytes, header and all; SpikeletError for what it must not be."""
    shape, dtype = _header(place, name, file, size, needed)
    declared = math.prod(shape) * dtype.itemsize
    if limit is not None and declared > limit:
        raise SpikeletError(
            f"{place}: {name} of shape {_shown(shape)} takes {_bytes(declared)}; with the others, "
            f"at most {_bytes(LARGEST_BYTES)} are read from a file",
            remedy="split the samples over several files, or store spikes as uint8",
        )
    try:
        file.seek(0)
        found: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except _DAMAGED as error:
        raise SpikeletError(
            f"{place}: {name} is cut short or damaged ({_short(error)})",
            remedy=f"write or copy it again; needed is {needed}",
        ) from error
    return found


def _short(error: BaseException) -> str:
    """Return a reason without advice that does not apply here."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return type(error).__name__ if "pickle" in text else text[:200]


def _shown(shape: tuple[int, ...]) -> str:
    text = str(shape)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(shape)} axes)"


def _bytes(count: int) -> str:
    if count >= 1 << 70:
        return "over 2^70 bytes"
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,} bytes"
