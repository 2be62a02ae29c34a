"""What a file of events holds, whatever its kind: streams of events, read block by block."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError

__all__ = ["BLOCK_EVENTS", "EventBlock", "EventFile", "EventStream", "in_order"]

BLOCK_EVENTS = 1 << 16
"""Events that are worked on at once: as many as stay in a processor's cache."""


class EventBlock(NamedTuple):
    """Events that follow one another, each an element of four arrays of one length.

    Attributes
    ----------
    t : array of int
        Microseconds.
    x, y : array of int
        Column and row of the pixel, from 0; of a cochlea the channel, and 0.
    p : array of int
        Polarity: 1 where it became brighter (on), 0 where darker (off); 0 where there is none.
    """

    t: npt.NDArray[np.integer[Any]]
    x: npt.NDArray[np.integer[Any]]
    y: npt.NDArray[np.integer[Any]]
    p: npt.NDArray[np.integer[Any]]

    def part(self, which: Any) -> "EventBlock":
        """Return some of the events."""
        return EventBlock(*(values[which] for values in self))


@dataclass(frozen=True, eq=False)
class EventStream:
    """Events that become one sample, or, cut, several.

    Parameters
    ----------
    place : str
        Where they are, for messages: a file, and where it holds several, which.
    blocks : callable
        Begins to read, and returns an iterator over blocks of events; it can be called again.
    label : int or None
        Class.
    """

    place: str
    blocks: Callable[[], Iterator[EventBlock]]
    label: int | None = None


@dataclass(frozen=True, eq=False)
class EventFile:
    """A file of events, or a folder of such files.

    Parameters
    ----------
    path : Path
    kind : str
        In words, such as "N-MNIST events".
    streams : sequence of EventStream
        1 or more. What they hold is read when their blocks are asked for.
    sensor : tuple of int, or None
        Columns and rows of the sensor; None where the file does not say.
    polarity : bool
        Whether events have one.
    from_zero : bool
        Whether times count from the beginning of each stream, as opposed to a clock's.
    classes : tuple of str
        Names of the classes that labels number; empty where they have none.
    """

    path: Path
    kind: str
    streams: Sequence[EventStream]
    sensor: tuple[int, int] | None = None
    polarity: bool = True
    from_zero: bool = False
    classes: tuple[str, ...] = ()


def in_order(stream: EventStream) -> Iterator[EventBlock]:
    """Yield the blocks of a stream that hold events; SpikeletError where time goes back."""
    last, seen = None, 0
    for block in stream.blocks():
        if not len(block.t):
            continue
        back = np.flatnonzero(block.t[1:] < block.t[:-1]) + 1
        if last is not None and block.t[0] < last:
            back = np.array([0])
        if back.size:
            at = int(back[0])
            before = last if at == 0 else block.t[at - 1]
            raise SpikeletError(
                f"{stream.place}: events are out of order: event {seen + at} is at "
                f"{int(block.t[at])} us, the one before it at {before} us",
                remedy="sort them by time: events[np.argsort(events['t'], kind='stable')]",
            )
        last = int(block.t[-1])
        seen += len(block.t)
        yield block
