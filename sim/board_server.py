"""A virtual board behind a pseudo-terminal: programs open it as they open a board's serial port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from spikelet.sim.pseudo_terminal import PseudoTerminal
from spikelet.sim.virtual_board import VirtualBoard

__all__ = ["BoardServer", "Served", "served"]

_SLICE_S = 5e-4  # simulated, between looks at the terminal
_AHEAD = 256  # bytes that an adapter holds until the line is free
_LAG_S = 0.05  # what simulation is late by more than this is not made up for
_ABSENT_S = 1.0
_LEDS_S = 0.1  # between reports of LEDs, in real time


@dataclass
class Served:
    """What a server has done so far.

    Parameters
    ----------
    to_board, from_board : int
        Bytes, as programs sent and received them.
    lost : int
        Bytes from the board that no program read.
    simulated_s, real_s : float
        Time that went by on the board, and while the server simulated.
    """

    to_board: int = 0
    from_board: int = 0
    lost: int = 0
    simulated_s: float = 0.0
    real_s: float = 0.0

    @property
    def speed(self) -> float:
        """Simulated seconds in a second of simulation."""
        return self.simulated_s / self.real_s if self.real_s else 0.0


class BoardServer:
    """Lets time pass on a board, at most as fast as on a real one, and carries its bytes.

    The host's rate is the one that the program sets, where the system tells it.

    Parameters
    ----------
    board : VirtualBoard
        Not closed here.
    disconnect_after_s : float or None
        Seconds after which the cable is pulled once. After another second it is plugged in again,
        as another terminal.
    on_terminal : callable
        Told the path of each terminal.
    on_leds : callable
        Told the pins of the LEDs at first, and when they have changed, ten times a second at most.

    Attributes
    ----------
    served : Served
    terminal : PseudoTerminal
    """

    def __init__(
        self,
        board: VirtualBoard,
        *,
        disconnect_after_s: float | None = None,
        on_terminal: Callable[[str], None] = lambda path: None,
        on_leds: Callable[[int], None] = lambda leds: None,
    ) -> None:
        self.board = board
        self.served = Served()
        self.disconnect_after_s = disconnect_after_s
        self._on_terminal = on_terminal
        self._on_leds = on_leds
        self._leds, self._leds_at = -1, 0.0
        self._own_baud = board.baud
        self._stops = False
        self._began = time.monotonic()
        self._due = self._began  # when what has been simulated would be over on a real board
        self.terminal = PseudoTerminal()
        self._on_terminal(self.terminal.path)

    def serve(self) -> None:
        """Serve until :meth:`stop`, or an exception such as KeyboardInterrupt; then hang up."""
        try:
            while not self._stops:
                self._disconnect()
                self.step()
        finally:
            self.terminal.close()

    def stop(self) -> None:
        """End :meth:`serve`, from any thread."""
        self._stops = True

    def step(self) -> None:
        """Carry what there is to carry, and let some time pass on the board."""
        begins = time.monotonic()
        room = max(0, _AHEAD - self.board.waiting)
        sent = self.terminal.read(room, min(max(0.0, self._due - begins), _SLICE_S))
        self.board.baud = self.terminal.baud or self._own_baud  # at which that was sent
        started = time.monotonic()
        before = self.board.cycles
        self.board.write(sent)
        came = self.board.read(_SLICE_S)
        simulated_s = (self.board.cycles - before) / self.board.clock_hz
        ends = time.monotonic()
        self._due = max(self._due + simulated_s, ends - _LAG_S)
        served = self.served
        served.to_board += len(sent)
        served.from_board += len(came)
        served.simulated_s += simulated_s
        served.real_s += ends - started
        if came:
            served.lost += self.terminal.write(came)
        if (leds := self.board.leds) != self._leds and ends >= self._leds_at:
            self._leds, self._leds_at = leds, ends + _LEDS_S
            self._on_leds(leds)

    def _disconnect(self) -> None:
        """Pull the cable when it is time, and plug it in again."""
        after_s = self.disconnect_after_s
        if after_s is None or time.monotonic() < self._began + after_s:
            return
        self.disconnect_after_s = None
        self.terminal.close()
        self.board.run(_SLICE_S)
        time.sleep(_ABSENT_S)
        self.terminal = PseudoTerminal()
        self._on_terminal(self.terminal.path)


@contextmanager
def served(
    board: VirtualBoard, *, disconnect_after_s: float | None = None
) -> Iterator[BoardServer]:
    """Serve a board from a thread, in a ``with`` block."""
    server = BoardServer(board, disconnect_after_s=disconnect_after_s)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
