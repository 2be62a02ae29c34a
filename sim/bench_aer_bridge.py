"""cocotb bench of the AER bridges, each by itself, and joined by wires with delays.

The design has both: ``to_stream`` with ports ``in`` (four-phase) and ``o``, in clock domain
``far``, and ``from_stream`` with ``i`` and ``out`` (four-phase). Parameters: ``address_bits``.
"""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotb.utils import get_sim_time

from spikelet.sim.aer import (
    FourPhaseMonitor,
    FourPhaseReceiver,
    FourPhaseSender,
    StreamDriver,
    StreamMonitor,
    StreamNames,
    StreamReceiver,
    random_delays,
)
from spikelet.sim.drivers import CLOCK_NS, PAUSES, pauses
from spikelet.sim.testbench import Checks, parameters, random_source, start

EVENTS = 60
CLOCK_PS = 1000 * CLOCK_NS
FAR_PS = 3142
FAR = StreamNames(clock="far_clk")

QUIET = {
    "in__req": 0,
    "in__address": 0,
    "o__ready": 0,
    "i__valid": 0,
    "i__payload": 0,
    "out__ack": 0,
    "far_rst": 1,
}


def _addresses(rng: np.random.Generator) -> list[int]:
    """Return random addresses, with the lowest, the highest, and repetitions."""
    top = (1 << parameters()["address_bits"]) - 1
    drawn = [int(word) for word in rng.integers(top, size=EVENTS, endpoint=True)]
    return [0, top, *drawn, top, top, 0, 0]


def _speeds(rng: np.random.Generator, period_ps: int) -> list[Iterator[int] | None]:
    """Return delays of a four-phase side: none, less than a clock cycle, many cycles."""
    return [None, random_delays(rng, period_ps), random_delays(rng, 8 * period_ps)]


async def _begin(dut: Any) -> RisingEdge:
    """Start both clocks, reset, and return the trigger of the edge of ``clk``."""
    Clock(dut.far_clk, FAR_PS, "ps").start()
    edge = await start(dut, **QUIET)
    await ClockCycles(dut.far_clk, 3)
    dut.far_rst.value = 0
    await ClockCycles(dut.far_clk, 1)
    return edge


