"""Which serial port a board is at: as it was named, or the only one that a board's bridge has."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from spikelet.description.errors import SpikeletError
from spikelet.host.serial_port import BAUD, FoundPort, serial_ports

__all__ = ["PORT_VARIABLE", "BoardPort"]

PORT_VARIABLE = "SPIKELET_PORT"
"""Environment variable that names the port where no option does."""


@dataclass(frozen=True)
class BoardPort:
    """The serial port of a board.

    Parameters
    ----------
    name : str
        Such as ``/dev/ttyUSB1`` or ``COM3``; empty: see :meth:`found`.
    baud : int
        As the bitstream was built.
    """

    name: str = ""
    baud: int = BAUD

    def found(self, ports: Callable[[], list[FoundPort]] = serial_ports) -> "BoardPort":
        """Return a port that has a name.

        Its own; that in the environment variable ``SPIKELET_PORT``; or the only one of a bridge of
        a board, of those with two the second, since the first is for programming.
        SpikeletError if that leaves none, or a choice.
        """
        name = self.name or os.environ.get(PORT_VARIABLE, "")
        if name:
            return replace(self, name=name)
        bridges: dict[str, list[FoundPort]] = {}
        for port in ports():
            if port.bridge:
                bridges.setdefault(port.adapter, []).append(port)
        if len(bridges) == 1:
            (interfaces,) = bridges.values()
            if len(interfaces) <= 2:
                return replace(self, name=max(interfaces).name)
        listed = ", ".join(str(port) for port in ports()) or "none"
        raise SpikeletError(
            "it is not known which port the board is at: "
            + ("several may be" if bridges else "none has an adapter that boards have"),
            remedy=f"name it (--port, or the environment variable {PORT_VARIABLE}); "
            f"ports found: {listed}",
        )
