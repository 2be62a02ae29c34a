"""cocotb bench of one router: every flit leaves once, through the right port, in its flow's order.

Parameters: ``flit`` (Packet); ``x``, ``y``; ``ports``.
"""

from collections import defaultdict
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from golden.router import next_port
from sim.drivers import PAUSES, Monitor, Sink, Source, pauses
from sim.testbench import Checks, parameters, random_source, start
from spikelet.description.packets import Packet

FLITS = 120


class Bench:
    """Sources, sinks and monitors on every port of the router."""

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.flit: Packet = given["flit"]
        self.x, self.y, self.ports = given["x"], given["y"], given["ports"]
        self.targets = self._targets()

    def _targets(self) -> dict[str, dict[str, list[tuple[int, int]]]]:
        """Return where flits may go, by the ports through which they enter and leave."""
        targets: dict[str, dict[str, list[tuple[int, int]]]] = {}
        widths = {field.name: field.width for field in self.flit.fields}
        for source in self.ports:
            ways = defaultdict(list)
            for x in range(1 << widths["x"]):
                for y in range(1 << widths["y"]):
                    port = next_port(self.x, self.y, x, y)
                    if port in self.ports and (port != source or port == "local"):
                        ways[port].append((x, y))
            targets[source] = dict(ways)
        return targets

    def flits(self, source: str, n: int, *, to: str | None = None, first: int = 0) -> list[int]:
        """Return random flits; field ``axon`` numbers them."""
        words = []
        for number in range(first, first + n):
            way = to or list(self.targets[source])[self.rng.integers(len(self.targets[source]))]
            places = self.targets[source][way]
            x, y = places[self.rng.integers(len(places))]
            origin = self.ports.index(source)
            words.append(int(self.flit.pack(axon=number, delay=origin, x=x, y=y)))
        return words

    def leaves_by(self, word: int) -> str:
        """Return the port by which golden lets a flit leave."""
        fields = self.flit.unpack(word)
        return next_port(self.x, self.y, int(fields["x"]), int(fields["y"]))

    async def start(self) -> Any:
        """Start clock and reset, with all inputs quiet."""
        quiet = {f"{port}_in__valid": 0 for port in self.ports}
        return await start(self.dut, **quiet, **{f"{port}_out__ready": 0 for port in self.ports})


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def traffic(dut: Any) -> None:
    """Random flits on all ports, with pauses on both sides."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks("stall", "input held up", "every port", "contention")
    edge = await bench.start()
    ins = {port: Monitor(dut, f"{port}_in") for port in bench.ports}
    outs = {port: Monitor(dut, f"{port}_out") for port in bench.ports}
    sources, total = {}, 0
    for number, port in enumerate(bench.ports):
        kind = PAUSES[rng.integers(len(PAUSES))]
        Sink(dut, f"{port}_out", pauses(rng, kind), after_valid=number % 2 == 0)
        sources[port] = Source(dut, f"{port}_in", pauses(rng, PAUSES[rng.integers(4)]))
        sent = bench.flits(port, FLITS)
        sources[port].send(sent)
        total += len(sent)
    for source in sources.values():
        await source.sent()
    await edge
    await edge
    while dut.busy.value:
        await edge
    received = {port: monitor.payloads for port, monitor in outs.items()}
    arrived = {word: at for monitor in ins.values() for at, word in monitor.transfers}
    waits = [at - arrived[word] for monitor in outs.values() for at, word in monitor.transfers]
    assert sum(map(len, received.values())) == total, (
        f"{total} flits went in, {sum(map(len, received.values()))} came out"
    )
    for origin, source in enumerate(bench.ports):
        entered = ins[source].payloads
        assert len(entered) == FLITS
        for target in bench.ports:
            expected = [word for word in entered if bench.leaves_by(word) == target]
            came = [
                word for word in received[target] if int(bench.flit.unpack(word)["delay"]) == origin
            ]
            checks.sequence(expected, came, f"flit from {source} to {target}")
    checks.reach("stall", sum(monitor.stalls for monitor in outs.values()))
    checks.reach("input held up", sum(monitor.stalls for monitor in ins.values()))
    checks.reach("every port", all(received.values()))
    checks.reach("contention", max(waits) > 1)
    checks.finish()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def timing(dut: Any) -> None:
    """One cycle through an idle router; then a flit a cycle, from every port to every other."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks()
    await bench.start()
    for port in bench.ports:
        getattr(dut, f"{port}_out__ready").value = 1
    for source in bench.ports:
        driver, entered = Source(dut, f"{source}_in"), Monitor(dut, f"{source}_in")
        for target in bench.targets[source]:
            left = Monitor(dut, f"{target}_out")
            entered.transfers.clear()
            words = bench.flits(source, 12, to=target)
            driver.send(words)
            await driver.sent()
            await ClockCycles(dut.clk, 4)
            left.task.cancel()
            began = entered.transfers[0][0]
            expected = [(began + 1 + i, word) for i, word in enumerate(words)]
            checks.sequence(expected, left.transfers, f"(cycle, flit) from {source} to {target}")
        driver.task.cancel()
        entered.task.cancel()
    checks.finish()


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def fairness(dut: Any) -> None:
    """Ports that all want the same output are served in turn, also when it stalls now and then."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks("stall")
    await bench.start()
    for target in bench.ports:
        sources = [port for port in bench.ports if target in bench.targets[port]]
        if len(sources) < 2:
            continue
        left = Monitor(dut, f"{target}_out")
        sink = Sink(dut, f"{target}_out", pauses(rng, "seldom"))
        drivers = [Source(dut, f"{port}_in") for port in sources]
        for port, driver in zip(sources, drivers, strict=True):
            driver.send(bench.flits(port, 16, to=target))
        for driver in drivers:
            await driver.sent()
        await ClockCycles(dut.clk, 40)
        checks.reach("stall", left.stalls)
        origins = [int(bench.flit.unpack(word)["delay"]) for word in left.payloads]
        assert len(origins) == 16 * len(sources), f"{target}: {len(origins)} flits came out"
        n = len(sources)
        full = origins[n : 12 * n]
        for place in range(len(full) - n + 1):
            window = full[place : place + n]
            checks.equal(len(set(window)), n, f"ports served at {target} in {window}")
        for task in (left.task, sink.task, *(driver.task for driver in drivers)):
            task.cancel()
    checks.finish()