async def _until(count: int, events: list[Any]) -> None:
    """Wait until there are as many events, and for longer than one more takes."""
    while len(events) < count:
        await Timer(CLOCK_NS, "ns")
    await Timer(100 * CLOCK_NS, "ns")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def to_stream(dut: Any) -> None:
    """Every handshake gives one transfer, whatever the phase, the delays and the pauses."""
    rng = random_source()
    checks = Checks("stall", "early in the cycle", "late in the cycle")
    await _begin(dut)
    events, handshakes = StreamMonitor(dut, "o", names=FAR), FourPhaseMonitor(dut, "in")
    for delays in _speeds(rng, FAR_PS):
        for number, kind in enumerate(PAUSES):
            sender = FourPhaseSender(dut, "in", delays)
            late = bool(number % 2)
            sink = StreamReceiver(dut, "o", pauses(rng, kind), after_valid=late, names=FAR)
            addresses = _addresses(rng)
            sender.send(addresses)
            await sender.sent()
            await Timer(100 * FAR_PS, "ps")
            checks.sequence(addresses, handshakes.addresses, "address acknowledged")
            checks.sequence(addresses, events.payloads, "event")
            for got in (handshakes.events, events.transfers):
                got.clear()
            for task in (sender.task, sink.task):
                task.cancel()
            dut.o__ready.value = 0
            phase = round(1000 * get_sim_time("ns")) % FAR_PS
            checks.reach("early in the cycle", phase < FAR_PS // 2)
            checks.reach("late in the cycle", phase >= FAR_PS // 2)
            await Timer(int(rng.integers(1, FAR_PS)), "ps")
    checks.reach("stall", events.stalls)
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def from_stream(dut: Any) -> None:
    """Every transfer gives one handshake, whatever the delays and the pauses."""
    rng = random_source()
    checks = Checks("stall")
    await _begin(dut)
    taken, handshakes = StreamMonitor(dut, "i"), FourPhaseMonitor(dut, "out")
    for delays in _speeds(rng, CLOCK_PS):
        for kind in PAUSES:
            receiver = FourPhaseReceiver(dut, "out", delays)
            source = StreamDriver(dut, "i", pauses(rng, kind))
            addresses = _addresses(rng)
            source.send(addresses)
            await source.sent()
            await _until(len(addresses), handshakes.events)
            checks.sequence(addresses, taken.payloads, "transfer")
            checks.sequence(addresses, receiver.addresses, "address read")
            checks.sequence(addresses, handshakes.addresses, "address acknowledged")
            for got in (handshakes.events, taken.transfers):
                got.clear()
            for task in (receiver.task, source.task):
                task.cancel()
    checks.reach("stall", taken.stalls)
    checks.finish()


async def _wire(origin: Any, end: Any, delays: Iterator[int], rides: Any, lands: Any) -> None:
    """Copy edges of a wire, each later by a delay; what rides along settles just before."""
    while True:
        await origin.value_change
        level = int(origin.value)
        await Timer(next(delays), "ps")
        if rides is not None:
            lands.value = int(rides.value)
            await Timer(1, "ps")
        end.value = level


@cocotb.test(timeout_time=200, timeout_unit="us")
async def round_trip(dut: Any) -> None:
    """From a stream of one clock through both bridges to a stream of another clock."""
    rng = random_source()
    checks = Checks("stall at the source", "stall at the end")
    await _begin(dut)
    there, back = (random_delays(rng, 2 * FAR_PS) for _ in range(2))
    cocotb.start_soon(_wire(dut.out__req, dut.in__req, there, dut.out__address, dut.in__address))
    cocotb.start_soon(_wire(dut.in__ack, dut.out__ack, back, None, None))
    FourPhaseMonitor(dut, "out")
    FourPhaseMonitor(dut, "in")
    put, got = StreamMonitor(dut, "i"), StreamMonitor(dut, "o", names=FAR)
    for kind in PAUSES:
        source = StreamDriver(dut, "i", pauses(rng, PAUSES[int(rng.integers(len(PAUSES)))]))
        sink = StreamReceiver(dut, "o", pauses(rng, kind), names=FAR)
        addresses = _addresses(rng)
        source.send(addresses)
        await source.sent()
        await _until(len(addresses), got.transfers)
        checks.sequence(addresses, got.payloads, "event")
        got.transfers.clear()
        for task in (source.task, sink.task):
            task.cancel()
    checks.reach("stall at the source", put.stalls)
    checks.reach("stall at the end", got.stalls)
    checks.finish()


@cocotb.test(timeout_time=10, timeout_unit="us")
async def timing(dut: Any) -> None:
    """Seven cycles a handshake, with the other side at once; every edge where it is promised."""
    checks = Checks()
    await _begin(dut)
    FourPhaseReceiver(dut, "out")
    source, taken, out = StreamDriver(dut, "i"), StreamMonitor(dut, "i"), _edges(dut, "out", "clk")
    source.send([1, 0, 1, 0, 1])
    await source.sent()
    await ClockCycles(dut.clk, 20)
    first = taken.transfers[0][0]
    checks.sequence([first + 7 * n for n in range(5)], [at for at, _ in taken.transfers], "cycle")
    # Counted from the transfer: the address, req up, req down; ack follows req at once.
    expected = [("address", 0), ("req", 1), ("ack", 1), ("req", 4), ("ack", 4)]
    begin = out[0][1]
    checks.sequence(expected, [(wire, at - begin) for wire, at in out[:5]], "edge")

    await RisingEdge(dut.far_clk)
    sender, ins = FourPhaseSender(dut, "in"), _edges(dut, "in", "far_clk", "o__valid")
    StreamReceiver(dut, "o", names=FAR)
    sender.send([1, 0, 1, 0, 1])
    await sender.sent()
    rises = [at for wire, at in ins if wire == "req"][::2]
    checks.sequence([rises[0] + 7 * n for n in range(5)], rises, "cycle")
    begin = rises[0]
    expected = [("req", 0), ("o__valid", 3), ("o__valid", 4), ("ack", 4), ("req", 4), ("ack", 7)]
    got = [(wire, at - begin) for wire, at in ins if wire != "address"][:6]
    checks.sequence(sorted(expected), sorted(got), "edge")
    checks.finish()


@cocotb.test(timeout_time=10, timeout_unit="us")
async def late_address(dut: Any) -> None:
    """An address that settles almost two clock periods after ``req`` is still taken."""
    checks = Checks()
    await _begin(dut)
    events = StreamMonitor(dut, "o", names=FAR)
    dut.o__ready.value = 1
    await RisingEdge(dut.far_clk)
    await Timer(FAR_PS - 1, "ps")  # the worst phase: the very next edge sees req
    dut["in__req"].value = 1
    await Timer(2 * FAR_PS - 2, "ps")
    dut["in__address"].value = 1
    await RisingEdge(dut.in__ack)
    dut["in__req"].value = 0
    await ClockCycles(dut.far_clk, 8)
    checks.equal([1], events.payloads, "event")
    checks.finish()


def _edges(dut: Any, port: str, clock: str, *more: str) -> list[tuple[str, int]]:
    """Return a growing list of (wire, number of the clock edge before its change)."""
    found: list[tuple[str, int]] = []
    count = 0

    async def count_edges() -> None:
        nonlocal count
        while True:
            await RisingEdge(getattr(dut, clock))
            count += 1

    async def follow(label: str, wire: Any) -> None:
        while True:
            await wire.value_change
            found.append((label, count))

    cocotb.start_soon(count_edges())
    for label in ("req", "ack", "address"):
        cocotb.start_soon(follow(label, getattr(dut, f"{port}__{label}")))
    for name in more:
        cocotb.start_soon(follow(name, getattr(dut, name)))
    return found


@cocotb.test(timeout_time=10, timeout_unit="us")
async def reset(dut: Any) -> None:
    """In the middle of a handshake: the wires fall, and what still stands counts afterwards."""
    checks = Checks()
    await _begin(dut)
    top = (1 << parameters()["address_bits"]) - 1
    StreamDriver(dut, "i").send([top])
    await RisingEdge(dut.out__req)
    dut.out__ack.value = 1
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    checks.equal([0, top], [int(dut.out__req.value), int(dut.out__address.value)], "req, address")
    dut.rst.value = 0
    for _ in range(8):
        await RisingEdge(dut.clk)
        checks.equal(0, int(dut.i__ready.value), "ready while ack is high")
    dut.out__ack.value = 0
    await ClockCycles(dut.clk, 4)
    checks.equal(1, int(dut.i__ready.value), "ready")

    dut["in__address"].value = top
    dut["in__req"].value = 1
    await RisingEdge(dut.o__valid)
    dut.far_rst.value = 1
    await ClockCycles(dut.far_clk, 3)
    checks.equal([0, 0], [int(dut.o__valid.value), int(dut.in__ack.value)], "valid, ack in reset")
    dut.far_rst.value = 0
    events, handshakes = StreamMonitor(dut, "o", names=FAR), FourPhaseMonitor(dut, "in")
    dut.o__ready.value = 1
    await RisingEdge(dut.in__ack)
    dut["in__req"].value = 0
    await ClockCycles(dut.far_clk, 8)
    checks.equal([top], events.payloads, "events after reset")
    checks.equal([top], handshakes.addresses, "handshakes after reset")
    checks.finish()
