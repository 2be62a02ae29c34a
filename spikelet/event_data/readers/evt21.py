"""Events of event cameras in EVT2.1: words of 64 bits, each of up to 32 pixels of a row.

Prophesee, "EVT 2.1 Format", https://docs.prophesee.ai/stable/data/encoding_formats/evt21.html. The
package faery, which reads the other formats, has not got this one.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError, file_error
from spikelet.event_data.event_file import BLOCK_EVENTS, EventBlock, EventFile, EventStream
from spikelet.event_data.event_reader import EventReader, Layout
from spikelet.event_data.raw_header import RawHeader

__all__ = ["Evt21"]

_OFF, _ON, _TIME = 0x0, 0x1, 0x8
_WITHOUT_PIXELS = (0xA, 0xE, 0xF)
"""Triggers, what cameras say of themselves, and what continues it."""

_BLOCK_WORDS = BLOCK_EVENTS // 8
_TURN = 1 << 28
"""Values of the time's upper part, which counts 64 us, before it begins anew (4.8 hours)."""

_Words = npt.NDArray[np.uint64]


class Evt21(EventReader):
    """A `.raw` file in EVT2.1.

    The header says in which order the bytes of a word are: ``endianness=little``; or ``legacy``, in
    two halves, the upper one first. Where it does not say, the first word tells, which is a time.
    Events before the first time are left out, as the maker's own decoder does.
    """

    needed = "a .raw file of an event camera in EVT2.1"
    starts = (b"% ",)
    suffixes = (".raw",)

    def recognises(self, path: Path, head: bytes) -> bool:
        """Return whether a file's header names EVT2.1."""
        return super().recognises(path, head) and RawHeader.of(path).kind == "EVT21"

    def open(self, path: Path, layout: Layout) -> EventFile:
        """Return the one stream of the file, and the sensor's size if its header has it."""
        header = RawHeader.of(path)
        header.check_whole(path, self.needed)
        legacy = self._is_legacy(path, header)
        stream = EventStream(str(path), partial(_blocks, path, header.end, legacy))
        return EventFile(path, "events of a camera (EVT2.1)", [stream], header.sensor)

    def _is_legacy(self, path: Path, header: RawHeader) -> bool:
        order = header.fields.get("endianness", "")
        if order in ("little", "legacy"):
            return order == "legacy"
        if order:
            raise SpikeletError(
                f"{path}: endianness is {order!r}",
                remedy="read are little and legacy; convert it with its maker's tools",
            )
        with open(path, "rb") as file:
            file.seek(header.end)
            word = int.from_bytes(file.read(8), "little")
        kinds = (word >> 60, word >> 28 & 15)
        if word and _TIME not in kinds:
            raise SpikeletError(
                f"{path}: its header has no endianness, and its first word is no time in any order",
                remedy="add ;endianness=little, or legacy, to the line '% format' of its header",
            )
        return kinds[0] != _TIME


def _blocks(path: Path, first: int, legacy: bool) -> Iterator[EventBlock]:
    """Yield the events of a file, some words at a time."""
    time: int | None = None
    begun = first
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(first)
            while data := file.read(8 * _BLOCK_WORDS):
                words = np.frombuffer(data[: len(data) // 8 * 8], "<u8")
                if legacy:
                    words = (words << np.uint64(32)) | (words >> np.uint64(32))
                block, time = _decoded(words, time, f"{path}, byte {begun:,}")
                begun += len(data)
                yield block
    except OSError as error:
        raise file_error(f"{path} cannot be read", error) from error
    if time is None and begun > first:
        raise SpikeletError(
            f"{path} holds no time, so its events have none",
            remedy="its beginning may be lost, or its endianness another than its header says",
        )


def _decoded(words: _Words, time: int | None, place: str) -> tuple[EventBlock, int | None]:
    """Return the events of some words, and the upper part of the time behind them.

    Parameters
    ----------
    words : array of uint64
    time : int or None
        The upper part of the time so far; None before the first.
    place : str
        For messages.

    Raises
    ------
    SpikeletError
        For a word of no known kind.
    """
    kinds = (words >> np.uint64(60)).astype(np.uint8)
    unknown = ~np.isin(kinds, (_OFF, _ON, _TIME, *_WITHOUT_PIXELS))
    if unknown.any():
        at = int(np.argmax(unknown))
        raise SpikeletError(
            f"{place}: word {at} is of kind {kinds[at]:#x}, which EVT2.1 does not have",
            remedy="it may be damaged, or its endianness another than its header says",
        )
    times = kinds == _TIME
    counts = (words[times] >> np.uint64(32)).astype(np.int64) & (_TURN - 1)
    before = np.concatenate([[-1 if time is None else time % _TURN], counts])
    turns = np.cumsum(np.diff(before) < -_TURN // 2) + (0 if time is None else time // _TURN)
    upper = np.concatenate([[-1 if time is None else time], counts + turns * _TURN])
    upper_of = upper[np.cumsum(times)]
    pixels = (kinds <= _ON) & (upper_of >= 0)
    words, kinds, upper_of = words[pixels], kinds[pixels], upper_of[pixels]
    valid = (words & np.uint64(0xFFFFFFFF)).astype("<u4")
    bits = np.unpackbits(valid.view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
    word, bit = np.nonzero(bits)
    fields = words >> np.uint64(32)
    low = (fields >> np.uint64(22) & np.uint64(63)).astype(np.int64)
    column = (fields >> np.uint64(11) & np.uint64(0x7FF)).astype(np.int32)
    row = (fields & np.uint64(0x7FF)).astype(np.int32)
    t = (upper_of << 6 | low)[word]
    block = EventBlock(t, column[word] + bit.astype(np.int32), row[word], kinds[word])
    return block, time if not len(counts) else int(upper[-1])
