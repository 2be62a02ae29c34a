"""cocotb bench of the axon bitmap: arrivals, delay slots, scans, clearing.

Parameters: ``core``; ``layouts`` with that of ``arrival__payload``.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden.axon_bitmap import AxonBitmap
from sim.drivers import PAUSES, Monitor, Source, StrobeCounter, pauses
from sim.testbench import Checks, Layout, pack, parameters, random_source, start
from spikelet.description.events import Events
from spikelet.description.params import CoreParams

TICKS = 24


class Arrivals:
    """Notes what arrives as (tick, axon, delay); ``tick`` is the coming one."""

    def __init__(self, layout: Layout) -> None:
        self.axon_bits = layout[0][1]
        self.tick = 0
        self.all: list[tuple[int, int, int]] = []

    def add(self, word: int) -> None:
        """Note an arrival."""
        axon, delay = word & ((1 << self.axon_bits) - 1), word >> self.axon_bits
        self.all.append((self.tick, axon, delay))


def _expected(core: CoreParams, sent: list[tuple[int, int, int]], ticks: int) -> AxonBitmap:
    """Return golden's bitmap after arrivals (tick, axon, delay) in the order of their ticks."""
    tick, axon, delay = np.array(sent, np.int64).reshape(-1, 3).T
    counts = np.bincount(tick, minlength=ticks)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    core_of = np.zeros(len(sent), np.int32)
    bitmap = AxonBitmap(core, 1, ticks)
    events = Events(1, ticks, offsets, core_of, axon.astype(np.int32), delay.astype(np.int32))
    bitmap.add_events(events, 0)
    return bitmap


async def _quiet(dut: Any, edge: RisingEdge) -> None:
    """Wait until nothing is going on and nothing arrives at this edge."""
    await edge
    while dut.busy.value or (dut.arrival__valid.value and dut.arrival__ready.value):
        await edge


async def _scan(dut: Any, edge: RisingEdge) -> tuple[list[int], int]:
    """Begin a tick; return the axons listed, and the cycles of scanning."""
    dut.start.value = 1
    await edge
    dut.start.value = 0
    axons, cycles = [], 0
    await edge
    assert dut.scanning.value, "no scan after start"
    while dut.scanning.value or dut.axon_valid.value:
        assert dut.busy.value, "scanning, but not busy"
        cycles += bool(dut.scanning.value)
        if dut.axon_valid.value:
            assert dut.scanning.value, "an axon came after the scan"
            axons.append(int(dut.axon.value))
        await edge
    return axons, cycles


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def arrivals_and_scans(dut: Any) -> None:
    """Active axons of each tick and merged spikes, with arrivals also during scans and clears."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    layout = given["layouts"]["arrival__payload"]
    checks = Checks("merge", "silent tick", "all axons", "arrival held up", "long delay")
    edge = await start(dut, start=0, clear=0)
    source = Source(dut, "arrival", pauses(rng, PAUSES[rng.integers(1, 4)]))
    merged = StrobeCounter(dut, "merged")
    for epoch in range(3):
        arrived = Arrivals(layout)
        await _quiet(dut, edge)
        dut.clear.value = 1
        await edge
        dut.clear.value = 0
        await edge
        while dut.busy.value:
            await edge
        merged.count = 0
        arrivals = Monitor(dut, "arrival", arrived.add)
        listed = []
        for tick in range(TICKS):
            n = int(rng.choice((0, 3, core.n_axons // 2, 2 * core.n_axons)))
            axons = np.sort(rng.integers(0, core.n_axons, n)) if n % 2 else rng.permutation(n)
            delays = rng.integers(0, core.delay_slots - 1, n)
            if tick % 8 == 3:
                axons, delays = rng.permutation(core.n_axons), np.zeros(core.n_axons, np.int64)
            source.send(
                pack(layout, {"axon": axon % core.n_axons, "delay": delay})
                for axon, delay in zip(axons.tolist(), delays.tolist(), strict=True)
            )
            if tick % 8 == 3 or rng.random() < 0.6:
                await source.sent()
            await _quiet(dut, edge)
            arrived.tick = tick + 1  # what comes from now on is for the tick after this one
            axons_listed, _ = await _scan(dut, edge)
            listed.append(axons_listed)
        await source.sent()
        await _quiet(dut, edge)
        arrivals.task.cancel()
        bitmap = _expected(core, [a for a in arrived.all if a[0] < TICKS], TICKS)
        for number, axons_listed in enumerate(listed):
            expected = np.flatnonzero(bitmap.active(number, number + 1)[0, 0]).tolist()
            checks.sequence(expected, axons_listed, "active axon", epoch=epoch, tick=number)
            checks.reach("silent tick", not expected)
            checks.reach("all axons", len(expected) == core.n_axons)
        whole = _expected(core, arrived.all, TICKS + 1)
        checks.equal(whole.merged()[0], merged.count, "merged spikes", epoch=epoch)
        checks.reach("merge", merged.count)
        checks.reach("arrival held up", arrivals.stalls)
        longest = core.delay_slots - 2
        checks.reach("long delay", sum(delay == longest for _, _, delay in arrived.all))
    checks.finish()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def timing(dut: Any) -> None:
    """An arrival a cycle, one more where a word is met again at once; the length of a scan."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    layout = given["layouts"]["arrival__payload"]
    edge = await start(dut, start=0, clear=1)
    await edge
    dut.clear.value = 0
    await _quiet(dut, edge)
    source, arrivals = Source(dut, "arrival"), Monitor(dut, "arrival")
    lists = 0
    for density in (0.0, 0.1, 0.5, 1.0):
        axons = rng.permutation(np.flatnonzero(rng.random(core.n_axons) < density)).tolist()
        arrivals.transfers.clear()
        source.send(pack(layout, {"axon": axon, "delay": 0}) for axon in axons)
        await source.sent()
        await _quiet(dut, edge)
        words = np.array(axons, np.int64) // core.scan_bits
        if axons:
            taken = arrivals.transfers[-1][0] - arrivals.transfers[0][0]
            again = int((words[1:] == words[:-1]).sum())
            assert taken == len(axons) - 1 + again, f"{len(axons)} arrivals took {taken + 1} cycles"
        listed, cycles = await _scan(dut, edge)
        assert listed == sorted(axons)
        lists += len(listed)
        needed = np.maximum(1, np.bincount(words, minlength=core.scan_words)).sum()
        # Two cycles to fetch the first word, and as many to list what the last ones hold.
        assert 2 <= cycles - needed <= 4, f"scan of {needed} cycles took {cycles}"
    assert lists, "nothing was listed"
