"""Events as numpy's structured arrays, with fields ``t``, ``x``, ``y`` and ``p``, as tonic's."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from spikelet.description.array_files import array_blocks, array_headers
from spikelet.description.errors import SpikeletError
from spikelet.event_data.columns import block_of, columns_of
from spikelet.event_data.event_file import BLOCK_EVENTS, EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout

__all__ = ["Structured"]


class Structured(EventReader):
    """An `.npy` file, or an `.npz` file with one or more arrays, each of them a sample."""

    needed = "an .npy or .npz file of structured arrays with fields t, x, y, p"
    starts = (b"\x93NUMPY", b"PK\x03\x04")
    suffixes = (".npy", ".npz")

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file of numpy's holds a structured array."""
        if not super().recognises(path, head):
            return False
        try:
            headers = array_headers(path, self.needed)
        except SpikeletError:
            return False  # the reader of samples files says what is wrong with it
        return any(dtype.names for _, dtype in headers.values())

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return a stream for each array."""
        streams, polarity = [], True
        for name, (shape, dtype) in array_headers(path, self.needed).items():
            place = f"{path}: {name}" if name else str(path)
            if dtype.names is None or len(shape) != 1:
                raise SpikeletError(
                    f"{place} is no structured array of events, but {dtype} of shape {shape}",
                    remedy=f"give {self.needed}",
                )
            fields = {m: dtype.names[i] for m, i in columns_of(dtype.names, place).items()}
            polarity = polarity and "p" in fields
            blocks = partial(self._blocks, path, name, place, fields, layout)
            streams.append(EventStream(place, blocks))
        return EventFile(path, "structured arrays of events", streams, polarity=polarity)

    def _blocks(
        self, path: Path, name: str, place: str, fields: dict[str, str], layout: Layout
    ) -> Iterator[EventBlock]:
        for events in array_blocks(path, name, BLOCK_EVENTS, self.needed):
            found = [events[fields[m]] if m in fields else None for m in "txyp"]
            assert found[0] is not None and found[1] is not None
            yield block_of(found[0], found[1], found[2], found[3], layout.time_unit, place)
