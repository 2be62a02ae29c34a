"""A chip that notes what a host link tells it, for tests of the link alone."""

__all__ = ["NotedChip"]


class NotedChip:
    """Notes what it is told; words and spikes follow from what it was told before.

    A tick sends the events since the tick before back as spikes. A word that was not written reads
    as a function of its address.

    Attributes
    ----------
    told : list of tuple
        (operation, address or flit, data), in order.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []
        self._words: dict[int, int] = {}
        self._events: list[int] = []

    def write(self, address: int, data: int) -> None:
        """Write a word."""
        self.told.append(("write", address, data))
        self._words[address] = data

    def read(self, address: int) -> int:
        """Return a word."""
        self.told.append(("read", address, 0))
        return self._words.get(address, address * 0x01010101 & 0xFFFFFFFF)

    def event(self, flit: int) -> None:
        """Take an event."""
        self.told.append(("event", flit, 0))
        self._events.append(flit)

    def tick(self) -> list[int]:
        """Run a tick; return its spikes."""
        self.told.append(("tick", 0, 0))
        spikes, self._events = self._events, []
        return spikes

    def clear(self) -> None:
        """Clear: events are forgotten."""
        self.told.append(("clear", 0, 0))
        self._events = []
