"""cocotb bench of the mesh: every flit arrives once, where it should, in its flow's order.

Parameters: ``chip``.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from golden.router import route
from sim.drivers import PAUSES, Monitor, Sink, Source, pauses
from sim.testbench import Checks, parameters, random_source, start
from spikelet.description.packets import HOST_ROW, flit_packet
from spikelet.description.params import ChipParams

FLITS = 60


class Ends:
    """The ends of the mesh, by name of their streams, with their places in flit coordinates."""

    def __init__(self, chip: ChipParams) -> None:
        self.flit = flit_packet(chip)
        self.places = {"host": (0, HOST_ROW)}
        for core in range(len(chip.cores)):
            x, y = chip.position(core)
            self.places[f"core_{core}"] = (x, y + 1)
        self.names = list(self.places)

    def hops(self, source: str, target: str) -> int:
        """Return the routers that a flit passes; the host is beyond the one at (0, 1)."""
        x, y = (0, 1) if source == "host" else self.places[source]
        return len(route(x, y, *self.places[target]))

    def word(self, number: int, source: str, target: str) -> int:
        """Return a flit; its axon and delay say which it is and where it comes from."""
        x, y = self.places[target]
        return int(self.flit.pack(axon=number, delay=self.names.index(source), x=x, y=y))


async def _start(dut: Any, ends: Ends) -> Any:
    quiet = {f"{name}_in__valid": 0 for name in ends.names}
    return await start(dut, **quiet, **{f"{name}_out__ready": 0 for name in ends.names})


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def traffic(dut: Any) -> None:
    """Random flits between all ends, with pauses on both sides."""
    given, rng = parameters(), random_source()
    ends = Ends(given["chip"])
    checks = Checks("stall", "input held up", "every flow")
    edge = await _start(dut, ends)
    outs, sources, ins = {}, [], []
    sent: dict[tuple[str, str], list[int]] = {(s, t): [] for s in ends.names for t in ends.names}
    for number, name in enumerate(ends.names):
        kind = PAUSES[rng.integers(len(PAUSES))]
        Sink(dut, f"{name}_out", pauses(rng, kind), after_valid=number % 2 == 0)
        outs[name] = Monitor(dut, f"{name}_out")
        ins.append(Monitor(dut, f"{name}_in"))
        source = Source(dut, f"{name}_in", pauses(rng, PAUSES[rng.integers(len(PAUSES))]))
        targets = [t for t in ends.names if t != name or t != "host"]
        words = []
        for flit in range(FLITS):
            target = targets[rng.integers(len(targets))]
            words.append(ends.word(flit, name, target))
            sent[name, target].append(words[-1])
        source.send(words)
        sources.append(source)
    for source in sources:
        await source.sent()
    await ClockCycles(dut.clk, 2)
    while dut.busy.value:
        await edge
    for name, monitor in outs.items():
        came: dict[str, list[int]] = {source: [] for source in ends.names}
        for word in monitor.payloads:
            came[ends.names[int(ends.flit.unpack(word)["delay"])]].append(word)
        for origin in ends.names:
            checks.sequence(sent[origin, name], came[origin], f"flit from {origin} to {name}")
            checks.reach("every flow", origin == "host" or sent[origin, name])
    checks.reach("stall", sum(monitor.stalls for monitor in outs.values()))
    checks.reach("input held up", sum(monitor.stalls for monitor in ins))
    checks.equal(FLITS * len(ends.names), sum(len(m.transfers) for m in outs.values()), "flits")
    checks.finish()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def timing(dut: Any) -> None:
    """A lone flit takes a cycle for each router on its way; the mesh is busy until it is there."""
    given = parameters()
    ends = Ends(given["chip"])
    checks = Checks()
    edge = await _start(dut, ends)
    for name in ends.names:
        getattr(dut, f"{name}_out__ready").value = 1
    outs = {name: Monitor(dut, f"{name}_out") for name in ends.names}
    for source in ends.names:
        driver, entered = Source(dut, f"{source}_in"), Monitor(dut, f"{source}_in")
        for target in ends.names:
            if source == target == "host":
                continue
            entered.transfers.clear()
            outs[target].transfers.clear()
            word = ends.word(1, source, target)
            driver.send([word])
            await driver.sent()
            await edge
            busy = 0
            while dut.busy.value:
                busy += 1
                await edge
            hops = ends.hops(source, target)
            expected = [(entered.transfers[0][0] + hops, word)]
            checks.sequence(expected, outs[target].transfers, f"flit from {source} to {target}")
            checks.equal(hops, busy, f"busy cycles from {source} to {target}")
        driver.task.cancel()
        entered.task.cancel()
    checks.finish()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def blocked(dut: Any) -> None:
    """While one end takes nothing, nothing is lost: all comes once it takes again."""
    given, rng = parameters(), random_source()
    ends = Ends(given["chip"])
    checks = Checks("held up")
    edge = await _start(dut, ends)
    names = ends.names
    closed = names[int(rng.integers(len(names)))]
    for name in names:
        getattr(dut, f"{name}_out__ready").value = int(name != closed)
    outs = {name: Monitor(dut, f"{name}_out") for name in names}
    origins = [name for name in names if name != closed]
    drivers = [Source(dut, f"{name}_in") for name in origins]
    for name, driver in zip(origins, drivers, strict=True):
        driver.send(ends.word(flit, name, closed) for flit in range(20))
    await ClockCycles(dut.clk, 200)
    checks.reach("held up", all(driver.waiting for driver in drivers))
    assert not outs[closed].transfers and dut.busy.value
    getattr(dut, f"{closed}_out__ready").value = 1
    for driver in drivers:
        await driver.sent()
    await ClockCycles(dut.clk, 2)
    while dut.busy.value:
        await edge
    got = np.sort(outs[closed].payloads)
    expected = np.sort([ends.word(flit, name, closed) for name in origins for flit in range(20)])
    checks.equal(expected, got, f"flits to {closed}")
    checks.finish()
