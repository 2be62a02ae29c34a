"""What is a file each, such as neuron models: those of a folder by name, or a user's own."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeVar

from spikelet.description.errors import MALFORMED, SpikeletError, file_error

__all__ = ["chosen", "read_file", "read_folder"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)
Reader = Callable[[dict[str, Any]], T]


def read_folder(package: str, of: Reader[T]) -> dict[str, T]:
    """Return what the TOML files in the folder of a package hold, by name, in alphabetical order.

    Parameters
    ----------
    package : str
    of : callable
        Makes one of a file's keys.
    """
    paths = sorted((p for p in files(package).iterdir()), key=lambda path: path.name)
    texts = [path.read_text(encoding="utf-8") for path in paths if path.name.endswith(".toml")]
    found = [of(tomllib.loads(text)) for text in texts]
    return {one.name: one for one in found}


def read_file(path: str | Path, what: str, of: Reader[T]) -> T:
    """Read one from a TOML file, or a JSON file if its name says so.

    Parameters
    ----------
    path : str or Path
    what : str
        It is called so, such as "neuron model".
    of : callable
        As for :func:`read_folder`.

    Raises
    ------
    SpikeletError
        With the file's name, and what is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise file_error(f"the {what} {path} cannot be read", error) from None
    except UnicodeDecodeError:
        raise SpikeletError(f"the {what} {path} is not a text in UTF-8") from None
    try:
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        if not isinstance(values, dict):
            raise SpikeletError(f"it must be a table of the keys of a {what}")
        return of(values)
    except (SpikeletError, *MALFORMED) as error:
        remedy = error.remedy if isinstance(error, SpikeletError) else ""
        raise SpikeletError(f"{path}: {error.args[0]}", remedy=remedy) from None


def chosen(
    given: object,
    what: str,
    there: Mapping[str, T],
    read: Callable[[Path], T],
    suffixes: Sequence[str] = (".toml",),
) -> T:
    """Return the one of a name, or of a file: a path, or a text with the suffix of one.

    Parameters
    ----------
    given : str or Path
    what : str
        As for :func:`read_file`.
    there : mapping
        By name.
    read : callable
        Reads a user's own.
    suffixes : sequence of str

    Raises
    ------
    SpikeletError
        If there is none of that name, with the names of those that there are.
    """
    if isinstance(given, Path):
        return read(given)
    if not isinstance(given, str):
        raise SpikeletError(f"a {what} is a name or a file, not {given!r}")
    if given.endswith(tuple(suffixes)):
        return read(Path(given))
    if given not in there:
        own = " or ".join(f"NAME{suffix}" for suffix in suffixes)
        raise SpikeletError(
            f"there is no {what} {given!r}",
            remedy=f"take one of {', '.join(there)}, or a file of your own ({own})",
        )
    return there[given]
