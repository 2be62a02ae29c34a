"""Folders whose files belong together: written so that a half-written folder is never used."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from spikelet.description.trace import AtomicFile
from spikelet.errors import MALFORMED, SpikeletError

__all__ = ["FORMAT", "MANIFEST", "read_sealed", "write_sealed"]

FORMAT = 2
"""Version of the saved form of a compiled network; raised when it changes."""

MANIFEST = "manifest.json"
"""File that is written last and holds the digests of the others."""


def write_sealed(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files by name, then the manifest; SpikeletError if the folder cannot be written."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = json.dumps({"format": FORMAT, "sha256": digests}, indent=1).encode()
    for name, data in {**contents, MANIFEST: manifest}.items():
        with AtomicFile(folder / name) as file:
            file.write(data)


def read_sealed(folder: Path, names: Iterable[str], *, remedy: str) -> dict[str, bytes]:
    """Return the files of a folder by name.

    SpikeletError, naming the file, if one is missing, of another version, or not the one that was
    written with the manifest; ``remedy`` says how to make the folder anew.
    """
    names = tuple(names)
    contents = {name: _read(folder / name, remedy) for name in (MANIFEST, *names)}
    try:
        manifest = json.loads(contents.pop(MANIFEST))
        version, digests = manifest["format"], dict(manifest["sha256"])
    except MALFORMED as error:
        raise SpikeletError(
            f"{folder / MANIFEST} is not a manifest: {error!r}", remedy=remedy
        ) from error
    if version != FORMAT:
        raise SpikeletError(
            f"{folder / MANIFEST}: format must be {FORMAT}, not {version!r}", remedy=remedy
        )
    for name, data in contents.items():
        if hashlib.sha256(data).hexdigest() != digests.get(name):
            raise SpikeletError(
                f"{folder / name} is not the file that {MANIFEST} names: "
                "writing was interrupted, or "
                "the file was changed",
                remedy=remedy,
            )
    return contents


def _read(path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpikeletError(
            f"{path} cannot be read ({error.strerror}): the folder is not complete", remedy=remedy
        ) from error
