"""Artefacts: files of one folder, with a record of everything that they were made of.

A writer leaves the record behind the files, as ``artefact.json``. A reader compares the digests of
what it has with those of the record, and uses nothing that was made of something else. No time
stamp decides anything.
"""

import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import MALFORMED, SpikeletError, file_error
from spikelet.description.files import AtomicFile
from spikelet.description.summary import summary

__all__ = [
    "RECORD",
    "ArrayBlocks",
    "Artefact",
    "OutOfDate",
    "digest_of",
    "digests_of_files",
    "file_digest",
]

RECORD = "artefact.json"
"""The record's file name; it is written last."""

_SHOWN = 12
"""Digits of a digest in messages."""

_ATTEMPTS, _PAUSE_S = 20, 0.05
"""How often, and how far apart, a reader looks again while a writer replaces the files."""


@dataclass(frozen=True, eq=False)
class ArrayBlocks:
    """An array that is not held as one: its type and shape, and its rows, some at a time."""

    __repr__ = summary

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[npt.NDArray[Any]]


def digest_of(*parts: bytes | str | npt.NDArray[Any] | ArrayBlocks | None) -> str:
    """Return the SHA-256 of parts in their order; arrays with their type and shape."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, ArrayBlocks):
            header = f"{part.dtype.newbyteorder('=').str} {part.shape} ".encode()
            size = len(header) + math.prod(part.shape) * part.dtype.itemsize
            state.update(f"{size} ".encode() + header)
            for block in part.blocks:
                state.update(block.astype(part.dtype.newbyteorder("="), copy=False).tobytes())
            continue
        if isinstance(part, np.ndarray):
            kept = np.ascontiguousarray(part, part.dtype.newbyteorder("="))
            header = f"{kept.dtype.str} {kept.shape} ".encode()
            state.update(f"{len(header) + kept.nbytes} ".encode() + header)
            state.update(kept.reshape(-1).view(np.uint8).data)  # no copy: arrays may be large
        else:
            data = part.encode() if isinstance(part, str) else part or b""
            state.update(f"{len(data)} ".encode() + data)
    return state.hexdigest()


def digests_of_files(paths: Mapping[str, Path | None]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests and the absolute paths of those files, by role, that are given.

    SpikeletError if one cannot be read.
    """
    given = {role: path for role, path in paths.items() if path is not None}
    try:
        digests = {role: file_digest(path) for role, path in given.items()}
    except OSError as error:
        raise file_error(f"{error.filename} cannot be read", error) from error
    return digests, {role: str(path.absolute()) for role, path in given.items()}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; OSError if it cannot be read."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class OutOfDate:
    """An artefact that was made of something else than what is there now.

    Parameters
    ----------
    what : str
        Which artefact.
    reasons : tuple of str
        What differs: what it was made of, and what is there now.
    command : str
        What makes it anew; empty if that is not known.
    """

    what: str
    reasons: tuple[str, ...]
    command: str

    def __str__(self) -> str:
        renew = f"; renew it: {self.command}" if self.command else ""
        return f"{self.what} is out of date ({'; '.join(self.reasons)}){renew}"


