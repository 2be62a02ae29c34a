"""What a host asks of a chip, byte by byte. Twin of ``rtl_gen/host_commands.py``."""

from collections.abc import Generator, Iterable
from typing import Protocol

from spikelet.description.chip.host_link import OPERATIONS, LinkParams

__all__ = ["HostCommands", "LinkedChip"]

_Bytes = Generator[None, int, int]


class LinkedChip(Protocol):
    """What is at the other side of the commands: the ports of a chip, in whole operations."""

    def write(self, address: int, data: int) -> None:
        """Write a word."""

    def read(self, address: int) -> int:
        """Return a word, 0..2**32-1."""

    def event(self, flit: int) -> None:
        """Take an event."""

    def tick(self) -> Iterable[int]:
        """Run a tick; return the flits that leave, in order."""

    def clear(self) -> None:
        """Clear."""


class HostCommands:
    """Executes operations in the order in which their bytes come.

    Parameters
    ----------
    params : LinkParams
    chip : LinkedChip

    Attributes
    ----------
    sent : bytearray
        What has been answered so far.
    refused : bool
        An operation was not known; nothing is executed any more.
    watchdog : int
        Units of time without a word from the host after which the connection is given up; 0: never.
    """

    def __init__(self, params: LinkParams, chip: LinkedChip) -> None:
        self.params = params
        self.chip = chip
        self.sent = bytearray()
        self.refused = False
        self.watchdog = 0
        self._executing = self._execute()
        next(self._executing)

    def take(self, byte: int) -> None:
        """Take a byte, 0..255."""
        self._executing.send(byte)

    def _execute(self) -> Generator[None, int, None]:
        while True:
            number = yield
            if number >= len(OPERATIONS):
                break
            operation = OPERATIONS[number]
            count = yield from _number(2)
            address = 0
            if operation == "watchdog":
                self.watchdog = count
                continue
            if operation in ("write", "read"):
                address = yield from _number(4)
                words = 1 << self.params.address_bits
                if address >= words:  # beyond those of the chip, as long as it stays there
                    address = words | (address & (words - 1))
            for left in range(count, 0, -1):
                yield from self._once(operation, address, left)
                address += 1
        self.refused = True
        while True:
            yield

    def _once(self, operation: str, address: int, left: int) -> Generator[None, int, None]:
        """Execute one of several of an operation; ``left`` counts them, with this one."""
        if operation == "write":
            data = yield from _number(4)
            self.chip.write(address, data)
        elif operation == "read":
            self.sent += self.chip.read(address).to_bytes(4, "little")
        elif operation == "events":
            flit = yield from _number(self.params.flit_bytes)
            self.chip.event(flit & ((1 << self.params.flit_bits) - 1))
        elif operation == "run":
            width = self.params.spike_bytes
            for spike in self.chip.tick():
                line = spike & ((1 << self.params.spike_bits) - 1)
                count = spike >> (self.params.flit_bits - self.params.count_bits)
                sent = line | count << self.params.spike_bits
                self.sent += sent.to_bytes(width, "little")
            self.sent += (1 << (8 * width - 1)).to_bytes(width, "little")
        elif operation == "clear":
            self.chip.clear()
        else:
            place = len(self.params.identity) - 4 * left
            word = self.params.identity[place : place + 4] if place >= 0 else b""
            self.sent += word.ljust(4, b"\0")


def _number(size: int) -> _Bytes:
    """Take bytes, the lowest first; return them as a number."""
    value = 0
    for place in range(size):
        value |= (yield) << (8 * place)
    return value
