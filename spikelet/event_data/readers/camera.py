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
from spikelet.event_data.raw_header import RawHeader

__all__ = ["Camera"]

_AEDAT, _AEDAT4 = b"#!AER-DAT", b"#!AER-DAT4"
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
        header = RawHeader.of(path)
        if header.end:  # faery does not mind the end of an EVT or DAT file
            header.check_whole(path, self.needed)
        decoder = self._decoder(path)
        width, height = (int(size) for size in decoder.dimensions())
        sensor = None if (width, height) == _UNKNOWN else (width, height)
        stream = EventStream(str(path), partial(self._blocks, path))
        kind = header.kind if header.end else decoder.file_type
        return EventFile(path, f"events of a camera ({kind})", [stream], sensor)

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
