"""cocotb bench of the SPI target: a controller whose clock is another one.

Parameters: ``ratio`` (clock cycles of a cycle of ``sck``).
"""

from typing import Any

import cocotb
from cocotb.triggers import RisingEdge, Timer

from spikelet.description.chip.host_link import FLAG
from spikelet.sim.drivers import CLOCK_NS
from spikelet.sim.testbench import Checks, parameters, random_source, start

_TRANSFERS = 60


class _Controller:
    """SPI mode 0."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.half = int(CLOCK_NS * 1000 * parameters()["ratio"] / 2)

    async def transfer(self, line: list[int], bits: int) -> list[int]:
        """Send bytes, of the last only some bits; return the whole ones that came."""
        dut, half, came = self.dut, self.half, []
        dut.cs_n.value = 0
        await Timer(half, "ps")
        for number, sent in enumerate(line):
            value = 0
            count = bits if number == len(line) - 1 else 8
            for place in range(count):
                dut.mosi.value = (sent >> (7 - place)) & 1
                await Timer(half, "ps")
                value = value << 1 | int(dut.miso.value)
                dut.sck.value = 1
                await Timer(half, "ps")
                dut.sck.value = 0
            if count == 8:
                came.append(value)
        await Timer(half, "ps")
        dut.cs_n.value = 1
        await Timer(half, "ps")
        return came


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def bytes_go_both_ways(dut: Any) -> None:
    """Transfers of any length at any phase of the clocks, some of them cut in a byte."""
    rng = random_source()
    checks = Checks("cut", "filler", "several", "byte behind a transfer")
    edge = await start(dut, cs_n=1, sck=0, mosi=0, sending__valid=0)
    received: list[int] = []
    taken: list[int] = []

    async def receive() -> None:
        while True:
            await RisingEdge(dut.clk)
            if dut.received__valid.value:
                received.append(int(dut.received__payload.value))

    async def send() -> None:
        """Offer bytes that are no flags, with pauses."""
        while True:
            if rng.random() < 0.3:
                for _ in range(int(rng.integers(400))):
                    await RisingEdge(dut.clk)
            dut.sending__payload.value = byte = int(rng.integers(FLAG))
            dut.sending__valid.value = 1
            await RisingEdge(dut.clk)
            while not dut.sending__ready.value:
                await RisingEdge(dut.clk)
            taken.append(byte)
            dut.sending__valid.value = 0

    cocotb.start_soon(receive())
    cocotb.start_soon(send())
    controller = _Controller(dut)
    sent: list[int] = []
    came: list[int] = []
    for _ in range(_TRANSFERS):
        await Timer(int(rng.integers(1, 3 * controller.half)), "ps")
        line = rng.integers(0, 256, int(rng.integers(1, 9))).tolist()
        bits = int(rng.integers(1, 8)) if rng.random() < 0.2 else 8
        checks.reach("cut", bits < 8)
        checks.reach("several", len(line) > 1)
        back = await controller.transfer(line, bits)
        sent += line if bits == 8 else line[:-1]
        checks.reach("filler", FLAG in back)
        came += [byte for byte in back if byte != FLAG]
        checks.reach("byte behind a transfer", bits == 8 and len(came) < len(taken))
        if bits < 8 and len(taken) > len(came):  # it had begun, and was cut
            taken.pop(len(came))
    await edge
    checks.sequence(sent, received, "byte to the target")
    checks.sequence(taken[: len(came)], came, "byte from the target")
    assert len(taken) - len(came) <= 1
    checks.finish()
