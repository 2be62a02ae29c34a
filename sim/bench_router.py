"""cocotb bench of one router: every flit leaves exactly once by each port that golden names.

Parameters: ``flit`` (Packet); ``carried``, by port, of what comes in and what goes out (Packets);
``place``, (x, y) of a grid, (first, end) of a tree; ``size``, columns and rows, or leaves and 1;
``topology``; ``ports``; ``depth``.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge

from spikelet.description.chip.packets import Packet
from spikelet.golden.routing import Target, grid_ports, tree_ports
from spikelet.sim.drivers import PAUSES, Monitor, Sink, Source, StrobeCounter, cycle, pauses
from spikelet.sim.testbench import Checks, parameters, random_source, start

FLITS = 150
STEPS = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}
OPPOSITE = {"north": "south", "east": "west", "south": "north", "west": "east"}


class Paths:
    """Which flits can come in at the ports of the router, and where golden lets them leave."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.flit: Packet = given["flit"]
        self.place, self.size = given["place"], given["size"]
        self.topology, self.ports = given["topology"], given["ports"]
        self.rings = self.topology in ("torus", "ring")
        self.tree = self.topology == "tree"
        self.in_ring = {port for port in self.ports if self.rings and port in STEPS}
        widths = {field.name: field.width for field in self.flit.fields}
        places = [range(1 << widths[name]) for name in ("x", "y")]
        multicast = "x_last" in widths
        spans = product(*(product(p, p) if multicast else zip(p, p, strict=True) for p in places))
        self.targets = [
            Target(x, y, x_last, y_last, host)
            for (x, x_last), (y, y_last) in spans
            for host in (False, True)
        ]
        arriving = self._tree_arrivals if self.tree else self._grid_arrivals
        self.arrivals: dict[str, list[Target]] = {port: [] for port in self.ports}
        for port, target in dict.fromkeys(arriving()):
            if port in self.arrivals:
                self.arrivals[port].append(target)

    def is_end(self, port: str) -> bool:
        """Return whether a core or the host is behind a port."""
        first, end = self.place
        if not self.tree:
            return port in ("local", "host")
        if port == "up":
            return bool(end - first == self.size[0])
        middle = (first + end + 1) // 2
        return bool((middle - first if port == "left" else end - middle) == 1)

    def malformed(self, port: str, target: Target) -> bool:
        """Return whether a target is none, so that its flit goes no further than it came in."""
        if self.tree:
            beyond = target.x > target.x_last or target.x_last >= self.size[0]
            return beyond or (port == "up" and target.host)
        return (
            target.x > target.x_last
            or target.y > target.y_last
            or (self.rings and (target.x_last >= self.size[0] or target.y_last >= self.size[1]))
            or (target.host and target.x_last + target.y_last > 0)
        )

    def leaves_by(self, source: str, target: Target) -> tuple[str, ...]:
        """Return the ports by which golden lets a flit leave that came in at ``source``."""
        if self.is_end(source) and self.malformed(source, target):
            return ("nowhere",)
        return tuple(self._golden(self.place, source, target))

    def ways(self, source: str) -> dict[tuple[str, ...], list[Target]]:
        """Return what can come in at ``source``, by the ports by which golden lets it leave."""
        found = defaultdict(list)
        for target in self.arrivals[source]:
            found[self.leaves_by(source, target)].append(target)
        return dict(found)

    def _golden(self, place: tuple[int, int], source: str, target: Target) -> list[str]:
        if self.tree:
            return tree_ports(*place, source, target)
        return grid_ports(place, source, target, self.size if self.rings else None)

    def _grid_arrivals(self) -> Iterator[tuple[str, Target]]:
        """Yield each port and target with which a flit sent somewhere comes in here."""
        width, height = self.size
        for target in self.targets:
            for port in ("local", "host"):
                yield port, target
            if self.malformed("local", target):
                continue
            under_way = [(place, "local") for place in product(range(width), range(height))]
            while under_way:
                (x, y), came_from = under_way.pop()
                if (x, y) == self.place and came_from != "local":
                    yield came_from, target
                for port in self._golden((x, y), came_from, target):
                    if port in STEPS:
                        to_x, to_y = x + STEPS[port][0], y + STEPS[port][1]
                        if self.rings:
                            to_x, to_y = to_x % width, to_y % height
                        if to_x in range(width) and to_y in range(height):
                            under_way.append(((to_x, to_y), OPPOSITE[port]))

    def _tree_arrivals(self) -> Iterator[tuple[str, Target]]:
        first, end = self.place
        middle = (first + end + 1) // 2
        for target in self.targets:
            for port in ("left", "right", "up"):
                if self.is_end(port):
                    yield port, target
                elif self.malformed("left", target):
                    continue
                elif port == "up":
                    if not target.host and target.x < end and target.x_last >= first:
                        yield port, target
                else:
                    low, high = (first, middle) if port == "left" else (middle, end)
                    if target.host or target.x < low or target.x_last >= high:
                        yield port, target


