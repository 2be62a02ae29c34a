"""Events of event cameras: AEDAT4, EVT2, EVT3 and DAT, through the package faery."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from spikelet.description.errors import SpikeletError
from spikelet.description.installation import not_installed
from spikelet.event_data.columns import block_of
from spikelet.event_data.event_file import BLOCK_EVENTS, EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout

__all__ = ["Camera"]

_AEDAT, _AEDAT4 = b"#!AER-DAT", b"#!AER-DAT4"
_WORDS: tuple[tuple[bytes, str, int], ...] = (
    # what the header says, what it is called, bytes of a word
    (b"evt 3.0", "EVT3", 2),
    (b"evt 2.0", "EVT2", 4),
    (b"evt 2.1", "EVT2.1", 8),
)
_UNKNOWN = (0xFFFF, 0xFFFF)
"""Sensor size that stands for a header without one: no event is outside of it."""


class Camera(EventReader):
    """An `.aedat4`, `.raw` or `.dat` file; needs the extra `events`."""

    needed = "an .aedat4 file, a .raw file (EVT2, EVT3) or a .dat file of an event camera"
    starts = (_AEDAT, b"% ")
    suffixes = (".aedat4", ".aedat", ".raw", ".dat")

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return the one stream of the file, and the sensor's size if its header has it."""
        with open(path, "rb") as file:
            head = file.read(len(_AEDAT4))
        if head.startswith(_AEDAT) and not head.startswith(_AEDAT4):
            version = head.removeprefix(_AEDAT).decode("ascii", "replace") or "?"
            raise SpikeletError(
                f"{path} is an AEDAT file of version {version}; version 4 is read",
                remedy="convert it with its maker's tools, or write its events as CSV (t,x,y,p)",
            )
        _check_whole(path, self.needed)
        decoder = self._decoder(path)
        width, height = (int(size) for size in decoder.dimensions())
        sensor = None if (width, height) == _UNKNOWN else (width, height)
        stream = EventStream(str(path), partial(self._blocks, path))
        return EventFile(path, f"events of a camera ({decoder.file_type})", [stream], sensor)

    def _decoder(self, path: Path) -> Any:
        try:
            import faery  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise not_installed("faery", str(path)) from error
        kinds = {".raw": "evt", ".dat": "dat"}
        try:
            return faery.events_stream_from_file(
                path,
                dimensions_fallback=_UNKNOWN,
                file_type=kinds.get(path.suffix.lower()),
            )
        except BaseException as error:
            raise self._refused(path, error) from error

    def _blocks(self, path: Path) -> Iterator[EventBlock]:
        packets = iter(self._decoder(path))
        while True:
            try:
                events = next(packets, None)
            except BaseException as error:
                raise self._refused(path, error) from error
            if events is None:
                return
            for first in range(0, len(events), BLOCK_EVENTS):
                part = events[first : first + BLOCK_EVENTS]
                yield block_of(part["t"], part["x"], part["y"], part["on"], "us", str(path))

    def _refused(self, path: Path, error: BaseException) -> BaseException:
        """Return the error for users; faery's panics are no Exceptions."""
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            return error
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        return SpikeletError(
            f"{path} cannot be read ({reason})",
            remedy=f"it may be cut short: copy it again; needed is {self.needed}",
        )


def _check_whole(path: Path, needed: str) -> None:
    """Check that an EVT or DAT file ends with a whole word, which faery does not mind."""
    header, begin, last = b"", 0, b"\n"
    with open(path, "rb") as file:
        while (line := file.readline(1 << 10)).startswith(b"% ") and last != b"% end":
            header, begin, last = header + line.lower(), file.tell(), line.strip().lower()
        size = file.seek(0, 2) - begin
    if not header:
        return
    kinds = ((kind, word, 0) for mark, kind, word in _WORDS if mark in header)
    kind, word, before = next(kinds, ("DAT", 8, 2))
    if not header.endswith(b"\n") or (size - before) % word:
        raise SpikeletError(
            f"{path} is cut short: behind its header, an {kind} file has words of {word} bytes, "
            f"and this one {size:,} bytes",
            remedy=f"copy it again; needed is {needed}",
        )
