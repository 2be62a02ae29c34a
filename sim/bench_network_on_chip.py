"""cocotb bench of the network on chip: every copy arrives exactly once, and nothing else does.

Parameters: ``chip``.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.golden.network_on_chip import packet_links
from spikelet.sim.drivers import PAUSES, Monitor, Sink, Source, pauses
from spikelet.sim.testbench import Checks, parameters, random_source, start

FLITS = 60


class Flit:
    """What is sent, and what is to become of it.

    Parameters
    ----------
    word : int
    copies : list of int
        Cores, or :data:`HOST`, at which it arrives.
    drops : int
        Copies that are dropped.
    """

    def __init__(self, word: int, copies: list[int], drops: int) -> None:
        self.word, self.copies, self.drops = word, copies, drops


class Ends:
    """The host and the cores: names of their streams, and flits between them.

    A flit's ``axon`` is its number, its ``delay`` the end that sent it.
    """

    def __init__(self, dut: Any, chip: ChipParams, rng: np.random.Generator) -> None:
        self.dut, self.chip, self.rng = dut, chip, rng
        self.packet = flit_packet(chip)
        self.names = {HOST: "host"} | {core: f"core_{core}" for core in range(len(chip.cores))}
        self.list = list(self.names)
        self.rings = chip.topology in ("torus", "ring")

    def unicast(self, number: int, source: int, target: int) -> Flit:
        """Return a flit for one core, or the host."""
        x, y = (0, 0) if target == HOST else self.chip.position(target)
        return Flit(self._word(number, source, x, y, x, y, target == HOST), [target], 0)

    def rectangle(self, number: int, source: int, core: int, columns: int, rows: int) -> Flit:
        """Return a flit for a rectangle of positions, some of which may be without a core."""
        chip, n_cores = self.chip, len(self.chip.cores)
        x, y = chip.position(core)
        word = self._word(number, source, x, y, x + columns - 1, y + rows - 1)
        inside = [
            core + row * chip.width + column for row in range(rows) for column in range(columns)
        ]
        without = {
            router
            for router, port in packet_links(chip, source, core, columns, rows)
            if (end := self._core_behind(router, port)) is not None and end >= n_cores
        }
        return Flit(word, [core for core in inside if core < n_cores], len(without))

    def _core_behind(self, router: tuple[int, int], port: str) -> int | None:
        if self.chip.topology != "tree":
            return router[1] * self.chip.width + router[0] if port == "local" else None
        first, end = router
        middle = (first + end + 1) // 2
        low, high = {"left": (first, middle), "right": (middle, end)}.get(port, (0, 0))
        return low if high - low == 1 else None

    def anything(self, number: int, source: int) -> Flit:
        """Return a random flit; one of eight goes where nothing is."""
        chip, rng = self.chip, self.rng
        kind = rng.integers(8)
        positions = chip.width * chip.height
        if kind == 0:
            for _ in range(20):
                if bad := self._malformed(number, source):
                    return bad
        if kind < 4 and chip.multicast:
            core = int(rng.integers(positions))
            x, y = chip.position(core)
            columns = int(rng.integers(1, chip.width - x + 1))
            return self.rectangle(
                number, source, core, columns, int(rng.integers(1, chip.height - y + 1))
            )
        if kind == 4:
            return self.rectangle(number, source, int(rng.integers(positions)), 1, 1)
        target = int(rng.choice(self.list))
        if target == source == HOST and chip.topology == "tree":
            target = 0  # there is no way back to the host
        return self.unicast(number, source, target)

    def _malformed(self, number: int, source: int) -> Flit | None:
        """Return a flit beyond the last column or row, or whose rectangle is none; or None."""
        widths = {field.name: field.width for field in self.packet.fields}
        x, y, x_last, y_last = (int(self.rng.integers(1 << widths[n])) for n in ("x", "y") * 2)
        if not self.chip.multicast:
            x_last, y_last = x, y
        beyond = x_last >= self.chip.width or y_last >= self.chip.height
        inverted = x > x_last or y > y_last
        if not inverted and (not beyond or (x, y) != (x_last, y_last)):
            return None  # one of those that lie partly beyond may be dropped in several places
        return Flit(self._word(number, source, x, y, x_last, y_last), [], 1)

    def _word(
        self, number: int, source: int, x: int, y: int, x_last: int, y_last: int, host: bool = False
    ) -> int:
        fields = {"axon": number, "delay": self.list.index(source), "host": host, "x": x, "y": y}
        if self.chip.multicast:
            fields |= {"x_last": x_last, "y_last": y_last}
        return int(self.packet.pack(**fields))

    def arriving(self, word: int) -> int:
        """Return what of a flit arrives: axon and delay, in the same places."""
        return word & ((1 << sum(field.width for field in self.packet.fields[:2])) - 1)

    def sender(self, word: int) -> int:
        """Return which end has sent a flit."""
        return self.list[int(self.packet.unpack(word)["delay"])]

    def crossings(self, source: int, target: int) -> int:
        """Return the edges between chips on the way of a flit."""
        chip = self.chip
        (x, y), (to_x, to_y) = (
            (0, 0) if end == HOST else chip.position(end) for end in (source, target)
        )
        columns, rows = chip.width // chip.chip_columns, chip.height // chip.chip_rows
        return abs(x // columns - to_x // columns) + abs(y // rows - to_y // rows)


class Bench:
    """Monitors at every end, and a count of all drops."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.rng = dut, random_source()
        self.chip: ChipParams = parameters()["chip"]
        self.ends = Ends(dut, self.chip, self.rng)
        self.drops = 0

    async def start(self, *, ready: int = 0) -> None:
        """Start clock and reset, with all inputs quiet."""
        names = self.ends.names.values()
        quiet = {f"{name}_in__valid": 0 for name in names}
        self.edge = await start(
            self.dut, **quiet, **{f"{name}_out__ready": ready for name in names}
        )
        self.outs = {end: Monitor(self.dut, f"{name}_out") for end, name in self.ends.names.items()}
        self.ins = {end: Monitor(self.dut, f"{name}_in") for end, name in self.ends.names.items()}
        cocotb.start_soon(self._count_drops())

    async def _count_drops(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.drops += int(self.dut.dropped.value).bit_count()

    async def idle(self, most: int = 20000) -> None:
        """Wait until no flit is under way."""
        await ClockCycles(self.dut.clk, 2)
        for _ in range(most):
            if not int(self.dut.busy.value):
                await ClockCycles(self.dut.clk, 2)
                return
            await self.edge
        raise AssertionError(f"flits are still under way after {most} cycles")

    def compare(self, sent: dict[int, list[Flit]], checks: Checks) -> None:
        """Compare all that has arrived with all that was sent."""
        ends = self.ends
        for target, monitor in self.outs.items():
            came = defaultdict(list)
            for word in monitor.payloads:
                came[ends.sender(word)].append(word)
            for source, flits in sent.items():
                here = [flit for flit in flits if target in flit.copies]
                expected = [ends.arriving(flit.word) for flit in here]
                what = f"flit from {ends.names[source]} to {ends.names[target]}"
                if ends.rings:  # those for several may take another way than those for one
                    checks.sequence(sorted(expected), sorted(came[source]), what)
                    alone = {
                        ends.arriving(f.word) for f in here if len(f.copies) == 1 and not f.drops
                    }
                    expected = [word for word in expected if word in alone]
                    came[source] = [word for word in came[source] if word in alone]
                checks.sequence(expected, came[source], what)
        drops = sum(flit.drops for flits in sent.values() for flit in flits)
        checks.equal(drops, self.drops, "dropped flits")


async def _send_all(
    bench: Bench, sent: dict[int, list[Flit]], pause: Callable[[], str] = lambda: "never"
) -> list[Source]:
    sources = []
    for end, flits in sent.items():
        sources.append(Source(bench.dut, f"{bench.ends.names[end]}_in", pauses(bench.rng, pause())))
        sources[-1].send(flit.word for flit in flits)
    return sources


@cocotb.test(timeout_time=500, timeout_unit="us")
async def traffic(dut: Any) -> None:
    """Random flits between all ends, and to nowhere, with pauses on both sides."""
    bench = Bench(dut)
    checks = Checks("stall", "input held up")
    await bench.start()
    rng = bench.rng
    for number, name in enumerate(bench.ends.names.values()):
        kind = PAUSES[rng.integers(len(PAUSES))]
        Sink(dut, f"{name}_out", pauses(rng, kind), after_valid=number % 2 == 0)
    sent = {end: [bench.ends.anything(n, end) for n in range(FLITS)] for end in bench.ends.names}
    for source in await _send_all(bench, sent, lambda: str(rng.choice(PAUSES))):
        await source.sent()
    await bench.idle()
    bench.compare(sent, checks)
    checks.reach("stall", sum(monitor.stalls for monitor in bench.outs.values()))
    checks.reach("input held up", sum(monitor.stalls for monitor in bench.ins.values()))
    checks.finish()


@cocotb.test(timeout_time=500, timeout_unit="us")
async def full_load(dut: Any) -> None:
    """All ends send as fast as they can, and take nothing for a while, then little: it drains."""
    bench = Bench(dut)
    checks = Checks("stuck")
    await bench.start()
    ends, rng = bench.ends, bench.rng
    sent = {}
    for end in ends.names:
        others = [other for other in ends.names if other != end] or [0]
        sent[end] = [ends.unicast(n, end, int(rng.choice(others))) for n in range(2 * FLITS)]
        if bench.chip.multicast:
            sent[end][::3] = [
                ends.rectangle(n, end, 0, bench.chip.width, bench.chip.height)
                for n in range(0, 2 * FLITS, 3)
            ]
    sources = await _send_all(bench, sent)
    await ClockCycles(dut.clk, 300)
    before = sum(len(source.waiting) for source in sources)
    await ClockCycles(dut.clk, 100)
    checks.reach("stuck", before == sum(len(source.waiting) for source in sources) > 0)
    for name in ends.names.values():
        Sink(dut, f"{name}_out", pauses(rng, "often"))
    for source in sources:
        await source.sent()
    await bench.idle()
    bench.compare(sent, checks)
    checks.finish()


@cocotb.test(timeout_time=500, timeout_unit="us")
async def timing(dut: Any) -> None:
    """A lone flit takes a cycle for each router on its way, and two for each edge of a chip.

    Where links have registers, it takes one more for each router but the first.
    """
    bench = Bench(dut)
    checks = Checks()
    await bench.start(ready=1)
    ends = bench.ends
    for source, name in ends.names.items():
        driver = Source(dut, f"{name}_in")
        for target in ends.names:
            if source == target == HOST:
                continue
            for monitor in (bench.ins[source], bench.outs[target]):
                monitor.transfers.clear()
            flit = ends.unicast(1, source, target)
            driver.send([flit.word])
            await driver.sent()
            await bench.edge
            busy = 0
            while int(dut.busy.value):
                busy += 1
                await bench.edge
            crossings = ends.crossings(source, target)
            routers = len(packet_links(bench.chip, source, target))
            cycles = routers + (routers - 1) * bench.chip.registered_links + 2 * crossings
            expected = [(bench.ins[source].transfers[0][0] + cycles, ends.arriving(flit.word))]
            what = f"flit from {name} to {ends.names[target]}"
            checks.sequence(expected, bench.outs[target].transfers, what)
            checks.equal(cycles, busy, f"busy cycles of the {what}")
        driver.task.cancel()
    checks.finish()


@cocotb.test(timeout_time=500, timeout_unit="us")
async def blocked(dut: Any) -> None:
    """While one end takes nothing, nothing is lost: all comes once it takes again."""
    bench = Bench(dut)
    checks = Checks("held up")
    await bench.start(ready=1)
    ends = bench.ends
    for closed in bench.rng.permutation(ends.list)[:3].tolist():
        for monitor in bench.outs.values():
            monitor.transfers.clear()
        ready = getattr(dut, f"{ends.names[closed]}_out__ready")
        ready.value = 0
        origins = [end for end in ends.names if end != closed]
        sent = {end: [ends.unicast(n, end, closed) for n in range(40)] for end in origins}
        sources = await _send_all(bench, sent)
        await ClockCycles(dut.clk, 200)
        checks.reach("held up", all(source.waiting for source in sources))
        assert not bench.outs[closed].transfers
        assert int(dut.busy.value)
        ready.value = 1
        for source in sources:
            await source.sent()
        await bench.idle()
        bench.compare(sent, checks)
        for source in sources:
            source.task.cancel()
    checks.finish()