class QueueSink:
    """A queue of two flits behind a port in a ring, which sometimes passes one on.

    Attributes
    ----------
    room_at : dict of bool
        For each cycle in which a flit came, whether there was room for two.
    """

    def __init__(self, dut: Any, port: str, rng: np.random.Generator, rate: float) -> None:
        self.dut, self.rng, self.rate = dut, rng, rate
        self.valid, self.ready = getattr(dut, f"{port}_out__valid"), f"{port}_out__ready"
        self.room = f"{port}_out_room"
        self.room_at: dict[int, bool] = {}
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        edge = RisingEdge(self.dut.clk)
        held, ready, room = 0, False, False
        while True:
            await edge
            if ready and self.valid.value:
                self.room_at[cycle()] = room
                held += 1
            held -= bool(held and self.rng.random() < self.rate)
            ready, room = held < 2, held == 0
            getattr(self.dut, self.ready).value = int(ready)
            getattr(self.dut, self.room).value = int(room)


class Bench:
    """Flits for every port of the router; ``axon`` numbers them, ``delay`` is where they enter."""

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut, self.rng = dut, rng
        self.paths = Paths(given)
        self.ports: tuple[str, ...] = self.paths.ports
        self.carried: dict[str, tuple[Packet, Packet]] = given["carried"]
        self.sent: dict[tuple[int, int], Target] = {}

    def flit(self, source: str, number: int, target: Target) -> int:
        """Return a flit as it enters at ``source``."""
        origin = self.ports.index(source)
        self.sent[origin, number] = target
        return self._pack(self.carried[source][0], origin, number, target)

    def leaving(self, port: str, origin: int, number: int) -> int:
        """Return a flit as it leaves by ``port``."""
        return self._pack(self.carried[port][1], origin, number, self.sent[origin, number])

    def _pack(self, packet: Packet, origin: int, number: int, target: Target) -> int:
        values = {**vars(target), "axon": number, "delay": origin}
        names = {field.name for field in packet.fields}
        return int(packet.pack(**{name: values[name] for name in names}))

    def identity(self, port: str, word: int) -> tuple[int, int]:
        """Return where a flit that left by ``port`` came in, and its number."""
        fields = self.carried[port][1].unpack(word)
        return int(fields["delay"]), int(fields["axon"])

    def unicasts(self, source: str) -> dict[str, list[Target]]:
        """Return the targets of which a flit leaves by one port only, by that port."""
        ways = self.paths.ways(source)
        return {way[0]: ways[way] for way in ways if len(way) == 1 and way[0] in self.ports}

    def pick(self, targets: list[Target]) -> Target:
        """Return one of some targets."""
        return targets[self.rng.integers(len(targets))]

    async def start(self, *, ready: int = 0) -> Any:
        """Start clock and reset, with all inputs quiet."""
        inputs = {f"{port}_in__valid": 0 for port in self.ports}
        for port in self.ports:
            inputs |= {f"{port}_out__ready": ready, f"{port}_out_room": ready}
        return await start(self.dut, **inputs)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def traffic(dut: Any) -> None:
    """Random flits on all ports, malformed ones too, with pauses on both sides."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    found = {way for port in bench.ports for way in bench.paths.ways(port)}
    corners = ["fork"] if any(len(way) > 1 for way in found) else []
    corners += ["drop"] if any(set(way) - set(bench.ports) for way in found) else []
    corners += ["last place"] if bench.paths.in_ring else []
    checks = Checks("stall", "input held up", "every port", *corners)
    edge = await bench.start()
    dropped = StrobeCounter(dut, "dropped")
    ins = {port: Monitor(dut, f"{port}_in") for port in bench.ports}
    outs = {port: Monitor(dut, f"{port}_out") for port in bench.ports}
    sources, queues = [], {}
    rates = rng.permutation([0.2, 0.4, 0.6, 1.0]).tolist()
    for number, port in enumerate(bench.ports):
        if port in bench.paths.in_ring:
            queues[port] = QueueSink(dut, port, rng, rates.pop())
        else:
            kind = PAUSES[rng.integers(len(PAUSES))]
            Sink(dut, f"{port}_out", pauses(rng, kind), after_valid=number % 2 == 0)
        source = Source(dut, f"{port}_in", pauses(rng, PAUSES[rng.integers(4)]))
        ways = list(bench.paths.ways(port).values())
        picked = [bench.pick(ways[rng.integers(len(ways))]) for _ in range(FLITS)]
        source.send(bench.flit(port, flit, target) for flit, target in enumerate(picked))
        sources.append(source)
    for source in sources:
        await source.sent()
    await ClockCycles(dut.clk, 2)
    while dut.busy.value:
        await edge
    drops = 0
    for origin, entry in enumerate(bench.ports):
        entered = ins[entry].transfers
        checks.equal(FLITS, len(entered), f"flits taken at {entry}")
        taken = [bench.paths.leaves_by(entry, bench.sent[origin, n]) for n in range(FLITS)]
        drops += sum(bool(set(way) - set(bench.ports)) for way in taken)
        if "fork" in corners:
            checks.reach("fork", any(len(way) > 1 for way in taken))
        for port in bench.ports:
            expected = [bench.leaving(port, origin, n) for n in range(FLITS) if port in taken[n]]
            came = [word for word in outs[port].payloads if bench.identity(port, word)[0] == origin]
            checks.sequence(expected, came, f"flit from {entry} to {port}")
    checks.equal(drops, dropped.count, "dropped flits")
    _check_rings(bench, outs, queues, checks)
    if "drop" in corners:
        checks.reach("drop", drops)
    checks.reach("stall", sum(monitor.stalls for monitor in outs.values()))
    checks.reach("input held up", sum(monitor.stalls for monitor in ins.values()))
    checks.reach("every port", all(monitor.transfers for monitor in outs.values()))
    checks.finish()


def _check_rings(
    bench: Bench, outs: dict[str, Monitor], queues: dict[str, QueueSink], checks: Checks
) -> None:
    """Check that flits enter a ring only where there is room; what is in it takes any place."""
    for port, queue in queues.items():
        for at, word in outs[port].transfers:
            origin, _ = bench.identity(port, word)
            if bench.ports[origin] == OPPOSITE[port]:
                checks.reach("last place", not queue.room_at[at])
            else:
                assert queue.room_at[at], f"cycle {at}: a flit entered a ring without room"
            checks.compared += 1


@cocotb.test(timeout_time=200, timeout_unit="us")
async def timing(dut: Any) -> None:
    """One cycle through an idle router; then a flit a cycle, from every port to every other."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks("several at once")
    await bench.start(ready=1)
    drivers = {port: Source(dut, f"{port}_in") for port in bench.ports}
    entered = {port: Monitor(dut, f"{port}_in") for port in bench.ports}
    left = {port: Monitor(dut, f"{port}_out") for port in bench.ports}

    async def pass_through(ways: dict[str, str]) -> None:
        for monitor in (*entered.values(), *left.values()):
            monitor.transfers.clear()
        for source, port in ways.items():
            targets = bench.unicasts(source)[port]
            drivers[source].send(bench.flit(source, n, bench.pick(targets)) for n in range(12))
        for driver in drivers.values():
            await driver.sent()
        await ClockCycles(dut.clk, 4)
        for source, port in ways.items():
            origin, began = bench.ports.index(source), entered[source].transfers[0][0]
            expected = [(began + 1 + n, bench.leaving(port, origin, n)) for n in range(12)]
            checks.sequence(
                expected, left[port].transfers, f"(cycle, flit) from {source} to {port}"
            )

    for source in bench.ports:
        for port in bench.unicasts(source):
            await pass_through({source: port})
    for _ in range(6):  # as many ports at once as do not want the same
        ways: dict[str, str] = {}
        for source in rng.permutation(bench.ports).tolist():
            free = [port for port in bench.unicasts(source) if port not in ways.values()]
            if free:
                ways[source] = free[rng.integers(len(free))]
        checks.reach("several at once", len(ways) > 1)
        await pass_through(ways)
    checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def copies(dut: Any) -> None:
    """A flit that forks gets each port that is free at once, while another is not."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks()
    await bench.start(ready=1)
    left = {port: Monitor(dut, f"{port}_out") for port in bench.ports}
    for source in bench.ports:
        driver, entered = Source(dut, f"{source}_in"), Monitor(dut, f"{source}_in")
        forks = {}
        for way, targets in bench.paths.ways(source).items():
            ports = tuple(port for port in way if port in bench.ports)
            if len(ports) > 1:
                forks[ports] = targets[0]
        for ports, target in forks.items():
            for closed in ports:
                getattr(dut, f"{closed}_out__ready").value = 0
                for monitor in (entered, *left.values()):
                    monitor.transfers.clear()
                driver.send([bench.flit(source, 1, target)])
                await driver.sent()
                await ClockCycles(dut.clk, 5)
                taken = entered.transfers[0][0]
                for port in ports:
                    expected = [] if port == closed else [taken + 1]
                    times = [at for at, _ in left[port].transfers]
                    checks.sequence(expected, times, f"cycle of the copy from {source} to {port}")
                assert dut.busy.value, f"{source} to {ports}: the flit left before its last copy"
                getattr(dut, f"{closed}_out__ready").value = 1
                await ClockCycles(dut.clk, 4)
                times = [len(left[port].transfers) for port in ports]
                checks.equal(np.ones(len(ports)), times, f"copies from {source}")
                assert not dut.busy.value
        driver.task.cancel()
        entered.task.cancel()
    if "x_last" in {field.name for field in bench.paths.flit.fields}:
        checks.finish()


@cocotb.test(timeout_time=200, timeout_unit="us")
async def fairness(dut: Any) -> None:
    """Ports that all want the same output are served in turn, also when it stalls now and then."""
    given, rng = parameters(), random_source()
    bench = Bench(dut, given, rng)
    checks = Checks("stall")
    await bench.start(ready=1)
    for port in bench.ports:
        sources = [source for source in bench.ports if port in bench.unicasts(source)]
        n = len(sources)
        if n < 2:
            continue
        left = Monitor(dut, f"{port}_out")
        sink = Sink(dut, f"{port}_out", pauses(rng, "seldom"))
        drivers = [Source(dut, f"{source}_in") for source in sources]
        for source, driver in zip(sources, drivers, strict=True):
            targets = bench.unicasts(source)[port]
            driver.send(bench.flit(source, number, bench.pick(targets)) for number in range(16))
        for driver in drivers:
            await driver.sent()
        await ClockCycles(dut.clk, 60)
        checks.reach("stall", left.stalls)
        origins = [bench.identity(port, word)[0] for word in left.payloads]
        checks.equal(16 * n, len(origins), f"flits to {port}")
        full = origins[n : 12 * n]
        for place in range(len(full) - n + 1):
            window = full[place : place + n]
            checks.equal(n, len(set(window)), f"ports served at {port} in {window}")
        for task in (left.task, sink.task, *(driver.task for driver in drivers)):
            task.cancel()
        await ClockCycles(dut.clk, 1)
        getattr(dut, f"{port}_out__ready").value = 1
    checks.finish()
