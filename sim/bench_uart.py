"""cocotb bench of the UART: a line whose sender's clock is another one.

Parameters: ``divider``.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge, Timer

from spikelet.sim.drivers import CLOCK_NS
from spikelet.sim.testbench import Checks, parameters, random_source, start

_RATES = (0.97, 0.985, 1.0, 1.015, 1.03)
"""Of the sender's bit, in those of the receiver."""


async def _send(dut: Any, line: bytes, bit_ps: float, gaps: list[float]) -> None:
    """Send bytes with bits of so many ps, and pauses of so many bits behind each."""
    place, now = 0.0, 0
    for byte, gap in zip(line, gaps, strict=True):
        for level in (0, *((byte >> number) & 1 for number in range(8)), 1):
            dut.rx.value = level
            place += bit_ps
            await Timer(round(place) - now, "ps")
            now = round(place)
        if gap:
            place += gap * bit_ps
            await Timer(round(place) - now, "ps")
            now = round(place)


async def _received(dut: Any, into: list[int]) -> None:
    edge = RisingEdge(dut.clk)
    while True:
        await edge
        if dut.received__valid.value:
            into.append(int(dut.received__payload.value))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def bytes_come_at_any_rate_within_three_percent(dut: Any) -> None:
    """Random bytes, one behind the other and with pauses, and the extremes."""
    divider, rng = parameters()["divider"], random_source()
    checks = Checks("back to back", "spike on the line", "no stop bit")
    await start(dut, rx=1, sending__valid=0)
    got: list[int] = []
    cocotb.start_soon(_received(dut, got))
    bit_ps = divider * CLOCK_NS * 1000
    for rate in _RATES:
        got.clear()
        await Timer(int(rng.integers(1, bit_ps)), "ps")  # any phase of the two clocks
        sent = bytes([0, 255, 0x55, 0xAA, *rng.integers(0, 256, 80).tolist()])
        gaps = np.where(rng.random(len(sent)) < 0.7, 0, rng.random(len(sent)) * 3).tolist()
        checks.reach("back to back", 0 in gaps)
        await _send(dut, sent, bit_ps * rate, gaps)
        await Timer(2 * bit_ps, "ps")
        checks.sequence(list(sent), got, f"byte at {rate} of the rate")

    got.clear()
    dut.rx.value = 0
    await Timer(CLOCK_NS, "ns")
    dut.rx.value = 1
    await Timer(12 * bit_ps, "ps")
    checks.sequence([], got, "byte of a spike")
    checks.reach("spike on the line")
    dut.rx.value = 0
    await Timer(10 * bit_ps, "ps")
    dut.rx.value = 1
    await Timer(3 * bit_ps, "ps")
    checks.sequence([], got, "byte without a stop bit")
    checks.reach("no stop bit")
    await _send(dut, b"A", bit_ps, [1])
    checks.sequence([ord("A")], got, "byte behind it")
    checks.finish()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def bytes_leave_in_bits_of_the_divider(dut: Any) -> None:
    """The line is looked at in every cycle."""
    divider, rng = parameters()["divider"], random_source()
    checks = Checks("back to back", "pause")
    edge = await start(dut, rx=1, sending__valid=0)
    sent = rng.integers(0, 256, 40).tolist()
    line: list[int] = []

    async def look() -> None:
        while True:
            await edge
            line.append(int(dut.tx.value))

    cocotb.start_soon(look())
    taken = []
    for byte in sent:
        if rng.random() < 0.3:
            checks.reach("pause")
            for _ in range(int(rng.integers(1, 5 * divider))):
                await edge
        dut.sending__valid.value, dut.sending__payload.value = 1, byte
        await edge
        while not dut.sending__ready.value:
            await edge
        taken.append(len(line))
        dut.sending__valid.value = 0
    for _ in range(12 * divider):
        await edge
    found: list[int] = []
    place = 0
    while 0 in line[place:]:
        begin = line.index(0, place)
        bits = line[begin : begin + 10 * divider]
        checks.reach("back to back", begin == place and found)
        levels = [bits[at * divider : (at + 1) * divider] for at in range(10)]
        assert all(len(set(level)) == 1 for level in levels), f"byte {len(found)}: uneven bits"
        values = [level[0] for level in levels]
        assert values[9] == 1, f"byte {len(found)}: no stop bit"
        found.append(sum(bit << number for number, bit in enumerate(values[1:9])))
        place = begin + 10 * divider
    checks.sequence(sent, found, "byte on the line")
    checks.finish()
