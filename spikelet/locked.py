"""One writer at a time in a folder."""

import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from spikelet.description.errors import SpikeletError, file_error
from spikelet.description.files import PARTIAL

__all__ = ["LOCK", "writing"]

LOCK = ".lock"
"""The lock's file in a folder; it stays, and means nothing when no process holds it."""

_WRITER = ".writer.json"
_DEPTH = 3


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold a folder for writing, and clear away what a killed writer left unfinished.

    A process may hold a folder several times, one within another.

    Raises
    ------
    SpikeletError
        If another process is writing there, with its number and command, or the folder cannot be
        written.
    """
    made = not folder.exists()
    lock = FileLock(folder.resolve() / LOCK, timeout=0, is_singleton=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise SpikeletError(
            f"{folder}: {_writer(folder)} is writing there",
            remedy="wait until it has ended, or use another folder",
        ) from error
    except OSError as error:
        raise file_error(f"{folder} cannot be written", error) from error
    try:
        if lock.lock_counter == 1:
            _note(folder)
            _clear(folder)
        yield
    finally:
        if lock.lock_counter == 1:
            (folder / _WRITER).unlink(missing_ok=True)
        lock.release()
        if made:  # and nothing was written there
            with suppress(OSError):
                if {path.name for path in folder.iterdir()} == {LOCK}:
                    (folder / LOCK).unlink()
                    folder.rmdir()


def _note(folder: Path) -> None:
    """Leave who is writing; without room for it, another process gets a shorter message."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    began = datetime.now().isoformat(" ", "seconds")
    note = {"pid": os.getpid(), "host": platform.node(), "command": command, "began": began}
    with suppress(OSError):
        (folder / _WRITER).write_text(json.dumps(note), encoding="utf8")


def _writer(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads((folder / _WRITER).read_text(encoding="utf8"))
        place = "" if note["host"] == platform.node() else f" on {note['host']}"
        return f"process {note['pid']}{place} ({note['command']}, since {note['began']})"
    return "another process"


def _clear(folder: Path) -> None:
    """Remove partial files and folders: their writers are gone."""
    for depth in range(_DEPTH):
        for path in folder.glob("*/" * depth + f"*{PARTIAL}"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
