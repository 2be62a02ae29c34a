"""A board behind a pseudo-terminal: golden's host link and a Verilated chip, in a thread."""

import os
import pty
import select
import threading
import tty

import numpy as np

from spikelet.description.chip.host_link import LinkParams
from spikelet.description.chip.packets import output_bits
from spikelet.description.chip.params import ChipParams
from spikelet.golden.host_link import HostLink
from spikelet.host.link import Batch
from spikelet.rtl_gen.chip import Chip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.sim.verilated_link import VerilatedLink
from spikelet.sim.verilator import Design

__all__ = ["TerminalBoard", "VerilatedWords"]


class VerilatedWords:
    """A Verilated chip as golden's host link wants one."""

    def __init__(self, chip: ChipParams) -> None:
        self.link = VerilatedLink(Design(to_verilog(Chip(chip), "chip")), optimise="build")
        self.mask, self.shift = output_bits(chip)
        self.n_outputs = chip.n_outputs
        self.events: list[int] = []
        self.wrong: set[int] = set()

    def write(self, address: int, data: int) -> None:
        """Write a word; a wrong one at the addresses of ``wrong``."""
        self.link.write(np.array([[address, data ^ (address in self.wrong)]], np.uint32))

    def read(self, address: int) -> int:
        """Return a word."""
        return int(self.link.read(np.array([address], np.uint32))[0])

    def event(self, flit: int) -> None:
        """Take an event."""
        self.events.append(flit)

    def tick(self) -> list[int]:
        """Run a tick; return the flits that leave, as far as a host is told of them."""
        ran = self._run(ticks=1, clear=False)
        return [line for line, n in enumerate(ran.outputs[0, 0].tolist()) for _ in range(n)]

    def clear(self) -> None:
        """Clear."""
        self._run(ticks=0, clear=True)

    def _run(self, *, ticks: int, clear: bool):
        flits, self.events = np.array(self.events * ticks, np.uint32), []
        none = np.zeros(0, np.uint32)
        return self.link.run(
            Batch(
                *(1, ticks, clear, np.array([0, *[len(flits)] * ticks], np.int64), flits),
                *(none, np.zeros((1, ticks, 0), np.uint32), none),
                *(self.n_outputs, self.mask, 1 << 20, self.shift),
            )
        )


class TerminalBoard:
    """What a driver finds behind the terminal ``name``, while it is used in a ``with`` block.

    Parameters
    ----------
    chip : ChipParams
    structure : int or None
        What it says of its structure, if that is not the chip's.
    silent : bool
        Whether it never answers.
    version : int or None
        What it says in the place of the link's version.
    """

    def __init__(
        self,
        chip: ChipParams,
        *,
        structure: int | None = None,
        silent: bool = False,
        version: int | None = None,
    ) -> None:
        params = LinkParams.of(chip, 12_000_000)
        self.words = VerilatedWords(chip)
        self.silent, self.version = silent, version
        if structure is not None:
            params = LinkParams(**{**vars(params), "structure": structure})
        self.link = HostLink(params, self.words)
        self.unplug_after: int | None = None
        self.taken = 0
        self._main, self._terminal = pty.openpty()
        tty.setraw(self._main)
        tty.setraw(self._terminal)
        self.name = os.ttyname(self._terminal)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "TerminalBoard":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._unplug()

    def _unplug(self) -> None:
        for end in (self._main, self._terminal):
            if end >= 0:
                os.close(end)
        self._main = self._terminal = -1

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._main], [], [], 0.02)[0]:
                continue
            line = os.read(self._main, 4096)
            self.taken += len(line)
            if self.unplug_after is not None and self.taken > self.unplug_after:
                self._unplug()
                return
            if self.silent:
                continue
            self.link.take(line)
            for frame in self.link.replies():
                os.write(self._main, frame)
