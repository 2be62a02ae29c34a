"""Port: what carries bytes to a chip's host link and back."""

from typing import Protocol

__all__ = ["Port"]


class Port(Protocol):
    """A line with a chip at its other end; it may lose and damage bytes.

    What fails otherwise, such as a cable that was pulled, raises SpikeletError.
    """

    name: str
    baud: int

    def write(self, line: bytes) -> None:
        """Send bytes."""

    def read(self, seconds: float) -> bytes:
        """Return what has come, as soon as there is some, or nothing after so long."""

    def close(self) -> None:
        """Give the line back; what follows is undefined."""
