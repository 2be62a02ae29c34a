"""TOML files as editors and shells of any system write them: encodings, and where one is wrong."""

import codecs
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError, file_error

__all__ = ["read_toml"]

_UTF8 = "save the file as UTF-8"
_MARKED = (
    # byte-order mark, encoding; the longer marks first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # PowerShell's ">" writes it
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    UTF-8, or UTF-16 and UTF-32 with a byte-order mark; lines may end in LF, CR LF or CR.

    SpikeletError, with the line, for a file that is missing, in another encoding, or not TOML.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        reason = error if isinstance(error, OSError) else OSError(str(error))
        raise file_error(f"{path} cannot be read", reason) from error
    text = _decoded(path, data).replace("\r\n", "\n").replace("\r", "\n")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise SpikeletError(
            f"{path} is not a TOML file: its values are nested too deeply",
            remedy="a network needs tables and lists of a few levels",
        ) from error
    except ValueError as error:  # also for a number of more digits than Python reads
        raise SpikeletError(
            f"{path} is not a TOML file: {error}", remedy=_odd_characters(text, str(error))
        ) from error


def _decoded(path: Path, data: bytes) -> str:
    encoding = next((name for mark, name in _MARKED if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1 if encoding == "utf-8" else 0
        place = f"line {line}, byte 0x{data[error.start]:02x}" if line else f"byte {error.start}"
        remedy = _UTF8
        if line and b"\0" in data:
            remedy = f"it may be UTF-16 without its mark: {_UTF8}"
        elif line:
            whole = data.splitlines()[line - 1] if data.splitlines() else b""
            shown = whole.decode("cp1252", "replace").strip()[:60]
            remedy = f"if the line is meant to read {shown!r}, it is Windows-1252: {_UTF8}"
        raise SpikeletError(
            f"{path} is not a TOML file: it is not {encoding.upper()} text ({place})",
            remedy=remedy,
        ) from error


def _odd_characters(text: str, message: str) -> str:
    """Return a remedy if the line that a message names holds characters that nobody sees."""
    found = re.search(r"at line (\d+)", message)
    lines = text.split("\n")
    if not found or int(found[1]) > len(lines):
        return ""
    line = lines[int(found[1]) - 1]
    for column, char in enumerate(line, 1):
        if unicodedata.category(char) in ("Zs", "Cf", "Cc") and char not in " \t":
            name = unicodedata.name(char, "a control character")
            return (
                f"column {column} of line {found[1]} holds U+{ord(char):04X} ({name}), which looks "
                "like a blank or nothing: replace it"
            )
    if any(quote in line for quote in "\u201c\u201d\u2018\u2019"):
        return f"line {found[1]} holds curly quotation marks: replace them by straight ones"
    return ""
