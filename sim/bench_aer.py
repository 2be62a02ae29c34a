"""cocotb bench of the verification IP itself, on wires without anything behind them.

All wires are inputs, so that the bench can play both sides, also wrongly. No parameters.
"""

import re
from collections.abc import Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer, with_timeout

from spikelet.sim.aer import (
    AXI4_STREAM,
    FourPhaseMonitor,
    FourPhaseNames,
    FourPhaseReceiver,
    FourPhaseSender,
    StreamDriver,
    StreamMonitor,
    StreamNames,
    StreamReceiver,
    random_delays,
)
from spikelet.sim.drivers import CLOCK_NS, PAUSES, pauses
from spikelet.sim.testbench import Checks, random_source

BARE = FourPhaseNames("REQ", "ACK", "ADDR")

Steps = Sequence[dict[str, int]]
"""What is written to the wires, step by step."""

STREAM_OK: Steps = [
    {"valid": 1, "payload": 5},
    {},
    {"ready": 1},
    {"payload": 6},
    {"payload": 6, "ready": 0},
    {"ready": 1},
    {"valid": 0, "ready": 0},
    {"payload": 9},
    {"ready": 1},
    {"ready": 0},
]

STREAM_VIOLATIONS: dict[str, Steps] = {
    r"s__payload at [\d.]+ ns: changed from 0x5 to 0x7": [
        {"valid": 1, "payload": 5},
        {"payload": 7},
    ],
    r"s__valid at [\d.]+ ns: fell before ready took payload 0x5": [
        {"valid": 1, "payload": 5},
        {"valid": 0, "ready": 1},
    ],
    r"s__payload at [\d.]+ ns: changed from 0x6 to 0x5": [
        {"valid": 1, "payload": 5, "ready": 1},
        {"payload": 6, "ready": 0},
        {"payload": 5, "ready": 1},
    ],
}

ASK = {"req": 1}
HANDSHAKE_OK: Steps = [
    {"address": 3},
    {"req": 1},
    {"ack": 1},
    {"address": 4},
    {"req": 0},
    {"address": 5},
    {"ack": 0},
    {"req": 1},
    {"ack": 1, "req": 0},
    {"ack": 0, "req": 1},
    {"ack": 1, "address": 7},
    {"req": 0, "ack": 0, "address": 6},
    {"req": 1, "ack": 1},
]

HANDSHAKE_VIOLATIONS: dict[str, Steps] = {
    r"REQ at [\d.]+ ns: fell while ack was 0": [ASK, {"req": 0}],
    r"REQ at [\d.]+ ns: rose while ack was 1": [ASK, {"ack": 1}, {"req": 0}, {"req": 1}],
    r"ACK at [\d.]+ ns: rose while req was 0": [{"ack": 1}],
    r"ACK at [\d.]+ ns: fell while req was 1": [ASK, {"ack": 1}, {"ack": 0}],
    r"ADDR at [\d.]+ ns: changed from 0x0 to 0x2 between req and ack": [ASK, {"address": 2}],
    r"ADDR at [\d.]+ ns: changed from 0x0 to 0x2 together with req": [{"req": 1, "address": 2}],
}


async def _play(steps: Steps, wires: dict[str, Any], first: Any = None) -> None:
    """Write step after step, one in a clock cycle, from low wires."""
    for wire in wires.values():
        wire.value = 0
    for step in ({}, *steps, {}):
        await (first or Timer(CLOCK_NS, "ns"))
        for name, value in step.items():
            wires[name].value = value


async def _violation(monitor: StreamMonitor | FourPhaseMonitor) -> str:
    """Return what a monitor says when it finds something."""
    try:
        await with_timeout(monitor.task, 1, "us")
    except AssertionError as error:
        return str(error)
    raise RuntimeError("the monitor ended by itself")


