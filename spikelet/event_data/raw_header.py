"""The header of Prophesee's RAW and DAT files: lines of text that begin with a percent sign.

Prophesee, "RAW File Format" and "DAT File Format", https://docs.prophesee.ai/stable/data/file_formats.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from spikelet.description.errors import SpikeletError

__all__ = ["RawHeader"]

_LINE, _LINES = 1 << 10, 1 << 8
"""Bytes of a line, and lines, at most."""

_WORD_BYTES = {"EVT3": 2, "EVT2": 4, "EVT21": 8, "DAT": 8}


@dataclass(frozen=True)
class RawHeader:
    """What the header of a file says.

    Parameters
    ----------
    fields : dict of str to str
        Values by keyword, in lower case; those of ``format`` (``EVT21;endianness=little``) by
        their own.
    end : int
        Bytes of the header.
    whole : bool
        Whether its last line ends.
    """

    fields: dict[str, str]
    end: int
    whole: bool

    @classmethod
    def of(cls, path: Path) -> "RawHeader":
        """Read the header of a file; OSError if it cannot be read."""
        fields: dict[str, str] = {}
        end, whole = 0, True
        with open(path, "rb") as file:
            for _ in range(_LINES):
                line = file.readline(_LINE)
                if not line.startswith(b"% "):
                    break
                end, whole = file.tell(), line.endswith(b"\n")
                keyword, _, value = line[2:].decode("ascii", "replace").strip().partition(" ")
                fields[keyword.lower()] = value.strip()
                if keyword.lower() == "end":
                    break
        name, *options = fields.get("format", "").split(";")
        more = dict(option.lower().split("=", 1) for option in options if "=" in option)
        return cls({**more, **fields, "format": name}, end, whole)

    @property
    def kind(self) -> str:
        """``EVT2``, ``EVT21``, ``EVT3``, as named by the header; else ``DAT``."""
        evt = self.fields.get("evt", "").removesuffix(".0").replace(".", "")
        kind = self.fields["format"].upper() or f"EVT{evt}"
        return kind if kind in _WORD_BYTES else "DAT"

    @property
    def sensor(self) -> tuple[int, int] | None:
        """Columns and rows; None where the header does not say."""
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", self.fields.get("geometry", ""))
        pair = found.groups() if found else (self.fields.get(n, "") for n in ("width", "height"))
        width, height = (int(n) if re.fullmatch(r"\d{1,5}", n) else 0 for n in pair)
        return (width, height) if width and height else None

    def check_whole(self, path: Path, needed: str) -> None:
        """Raise SpikeletError unless the file ends with a whole word."""
        word, before = _WORD_BYTES[self.kind], 2 if self.kind == "DAT" else 0
        size = path.stat().st_size - self.end
        if not self.whole or (size - before) % word:
            kind = self.kind.replace("21", "2.1")
            raise SpikeletError(
                f"{path} is cut short: behind its header, an {kind} file has words of {word} "
                f"bytes, and this one {size:,} bytes",
                remedy=f"copy it again; needed is {needed}",
            )
