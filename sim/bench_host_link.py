"""cocotb bench of the host link: any bytes on the line, a host that loses nothing.

A host sends operations over a line that damages bytes. What the link does with its chip, and what
it answers, must be what golden makes of the very bytes that reached it.

Parameters: ``params`` (LinkParams), ``rate`` (of damaged bytes).
"""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from spikelet.description.chip.host_link import FLAG, OPERATIONS, LinkParams
from spikelet.description.errors import SpikeletError
from spikelet.golden.host_link import HostLink
from spikelet.host.connection import Connection
from spikelet.sim.noted_chip import NotedChip
from spikelet.sim.noted_ports import LONGEST_TICK, NotedPorts
from spikelet.sim.testbench import Checks, parameters, random_source, start

_LEAST_GAP = 9


class _Line:
    """A line to the link and back that damages bytes."""

    def __init__(self, dut: Any, rng: np.random.Generator, rate: float) -> None:
        self.dut = dut
        self.rng = rng
        self.rate = rate
        self.reached: list[int] = []
        self.came = bytearray()

    async def send(self, line: bytes) -> None:
        """Send bytes, each some clock cycles behind the one before."""
        edge = RisingEdge(self.dut.clk)
        for byte in self._damaged(line):
            self.dut.rx__payload.value = byte
            self.dut.rx__valid.value = 1
            await edge
            assert self.dut.rx__ready.value, "the link does not take a byte in time"
            self.reached.append(byte)
            self.dut.rx__valid.value = 0
            for _ in range(_LEAST_GAP - 1 + int(self.rng.integers(4))):
                await edge

    async def receive(self) -> None:
        """Take what is sent, for ever."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if self.dut.tx__valid.value and self.dut.tx__ready.value:
                self.came += bytes(self._damaged(bytes([int(self.dut.tx__payload.value)])))
            self.dut.tx__ready.value = int(self.rng.random() < 0.2)

    def _damaged(self, line: bytes) -> Iterator[int]:
        for byte in line:
            if self.rng.random() >= self.rate:
                yield byte
            elif self.rng.random() < 0.5:
                yield byte ^ (1 << int(self.rng.integers(8)))


def _operation(name: str, count: int, *rest: tuple[int, int]) -> bytes:
    head = bytes([OPERATIONS.index(name)]) + count.to_bytes(2, "little")
    return head + b"".join(value.to_bytes(size, "little") for value, size in rest)


def _stream(rng: np.random.Generator, params: LinkParams, operations: int) -> bytes:
    stream = _operation("identify", 4)
    for _ in range(operations):
        count = int(rng.integers(7))
        address = int(rng.integers(1 << (params.address_bits if rng.random() < 0.9 else 32)))
        words = [(int(rng.integers(1 << 32)), 4) for _ in range(count)]
        flits = [
            (int(rng.integers(1 << params.flit_bits)), params.flit_bytes) for _ in range(count)
        ]
        stream += [
            _operation("write", count, (address, 4), *words),
            _operation("read", count, (address, 4)),
            _operation("events", count, *flits) + _operation("run", 1),
            _operation("run", count) + _operation("clear", 1),
            _operation("watchdog", int(rng.integers(1 << 16))),
        ][rng.integers(5)]
    return stream


async def _connected(dut: Any) -> tuple[np.random.Generator, NotedPorts, _Line]:
    rng = random_source()
    ports = NotedPorts(dut, rng)
    line = _Line(dut, rng, parameters()["rate"])
    inputs = ("rx__valid", "tx__ready", "abandon", "busy", "event_in__ready", "event_out__valid")
    await start(
        dut,
        **dict.fromkeys(inputs, 0),
        config_request__ready=0,
        config_response__valid=0,
    )
    cocotb.start_soon(ports.serve())
    cocotb.start_soon(line.receive())
    return rng, ports, line


async def _wait(dut: Any, cycles: int) -> None:
    edge = RisingEdge(dut.clk)
    for _ in range(cycles):
        await edge


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def nothing_is_lost_or_done_twice(dut: Any) -> None:
    """Random operations; what happens is what golden makes of the bytes that came."""
    params: LinkParams = parameters()["params"]
    rng, ports, line = await _connected(dut)
    checks = Checks(*(("damaged",) if line.rate else ()), "wrapped", "second connection")
    reference, alone = NotedChip(), NotedChip()
    golden = HostLink(params, reference)
    seen = 0
    for number in (7, 8):
        checks.reach("second connection", number == 8)
        connection = Connection(number, payload=params.buffer_bytes // 2)
        connection.buffer_bytes = params.buffer_bytes
        stream = _stream(rng, params, 60)
        connection.send(stream)
        straight = HostLink(params, alone)
        for byte in stream:
            straight.commands.take(byte)
        expected = bytes(straight.commands.sent)
        silent = 0
        while len(connection.received) < len(expected) or connection.unacknowledged:
            sending = connection.outgoing()
            await line.send(sending)
            if not sending:
                await _wait(dut, 50)
            came, line.came = bytes(line.came), bytearray()
            silent = 0 if connection.take(came) or sending else silent + 1
            if silent > 40:
                connection.timed_out()
                silent = 0
        checks.reach("wrapped", len(expected) > params.buffer_bytes)
        if line.rate:
            checks.reach("damaged", connection.broken + connection.resent)
        await _wait(dut, 4 * LONGEST_TICK)
        golden.take(bytes(line.reached[seen:]))
        seen = len(line.reached)
        checks.sequence(list(expected), list(connection.received), "byte of the answers")
        checks.sequence(list(golden.commands.sent), list(expected), "byte of golden's answers")
        checks.sequence(reference.told, ports.chip.told, "operation at the chip")
        checks.equal(golden.commands.watchdog, int(dut.watchdog.value), "watchdog")
    checks.finish()


async def _counted(dut: Any, name: str, counts: dict[str, int]) -> None:
    """Count the cycles in which an output is high, for ever."""
    edge = RisingEdge(dut.clk)
    while True:
        await edge
        counts[name] += int(getattr(dut, name).value)


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def a_connection_that_is_given_up_is_no_more(dut: Any) -> None:
    """Given up at any time, also within a frame; the host comes back, then opens another."""
    params: LinkParams = parameters()["params"]
    rng, ports, line = await _connected(dut)
    line.rate = 0
    checks = Checks("something was dropped", "all was done", "frame was cut")
    counts = dict.fromkeys(("reset", "heard"), 0)
    for name in counts:
        cocotb.start_soon(_counted(dut, name, counts))
    golden = HostLink(params, NotedChip())
    for number in range(36):
        connection = Connection(7 * number + 1)
        line.came.clear()
        opening = bytes([FLAG]) + connection.outgoing()
        await line.send(opening)
        await _wait(dut, 600)
        connection.take(bytes(line.came))
        assert connection.opened
        golden.take(opening)
        count = int(rng.integers(1, 6))
        words = [(9, 4)] * count
        connection.send(_operation("watchdog", 7) + _operation("write", count, (5, 4), *words))
        frame = connection.outgoing()
        sent = len(frame) - int(rng.choice([0, 0, 1, 3, 12]))
        before = len(ports.chip.told)
        await line.send(frame[:sent])
        await _wait(dut, int(rng.integers(1, 120)))
        dut.abandon.value = 1
        await _wait(dut, 1)
        dut.abandon.value = 0
        line.came.clear()
        await _wait(dut, 2)
        done = len(ports.chip.told) - before
        checks.reach("something was dropped", sent == len(frame) and done < count)
        checks.reach("all was done", done == count)
        checks.reach("frame was cut", sent < len(frame))
        golden.take(frame[:sent])
        golden.abandon()
        await line.send(frame[sent:] + connection.outgoing() + frame)  # the host goes on
        golden.take(frame[sent:] + connection.outgoing() + frame)
        await _wait(dut, 1500)
        assert len(ports.chip.told) - before == done, "executed behind the end of a connection"
        checks.equal(golden.connection, connection.number ^ 0x80, "connection")
        checks.equal(0, int(dut.watchdog.value), "watchdog")
        try:
            connection.take(bytes(line.came))
            raise AssertionError("the host is not told")
        except SpikeletError as error:
            assert "has forgotten this connection" in str(error)
        checks.equal(golden.resets, counts["reset"], "resets")
        checks.equal(golden.heard, counts["heard"], "frames of a connection")
    checks.finish()


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def noise_does_nothing(dut: Any) -> None:
    """Bytes of no frame, an unknown operation; then a connection."""
    rng, ports, line = await _connected(dut)
    checks = Checks("refused", "reset")
    line.rate = 0
    noise = rng.choice([*range(256), *[FLAG] * 40, *[0x7D] * 20], size=3000)
    await line.send(bytes(noise.tolist()))
    checks.equal(0, len(ports.chip.told), "operations at the chip after noise")
    connection = Connection(1, reset=True)
    resets = 0
    edge = RisingEdge(dut.clk)
    opening = cocotb.start_soon(line.send(bytes([FLAG]) + connection.outgoing()))
    while not opening.done():
        await edge
        resets += int(dut.reset.value)
    checks.equal(1, resets, "resets")
    checks.reach("reset", resets)
    await _wait(dut, 500)
    connection.take(bytes(line.came))
    line.came.clear()
    connection.send(bytes([len(OPERATIONS), 1, 0]) + _operation("clear", 1))
    await line.send(connection.outgoing())
    await _wait(dut, 3000)
    checks.equal(0, len(ports.chip.told), "operations at the chip after one that is unknown")
    try:
        connection.take(bytes(line.came))
    except Exception as error:
        assert "does not know an operation" in str(error)
        checks.reach("refused")
    checks.finish()