@dataclass(frozen=True)
class Artefact:
    """What the files of a folder were made of.

    Parameters
    ----------
    kind : str
        What it is, in words for people, such as ``"verification of rtl"``.
    inputs : dict of str to str
        SHA-256 of each input by its role, such as ``"chip contents"``.
    options : dict of str to JSON values
        Everything else that the result depends on.
    tools : dict of str to str
        Versions of the programs that made it, and of no others.
    command : str
        The shell command that makes it again; empty if it was made from Python.
    version : int
        Of the form in which files of this kind are kept.
    sources : dict of str to str
        Absolute paths of the files among ``inputs``, by role.
    files : dict of str to str
        SHA-256 of each file by its name; filled in when they are written.
    """

    kind: str
    inputs: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    version: int = 1
    sources: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path, contents: Mapping[str, bytes]) -> "Artefact":
        """Write files and then the record; remove files that only an older record names.

        All files are written beside their places first: without room for the last, none is
        replaced. SpikeletError if the folder cannot be written.
        """
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        made, record = replace(self, files=digests)._recorded()
        try:
            older = _files_named(folder)
            with ExitStack() as stack:  # leaves in reverse order: the record is replaced last
                for name, data in {RECORD: record, **contents}.items():
                    file = stack.enter_context(AtomicFile(folder / name))
                    file.write(data)
                    file.flush()
            for name in older - contents.keys():
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise file_error(f"{folder} cannot be written", error) from error
        return made

    def seal(self, folder: Path) -> "Artefact":
        """Write the record of all files that a tool has left in a folder; OSError if it cannot."""
        names = sorted(
            path.name
            for path in folder.iterdir()
            if path.is_file() and path.name != RECORD and not path.name.startswith(".")
        )
        digests = {name: file_digest(folder / name) for name in names}
        made, record = replace(self, files=digests)._recorded()
        with AtomicFile(folder / RECORD) as file:
            file.write(record)
        return made

    def _recorded(self) -> tuple["Artefact", bytes]:
        """Return the artefact as it is read again, where tuples are lists, and its record."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        return Artefact(**json.loads(text)), text.encode()

    @classmethod
    def load(cls, folder: Path) -> "Artefact | None":
        """Return the record in a folder; None if there is none that can be read."""
        with suppress(OSError, *MALFORMED):
            found = cls(**json.loads((folder / RECORD).read_text(encoding="utf8")))
            mappings = (found.inputs, found.options, found.tools, found.sources, found.files)
            if all(isinstance(m, dict) for m in mappings) and isinstance(found.command, str):
                return found
        return None

    @classmethod
    def read(
        cls, folder: Path, names: Iterable[str], *, kind: str, version: int = 1, remedy: str
    ) -> tuple["Artefact", dict[str, bytes]]:
        """Return the record of a folder and the files called ``names``, all of one writing.

        SpikeletError, naming the file, if one is missing, of another kind or version, or not the
        one that was written with the record; ``remedy`` says how to make the folder anew.
        """
        names = tuple(names)
        for attempt in range(_ATTEMPTS):
            made, contents, problem = cls._tried(folder, names, kind, version)
            if made is not None and not problem:
                return made, contents
            if attempt == 0 and not any(folder.glob(".*")):
                break  # nobody is writing
            time.sleep(_PAUSE_S)
        raise SpikeletError(problem, remedy=remedy)

    @classmethod
    def _tried(
        cls, folder: Path, names: tuple[str, ...], kind: str, version: int
    ) -> tuple["Artefact | None", dict[str, bytes], str]:
        """Return record, files, and what is wrong with them."""
        contents = {}
        for name in (RECORD, *names):
            try:
                contents[name] = (folder / name).read_bytes()
            except OSError as error:
                reason = error.strerror or error
                return None, {}, f"{folder / name} cannot be read ({reason}): not complete"
        del contents[RECORD]
        made = cls.load(folder)
        if made is None:
            return None, {}, f"{folder / RECORD} is not a record of an artefact"
        if made.kind != kind:
            return None, {}, f"{folder / RECORD}: kind must be {kind!r}, not {made.kind!r}"
        if made.version != version:
            message = f"{folder / RECORD}: version must be {version}, not {made.version!r}"
            return None, {}, message
        for name, data in contents.items():
            if hashlib.sha256(data).hexdigest() != made.files.get(name):
                return (
                    None,
                    {},
                    f"{folder / name} is not the file that {RECORD} names: writing was "
                    "interrupted, or the file was changed",
                )
        return made, contents, ""

    @classmethod
    def remove(cls, folder: Path) -> None:
        """Remove a folder's record and the files that it names, and the folder if it is empty."""
        for name in _files_named(folder):
            (folder / name).unlink(missing_ok=True)
        (folder / RECORD).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()

    def intact(self, folder: Path) -> bool:
        """Return whether every file of the record is there, as it was written."""
        with suppress(OSError):
            return all(file_digest(folder / n) == digest for n, digest in self.files.items())
        return False

    def same_making(self, other: "Artefact") -> bool:
        """Return whether another was made of the same, by the same tools, with the same options."""

        ours, theirs = (
            replace(made, files={}, sources={}, command="")._recorded()[0] for made in (self, other)
        )
        return ours == theirs

    def out_of_date(
        self, inputs: Mapping[str, str], tools: Mapping[str, str] | None = None
    ) -> OutOfDate | None:
        """Return what differs from what is there now; None if nothing does.

        Its source files are compared too, as far as they are still where they were.

        Parameters
        ----------
        inputs : dict of str to str
            Digests by role; roles that this artefact does not have, and those that are not given,
            are not compared.
        tools : dict of str to str or None
            Versions that are installed; those of other tools are not compared.
        """
        present = {**_present(self.sources), **inputs}
        reasons = (
            *_changes(self.inputs, present, _SHOWN),
            *_changes(self.tools, tools or {}, None),
        )
        return OutOfDate(self.kind, reasons, self.command) if reasons else None


def _present(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of files by role, without those that are gone."""
    digests = {}
    for role, path in sources.items():
        with suppress(OSError):
            digests[role] = file_digest(Path(path))
    return digests


def _changes(
    recorded: Mapping[str, str], present: Mapping[str, str], shown: int | None
) -> Iterator[str]:
    for role, value in recorded.items():
        if role in present and present[role] != value:
            yield f"{role} was {value[:shown]}, is {present[role][:shown]}"


def _files_named(folder: Path) -> set[str]:
    """Return the files that the record in a folder names; those in other places are not its own."""
    made = Artefact.load(folder)
    return {name for name in made.files if name == Path(name).name} if made else set()