@cocotb.test(timeout_time=100, timeout_unit="us")
async def streams(dut: Any) -> None:
    """Driver, receiver and monitor agree, on AXI4-Stream and on our own names."""
    rng = random_source()
    checks = Checks("stall")
    for name, names, clock in (("s", StreamNames(), dut.clk), ("axis", AXI4_STREAM, dut.aclk)):
        ticking = Clock(clock, CLOCK_NS, "ns").start()
        monitor = StreamMonitor(dut, name, names=names)
        source = StreamDriver(dut, name, pauses(rng, "seldom"), names=names)
        for number, kind in enumerate(PAUSES):
            late = number == 1
            sink = StreamReceiver(dut, name, pauses(rng, kind), after_valid=late, names=names)
            sent = rng.integers(256, size=40).tolist()
            source.send(sent)
            await source.sent()
            checks.sequence(sent, monitor.payloads, "payload")
            monitor.transfers.clear()
            sink.task.cancel()
        checks.reach("stall", monitor.stalls)
        for task in (source.task, monitor.task, ticking):
            task.cancel()
    checks.finish()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def handshakes(dut: Any) -> None:
    """Sender, receiver and monitor agree, back to back and with random delays."""
    rng = random_source()
    checks = Checks()
    for name, names in (("port", FourPhaseNames()), ("", BARE)):
        for longest in (1, 50, 5000):
            monitor = FourPhaseMonitor(dut, name, names=names)
            sender = FourPhaseSender(dut, name, random_delays(rng, longest), names=names)
            receiver = FourPhaseReceiver(dut, name, random_delays(rng, longest), names=names)
            sent = rng.integers(256, size=40).tolist()
            sender.send(sent)
            await sender.sent()
            checks.sequence(sent, receiver.addresses, "address read")
            checks.sequence(sent, monitor.addresses, "address acknowledged")
            times = [time for time, _ in monitor.events]
            checks.equal(sorted(set(times)), times, "times")
            for task in (sender.task, receiver.task, monitor.task):
                task.cancel()
    checks.finish()


@cocotb.test(timeout_time=10, timeout_unit="us")
async def stream_violations(dut: Any) -> None:
    """The stream monitor finds each violation, and none where there is none."""
    checks = Checks()
    Clock(dut.clk, CLOCK_NS, "ns").start()
    wires = {name: getattr(dut, f"s__{name}") for name in ("payload", "valid", "ready")}
    monitor = StreamMonitor(dut, "s")
    await _play(STREAM_OK, wires, FallingEdge(dut.clk))
    checks.equal([5, 6, 6], monitor.payloads, "payload")
    checks.equal(3, monitor.stalls, "stalls")
    monitor.task.cancel()
    for expected, steps in STREAM_VIOLATIONS.items():
        monitor = StreamMonitor(dut, "s")
        found = cocotb.start_soon(_violation(monitor))
        await _play(steps, wires, FallingEdge(dut.clk))
        said = await found
        assert re.search(expected, said), said
    checks.finish()


@cocotb.test(timeout_time=10, timeout_unit="us")
async def handshake_violations(dut: Any) -> None:
    """The four-phase monitor finds each violation, and none where there is none."""
    checks = Checks()
    wires = {"req": dut.REQ, "ack": dut.ACK, "address": dut.ADDR}
    await _play([], wires)
    monitor = FourPhaseMonitor(dut, "", names=BARE)
    await _play(HANDSHAKE_OK, wires)
    checks.equal([3, 5, 5, 6], monitor.addresses, "address")
    monitor.task.cancel()
    for expected, steps in HANDSHAKE_VIOLATIONS.items():
        await _play([], wires)
        monitor = FourPhaseMonitor(dut, "", names=BARE)
        found = cocotb.start_soon(_violation(monitor))
        await _play(steps, wires)
        said = await found
        assert re.search(expected, said), said
    checks.finish()


@cocotb.test(timeout_time=10, timeout_unit="us", expect_error=AssertionError)
async def a_violation_fails_the_test(dut: Any) -> None:
    """Nobody awaits the monitor, and the test fails all the same."""
    wires = {"req": dut.REQ, "ack": dut.ACK, "address": dut.ADDR}
    await _play([], wires)
    FourPhaseMonitor(dut, "", names=BARE)
    await _play([{"ack": 1}], wires)
    await Timer(1, "us")
    raise RuntimeError("the test went on")
