"""What measures configurations: the interface of processes of this machine, and of a cluster."""

from concurrent.futures import Future
from typing import Any, Protocol

__all__ = ["LostWorkersError", "Workers"]


class LostWorkersError(Exception):
    """A configuration has ended several workers: it is given up, and the sweep goes on."""


class Workers(Protocol):
    """Workers behind a :class:`concurrent.futures.Executor`.

    A future whose worker is lost raises BrokenExecutor or CancelledError; then :meth:`renew` is
    called, and the configuration submitted again.
    """

    @property
    def room(self) -> int:
        """How many configurations are given out at once: enough that no worker waits."""

    def submit(self, configuration: dict[str, Any]) -> "Future[Any]":
        """Give out a configuration; its :class:`Point` is the future's result."""

    def renew(self) -> None:
        """Replace what was lost; SpikeletError if it cannot be."""

    def check(self) -> None:
        """Raise SpikeletError if nobody is left to measure; called when nothing came for long."""

    def given_up(self, error: BaseException) -> bool:
        """Return whether an error says that a configuration has ended several workers already."""

    def close(self) -> None:
        """End them; what is under way is abandoned."""
