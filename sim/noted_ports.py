"""The ports of a chip that notes what it is told, for benches of what drives a chip."""

from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge

from spikelet.sim.noted_chip import NotedChip
from spikelet.sim.testbench import parameters

__all__ = ["LONGEST_TICK", "NotedPorts"]

_RESPONSE_LATENCY = 9
LONGEST_TICK = 40
"""Clock cycles."""


class NotedPorts:
    """The chip's side of the ports, with pauses.

    Parameters
    ----------
    dut : handle
    rng : Generator
    pause : float
        Share of the clock cycles in which what could be taken or offered is not.
    """

    def __init__(self, dut: Any, rng: np.random.Generator, pause: float = 0.5) -> None:
        self.pause = pause
        self.dut = dut
        self.rng = rng
        self.chip = NotedChip()

    async def serve(self) -> None:
        """Serve for ever."""
        dut, rng = self.dut, self.rng
        edge = RisingEdge(dut.clk)
        answers: list[tuple[int, int]] = []
        spikes: list[int] = []
        cycle = ends = 0
        busy = False
        while True:
            await edge
            cycle += 1
            if dut.event_out__valid.value and dut.event_out__ready.value:
                spikes.pop(0)
            if not busy:
                self._requests(cycle, answers)
                if dut.event_in__valid.value and dut.event_in__ready.value:
                    self.chip.event(int(dut.event_in__payload.value))
                for strobe in self.strobes():
                    busy, ends = True, cycle + int(rng.integers(3, LONGEST_TICK))
                    if strobe == "start":
                        spikes = self.chip.tick()
                    else:
                        self.chip.clear()
            elif cycle >= ends and not spikes:
                busy = False
            dut.busy.value = int(busy)
            self._configure(cycle, answers, busy)
            dut.event_in__ready.value = int(not busy and rng.random() >= self.pause)
            goes_on = bool(dut.event_out__valid.value) or rng.random() >= self.pause
            offers = bool(spikes) and goes_on
            dut.event_out__valid.value = int(offers)
            if offers:
                dut.event_out__payload.value = spikes[0]

    def _configure(self, cycle: int, answers: list[tuple[int, int]], busy: bool) -> None:
        dut = self.dut
        if not hasattr(dut, "config_request__ready"):
            return
        dut.config_request__ready.value = int(not busy and self.rng.random() >= self.pause)
        due = bool(answers) and answers[0][0] <= cycle
        dut.config_response__valid.value = int(due)
        if due:
            dut.config_response__payload.value = answers.pop(0)[1]

    def strobes(self) -> list[str]:
        """Return which of ``start`` and ``clear`` are given in this cycle."""
        ports = {name: getattr(self.dut, name, None) for name in ("start", "clear")}
        return [name for name, port in ports.items() if port is not None and port.value]

    def _requests(self, cycle: int, answers: list[tuple[int, int]]) -> None:
        dut = self.dut
        if not hasattr(dut, "config_request__valid"):
            return
        if not (dut.config_request__valid.value and dut.config_request__ready.value):
            return
        layout = parameters()["layouts"]["config_request__payload"]
        word, fields = int(dut.config_request__payload.value), {}
        for name, width in layout:
            fields[name] = word & ((1 << width) - 1)
            word >>= width
        if fields["write"]:
            self.chip.write(fields["address"], fields["data"])
        else:
            answers.append((cycle + _RESPONSE_LATENCY, self.chip.read(fields["address"])))
