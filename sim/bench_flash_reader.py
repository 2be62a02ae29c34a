"""cocotb bench of the flash reader: a flash in power-down, by its pins.

Parameters: ``offset``, ``clock_hz``, ``half``.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from spikelet.sim.spi_flash import SpiFlash
from spikelet.sim.testbench import Checks, parameters, random_source, start

_BYTES = 300


class _Board:
    """The flash on the pins, and whoever takes its bytes, with pauses."""

    def __init__(self, dut: Any, rng: np.random.Generator, pauses: float) -> None:
        self.dut = dut
        self.rng = rng
        self.pauses = pauses
        self.cycles = 0
        self.rises: list[int] = []
        self.taken: list[int] = []
        self.flash = SpiFlash()

    async def take(self) -> None:
        """Take bytes for ever."""
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        while True:
            await edge
            if dut.o__valid.value and dut.o__ready.value and not dut.start.value:
                self.taken.append(int(dut.o__payload.value))
            dut.o__ready.value = int(self.rng.random() >= self.pauses)

    async def run(self) -> None:
        """Follow the pins for ever: the flash answers within half a clock cycle."""
        dut, edge = self.dut, FallingEdge(self.dut.clk)
        clock, clock_hz = 0, parameters()["clock_hz"]
        while True:
            await edge
            self.cycles += 1
            now = self.cycles / clock_hz
            cs, sck, mosi = (int(getattr(dut, name).value) for name in ("cs_n", "sck", "mosi"))
            dut.miso.value = self.flash.pins(cs, sck, mosi, now)
            if sck and not clock and not cs:
                self.rises.append(self.cycles)
            clock = sck


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def bytes_of_the_flash_come_from_the_offset_on(dut: Any) -> None:
    """Started early, again in the middle of a command and of a byte; with pauses, and without."""
    told, rng = parameters(), random_source()
    checks = Checks("again in a command", "again in a byte", "paused", "full rate")
    edge = await start(dut, start=0, miso=1, o__ready=0)
    contents = rng.integers(0, 256, _BYTES + 64, np.uint8).tobytes()
    for pauses in (0.0, 0.97):
        board = _Board(dut, rng, pauses)
        board.flash.store(contents, told["offset"])
        dut.rst.value = 1
        await edge
        dut.rst.value = 0
        serving = [cocotb.start_soon(part) for part in (board.run(), board.take())]
        for again in ("", "again in a command", "again in a byte"):
            dut.start.value = 1
            await edge
            dut.start.value = 0
            await edge
            board.taken.clear()
            if again == "again in a command":
                for _ in range(int(rng.integers(20, 40)) * told["half"]):
                    await edge
                assert not board.taken
                checks.reach(again, not dut.cs_n.value)
                dut.start.value = 1
                await edge
                dut.start.value = 0
            board.rises.clear()
            wanted = 20 + int(rng.integers(20)) if not again else _BYTES
            while len(board.taken) < wanted:
                await edge
            checks.sequence(list(contents[: len(board.taken)]), board.taken, "byte")
            gaps = np.diff(board.rises)
            checks.equal(2 * told["half"], gaps[: min(32, len(gaps))].min(), "cycles of a bit")
            checks.reach("again in a byte", again == "again in a byte")
            if not pauses:
                checks.reach("full rate", gaps[40:].max() == 2 * told["half"])
            else:
                checks.reach("paused", gaps[40:].max() > 2 * told["half"])
        for part in serving:
            part.cancel()
        board.flash.close()
    checks.finish()
