"""Events in 5 bytes each, as in N-MNIST and N-Caltech101.

Orchard et al. 2015, "Converting static image datasets to spiking neuromorphic datasets using
saccades", and the scripts published with it: 8 bits of x, 8 of y, 1 of polarity and 23 of
microseconds, the highest first. A y of 240 is no event, but adds 8,192 us to all times behind it.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, file_error
from spikelet.event_data.event_file import BLOCK_EVENTS, EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout

__all__ = ["NMnist"]

_EVENT_BYTES = 5
_OVERFLOW_Y, _OVERFLOW_US = 240, 1 << 13


class NMnist(EventReader):
    """A `.bin` file of one sample; its times count from 0."""

    needed = "a .bin file as of N-MNIST, with 5 bytes for each event"
    suffixes = (".bin",)

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return the one stream of the file."""
        size = os.stat(path).st_size
        if size % _EVENT_BYTES:
            raise SpikeletError(
                f"{path} is cut short, or not of N-MNIST's layout: its {size:,} bytes are "
                f"{size // _EVENT_BYTES:,} events of {_EVENT_BYTES} bytes and {size % _EVENT_BYTES}"
                " bytes more",
                remedy="copy it again",
            )
        stream = EventStream(str(path), partial(_blocks, path))
        return EventFile(path, "N-MNIST events", [stream], from_zero=True)


def _blocks(path: Path) -> Iterator[EventBlock]:
    overflows = 0
    try:
        with open(path, "rb", buffering=0) as file:
            while data := file.read(BLOCK_EVENTS * _EVENT_BYTES):
                block = _block(np.frombuffer(data, np.uint8).reshape(-1, _EVENT_BYTES))
                wrapped = block.y == _OVERFLOW_Y
                if overflows or wrapped.any():
                    times = block.t + _OVERFLOW_US * (overflows + np.cumsum(wrapped))
                    overflows += int(wrapped.sum())
                    block = block._replace(t=times).part(~wrapped)
                yield block
    except OSError as error:
        raise file_error(f"{path} cannot be read", error) from error


def _block(raw: npt.NDArray[np.uint8]) -> EventBlock:
    x, y, third, fourth, fifth = (np.ascontiguousarray(raw[:, i]) for i in range(_EVENT_BYTES))
    t = (third & 127).astype(np.int32)
    t <<= 8
    t |= fourth
    t <<= 8
    t |= fifth
    return EventBlock(t, x, y, third >> 7)
