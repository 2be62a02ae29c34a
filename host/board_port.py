"""Which serial port a board is at: as it was named, or the only one that a board's bridge has."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from spikelet.description.errors import SpikeletError
from spikelet.host.serial_link import PATIENCE_S
from spikelet.host.serial_port import BAUD, FoundPort, serial_ports

__all__ = ["PORT_VARIABLE", "BoardPort"]

PORT_VARIABLE = "SPIKELET_PORT"
"""Environment variable that names the port where no option does."""


@dataclass(frozen=True)
class BoardPort:
    """The serial port of a board, and how long its chip and its host wait for each other.

    Parameters
    ----------
    name : str
        Such as ``/dev/ttyUSB1`` or ``COM3``, or of an SPI cable; empty: see :meth:`found`.
    baud : int
        As the bitstream was built; of SPI the frequency of ``sck``.
    patience_s, watchdog_s : float
        As for :class:`spikelet.host.serial_link.SerialLink`.
    """

    name: str = ""
    baud: int = BAUD
    patience_s: float = PATIENCE_S
    watchdog_s: float = 0.0

    @classmethod
    def named(
        cls,
        name: str | None,
        baud: int | None,
        patience_s: float | None = None,
        watchdog_s: float | None = None,
    ) -> "BoardPort":
        """Return the port that options name, as far as they are given."""
        patience = PATIENCE_S if patience_s is None else patience_s
        return cls(name or "", baud or BAUD, patience, watchdog_s or 0.0)

    def found(
        self,
        ports: Callable[[], list[FoundPort]] = serial_ports,
        say: Callable[[str], None] = lambda line: None,
    ) -> "BoardPort":
        """Return a port that has a name; ``say`` is told which, unless it had one.

        Its own; that in the environment variable ``SPIKELET_PORT``; or the only one of a bridge of
        a board, of those with two the second, since the first is for programming.
        SpikeletError if that leaves none, or a choice.
        """
        if self.name:
            return self
        if name := os.environ.get(PORT_VARIABLE, ""):
            say(f"port {name}, of the environment variable {PORT_VARIABLE}")
            return replace(self, name=name)
        bridges: dict[str, list[FoundPort]] = {}
        for port in ports():
            if port.bridge:
                bridges.setdefault(port.adapter, []).append(port)
        if len(bridges) == 1:
            (interfaces,) = bridges.values()
            if len(interfaces) <= 2:
                # by number: ttyUSB10 is behind ttyUSB9
                chosen = max(interfaces, key=lambda port: (len(port.name), port.name))
                say(f"port {chosen}, the only adapter of a board that was found")
                return replace(self, name=chosen.name)
        listed = ", ".join(str(port) for port in ports()) or "none"
        raise SpikeletError(
            "it is not known which port the board is at: "
            + ("several may be" if bridges else "none has an adapter that boards have"),
            remedy=f"name it (--port, or the environment variable {PORT_VARIABLE}); "
            f"ports found: {listed}",
        )
