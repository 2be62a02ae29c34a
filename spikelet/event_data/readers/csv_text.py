"""Events as text: a line for each, with t, x, y and p in columns."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, file_error
from spikelet.event_data.columns import block_of, columns_of
from spikelet.event_data.event_file import EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout

__all__ = ["CsvText"]

_HEAD_BYTES = 1 << 12
_PIECE_BYTES = 1 << 18
_LONGEST_DIGITS = 18
"""Of which every number fits int64."""

_INT32_DIGITS = 9

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|true|false", re.IGNORECASE)


class CsvText(EventReader):
    """A `.csv` or `.txt` file; its header, or the option `columns`, says which column is which."""

    needed = "a .csv file with columns t, x, y, p, named in its first line"
    suffixes = (".csv", ".txt")

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return the one stream of the file."""
        try:
            with open(path, "rb") as file:
                head = file.read(_HEAD_BYTES)
        except OSError as error:
            raise file_error(f"{path} cannot be read", error) from error
        text = _Text.of(path, head.decode("utf-8", "replace"), layout)
        stream = EventStream(str(path), partial(_blocks, text))
        return EventFile(path, "events as text", [stream], polarity="p" in text.columns)


@dataclass(frozen=True)
class _Text:
    """How a file is to be read.

    Parameters
    ----------
    path : Path
    separator : str
        Between columns; a space stands for any number of them.
    skipped : int
        Lines before the first event.
    width : int
        Columns of a line.
    columns : dict of str to int
        Where t, x, y and p are.
    unit : str
        Of times.
    """

    path: Path
    separator: str
    skipped: int
    width: int
    columns: dict[str, int]
    unit: str

    @classmethod
    def of(cls, path: Path, head: str, layout: Layout) -> "_Text":
        """Look at the first lines of a file."""
        lines = head.splitlines()
        skipped = next((i for i, s in enumerate(lines) if s.strip() and s[0] != "#"), len(lines))
        if skipped == len(lines):
            raise SpikeletError(f"{path} holds no event", remedy=f"give {CsvText.needed}")
        first = lines[skipped]
        separator = next((sign for sign in ",;\t" if sign in first), " ")
        words = _words(first, separator)
        named = not all(_NUMBER.fullmatch(word) for word in words)
        if not named and not layout.columns:
            raise SpikeletError(
                f"{path} does not name its columns; line {skipped + 1} is {first[:60]!r}",
                remedy="name them, such as --columns t,x,y,p, or in a first line",
            )
        names = layout.columns or words
        if len(names) != len(words):
            raise SpikeletError(
                f"{path} has {len(words)} columns, and {len(names)} are named: {', '.join(names)}",
                remedy="name every column; - stands for one that is not used",
            )
        place = f"{path}: line {skipped + 1}"
        found = columns_of(names, "--columns" if layout.columns else place)
        return cls(path, separator, skipped + named, len(words), found, layout.time_unit)


def _words(line: str, separator: str) -> list[str]:
    return [w.strip() for w in (line.split() if separator == " " else line.split(separator))]


def _blocks(text: _Text) -> Iterator[EventBlock]:
    try:
        with open(text.path, "rb") as file:
            for _ in range(text.skipped):
                file.readline()
            line, rest = text.skipped + 1, b""
            while piece := file.read(_PIECE_BYTES):
                whole, newline, rest = (rest + piece).rpartition(b"\n")
                if newline:
                    block, lines = _block(text, whole + newline, line)
                    yield block
                    line += lines
                elif len(rest) > 2 * _PIECE_BYTES:
                    raise _wrong_line(text, line, rest[:60].decode("utf-8", "replace"))
            if rest.strip():
                yield _block(text, rest + b"\n", line)[0]
    except OSError as error:
        raise file_error(f"{text.path} cannot be read", error) from error


def _block(text: _Text, data: bytes, line: int) -> tuple[EventBlock, int]:
    """Return the events of whole lines, and how many lines they are."""
    table = _whole_numbers(data, text.separator, text.width)
    lines = len(table[0]) if table else data.count(b"\n")
    if table is None:
        table = _numbers(text, data, line)
    found = [table[text.columns[m]] if m in text.columns else None for m in "txyp"]
    assert found[0] is not None and found[1] is not None
    place = f"{text.path}: lines from {line} on"
    return block_of(found[0], found[1], found[2], found[3], text.unit, place), lines


def _whole_numbers(data: bytes, separator: str, width: int) -> list[npt.NDArray[Any]] | None:
    """Return the columns of lines that hold nothing but digits and separators; None for others.

    As quick as numpy can: a column's numbers are summed up digit by digit.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    signs = np.frombuffer(data, np.uint8)
    digits = signs - np.uint8(ord("0"))  # others wrap around
    ends = np.flatnonzero(digits > 9)
    if not len(ends) or len(ends) % width:
        return None
    between = signs[ends].reshape(-1, width)
    if (between[:, :-1] != ord(separator)).any() or (between[:, -1] != ord("\n")).any():
        return None
    lengths = ends.copy()
    lengths[1:] -= ends[:-1] + 1
    if lengths.min() < 1 or lengths.max() > _LONGEST_DIGITS:
        return None
    columns = []
    for column in range(width):
        last, length = ends[column::width] - 1, lengths[column::width]
        shortest, longest = int(length.min()), int(length.max())
        kind = np.int32 if longest <= _INT32_DIGITS else np.int64
        values: npt.NDArray[Any] = np.zeros(len(last), kind)
        for place in range(longest - 1, -1, -1):
            values *= 10
            if place < shortest:
                values += digits[last - place]
            else:
                there = length > place
                values[there] += digits[last[there] - place]
        columns.append(values)
    return columns


def _numbers(text: _Text, data: bytes, line: int) -> list[npt.NDArray[Any]]:
    """Return the columns of lines that hold numbers of any form."""
    lowered = data.lower()
    if b"e" in lowered and (b"true" in lowered or b"false" in lowered):
        data = lowered.replace(b"true", b"1").replace(b"false", b"0")
    delimiter = None if text.separator == " " else text.separator
    try:
        table = np.loadtxt(io.BytesIO(data), delimiter=delimiter, ndmin=2)
    except ValueError:
        table = None
    if table is not None and not table.size:  # blank lines, and comments
        return [np.zeros(0, np.int64)] * text.width
    if table is None or table.shape[1] != text.width:
        for number, found in enumerate(data.decode("utf-8", "replace").splitlines(), line):
            words = _words(found.partition("#")[0], text.separator)
            good = len(words) == text.width and all(map(_NUMBER.fullmatch, words))
            if words not in ([], [""]) and not good:
                raise _wrong_line(text, number, found)
        raise _wrong_line(text, line, "?")
    return list(np.ascontiguousarray(table.T))


def _wrong_line(text: _Text, line: int, found: str) -> SpikeletError:
    return SpikeletError(
        f"{text.path}: line {line} must be {text.width} numbers, not {found[:60]!r}",
        remedy="the file may be cut short: copy it again, or correct the line",
    )
