"""What streams of events hold, in numbers: times, places and polarities."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from spikelet.event_data.event_file import EventFile, in_order

__all__ = ["Survey", "survey"]


@dataclass
class Survey:
    """What was found in streams of events.

    Attributes
    ----------
    streams : int
        Streams that were looked at.
    events, on : int
        Events in all, and those of polarity 1.
    most_x, most_y : int
        Largest column and row; -1 without events.
    spans : list of tuple of int
        Of each stream, the times of its first and last event, in microseconds; of one without
        events, 0 and -1.
    whole : bool
        Whether all events of all streams were looked at.
    """

    streams: int = 0
    events: int = 0
    on: int = 0
    most_x: int = -1
    most_y: int = -1
    spans: list[tuple[int, int]] = field(default_factory=list)
    whole: bool = True

    def longest(self, start: int | None) -> int:
        """Return the microseconds from the beginning of a stream to its last event, at most.

        A stream begins at ``start``, or for None at its first event.
        """
        return max((self.lasting(index, start) for index in range(len(self.spans))), default=0)

    def lasting(self, stream: int, start: int | None) -> int:
        """Return the microseconds that a stream lasts: up to, and with, its last event."""
        first, last = self.spans[stream]
        return max(0, last + 1 - (first if start is None else start))


def survey(
    file: EventFile,
    count: int | None = None,
    most_events: int | None = None,
    progress: Callable[[int], None] = lambda streams: None,
) -> Survey:
    """Look at all events of a file, or at the first ones.

    Parameters
    ----------
    file : EventFile
    count : int or None
        Streams to look at, the first so many; None: all.
    most_events : int or None
        Stop behind the block in which there are so many; None: never.
    progress : callable
        Told how many streams were looked at.
    """
    found = Survey()
    streams: Iterable[int] = range(len(file.streams))
    for index in streams:
        if index == count:
            found.whole = False
            break
        first = last = None
        for block in in_order(file.streams[index]):
            first = int(block.t[0]) if first is None else first
            last = int(block.t[-1])
            found.events += len(block.t)
            found.on += int(block.p.sum())
            found.most_x = max(found.most_x, int(block.x.max()))
            found.most_y = max(found.most_y, int(block.y.max()))
            if most_events is not None and found.events >= most_events:
                found.whole = False
                break
        found.streams += 1
        found.spans.append((0, -1) if first is None or last is None else (first, last))
        progress(found.streams)
        if not found.whole:
            break
    return found
