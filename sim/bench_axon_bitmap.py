"""cocotb bench of the axon bitmap: arrivals, delay slots, scans that wait, clearing, configuration.

Parameters: ``core``; ``flit``, its packet; ``config_latency``.
"""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import scan_rows
from spikelet.description.chip.packets import COUNT, Packet
from spikelet.description.lanes import pack_lanes
from spikelet.description.run.events import Events
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.sim.drivers import PAUSES, Monitor, Source, StrobeCounter, never, pauses
from spikelet.sim.testbench import (
    Checks,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

TICKS = 24

IDLE = {"start": 0, "clear": 0, "slot": 0, "ready": 1, "config__write": 0, "config__read": 0}


class Arrivals:
    """Notes what arrives as (tick, axon, delay, count); ``tick`` is the coming one.

    What the core has no axon or delay for is only counted, in ``misfits``.
    """

    def __init__(self, core: CoreParams, flit: Packet) -> None:
        self.core, self.flit = core, flit
        self.tick = self.misfits = 0
        self.all: list[tuple[int, int, int, int]] = []

    def add(self, word: int) -> None:
        """Note an arrival."""
        fields = self.flit.unpack(word)
        axon, delay = int(fields["axon"]), int(fields["delay"])
        if axon < self.core.n_axons and delay < self.core.delay_slots - 1:
            self.all.append((self.tick, axon, delay, int(fields.get(COUNT, 1))))
        else:
            self.misfits += 1


def _expected(core: CoreParams, sent: list[tuple[int, int, int, int]], ticks: int) -> AxonBitmap:
    """Return golden's bitmap after arrivals as :class:`Arrivals` has them."""
    tick, axon, delay, count = np.array(sent, np.int32).reshape(-1, 4).T
    counts = np.bincount(tick, minlength=ticks)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    core_of = np.zeros(len(sent), np.int32)
    bitmap = AxonBitmap(core, 1, ticks, True)
    events = Events(1, ticks, offsets, core_of, axon, delay, count)
    bitmap.add_events(events, 0)
    return bitmap


def _flits(
    flit: Packet, axons: npt.ArrayLike, delays: npt.ArrayLike, counts: npt.ArrayLike = 1
) -> list[int]:
    """Return arrivals; what a flit says of its way does not matter here."""
    fields = {"axon": axons, "delay": delays, COUNT: counts}
    known = {field.name: fields.get(field.name, 0) for field in flit.fields}
    words: list[int] = flit.pack(**known).tolist()
    return words


async def _quiet(dut: Any, edge: RisingEdge) -> None:
    """Wait until nothing is going on and nothing arrives at this edge."""
    await edge
    while dut.busy.value or (dut.arrival__valid.value and dut.arrival__ready.value):
        await edge


async def _clear(dut: Any, edge: RisingEdge) -> None:
    """Empty all slots; the coming tick is 0."""
    await _quiet(dut, edge)
    dut.slot.value = 0
    dut.clear.value = 1
    await edge
    dut.clear.value = 0
    await edge
    while dut.busy.value:
        await edge


class Scan:
    """One tick's scan.

    Attributes
    ----------
    axons : list of int
        Listed, in order.
    words : list of (int, int)
        Fetched words of the tick's slot: number and contents.
    cycles, waited : int
        Cycles of scanning with ``ready``, and without.
    """

    def __init__(self) -> None:
        self.axons: list[int] = []
        self.words: list[tuple[int, int]] = []
        self.cycles = 0
        self.waited = 0

    async def run(
        self, dut: Any, edge: RisingEdge, core: CoreParams, tick: int, pause: Iterator[bool]
    ) -> None:
        """Begin tick number ``tick``; ``pause`` says, cycle by cycle, whether ``ready`` is low."""
        dut.slot.value = tick % core.delay_slots
        dut.start.value = 1
        await edge
        dut.start.value = 0
        dut.slot.value = (tick + 1) % core.delay_slots
        dut.ready.value = int(not next(pause))
        await edge
        assert dut.scanning.value, "no scan after start"
        while dut.scanning.value or dut.axon_valid.value:
            assert dut.busy.value, "scanning, but not busy"
            ready = bool(dut.ready.value)
            self.cycles += ready
            self.waited += not ready
            if dut.axon_valid.value and ready:
                assert dut.scanning.value, "an axon came after the scan"
                self.axons.append(int(dut.axon.value))
            if dut.word_valid.value:
                self.words.append((_number(dut), int(dut.word_data.value)))
            dut.ready.value = int(not next(pause))
            await edge
        dut.ready.value = 1


def _number(dut: Any) -> int:
    """Return the number of the word that is shown; a bitmap of one word has no port for it."""
    return int(dut.word.value) if hasattr(dut, "word") else 0


def _counts(rng: np.random.Generator, flit: Packet, size: int) -> npt.NDArray[np.integer]:
    """Return counts of spikes, half of them 1, as far as a flit has such."""
    bits = {field.name: field.width for field in flit.fields}.get(COUNT, 1)
    found: npt.NDArray[np.integer] = rng.integers(1, 1 << rng.choice((1, bits), size))
    return found


def _words(core: CoreParams, active: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return the words, with their numbers, of a slot."""
    _, data = pack_lanes(scan_rows(core, active), core.spike_bits)
    return list(enumerate(data.tolist()))


def _cycles(core: CoreParams, axons: list[int]) -> int:
    """Return the cycles that listing takes: one for each axon, and for each empty word.

    Counts take another, as a word of them goes through registers.
    """
    words = np.array(axons, np.int64) // core.scan_bits
    listed = int(np.maximum(1, np.bincount(words, minlength=core.scan_words)).sum())
    return listed + (core.spike_bits > 1)


def _taken(core: CoreParams, forwards: bool, axons: list[int]) -> list[int]:
    """Return when arrivals that follow each other at once are taken, from that of the first on.

    A word is met again when it has been written, unless the bitmap forwards: after a cycle, or two
    where counts are added.
    """
    if forwards:
        return list(range(len(axons)))
    written: dict[int, int] = {}
    taken: list[int] = []
    for axon in axons:
        word = axon // core.scan_bits
        taken.append(max(taken[-1] + 1 if taken else 0, written.get(word, 0)))
        written[word] = taken[-1] + (3 if core.spike_bits > 1 else 2)
    return taken


def _check_scan(
    checks: Checks, core: CoreParams, scan: Scan, active: npt.NDArray[Any], **where: int
) -> None:
    """Compare a scan with S of its tick."""
    expected = np.repeat(np.arange(core.n_axons), active).tolist()
    checks.sequence(expected, scan.axons, "active axon", **where)
    checks.sequence(_words(core, active), scan.words, "word", **where)
    # Two cycles to fetch the first word, and as many to list what the last ones hold.
    beyond = scan.cycles - _cycles(core, expected)
    assert 2 <= beyond <= 4, f"{where}: a scan took {beyond} cycles too many"
    checks.reach("scan held", scan.waited)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def arrivals_and_scans(dut: Any) -> None:
    """Active axons of each tick and merged spikes, with arrivals also during scans and clears."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    flit: Packet = given["flit"]
    axon_end, delay_end = (1 << field.width for field in flit.fields[:2])
    corners = ["merge", "silent tick", "all axons", "arrival held up", "long delay", "scan held"]
    checks = Checks(*corners, "dropped")
    edge = await start(dut, **IDLE)
    source = Source(dut, "arrival", pauses(rng, PAUSES[rng.integers(1, 4)]))
    merged, dropped = StrobeCounter(dut, "merged"), StrobeCounter(dut, "dropped")
    for epoch in range(3):
        arrived = Arrivals(core, flit)
        await _clear(dut, edge)
        merged.count = dropped.count = 0
        arrivals = Monitor(dut, "arrival", arrived.add)
        scans = []
        for tick in range(TICKS):
            n = int(rng.choice((0, 3, core.n_axons // 2, 2 * core.n_axons))) if tick else 0
            axons = np.sort(rng.integers(0, core.n_axons, n))
            if not n % 2:
                axons = rng.permutation(n) % core.n_axons
            delays = rng.integers(0, core.delay_slots - 1, n)
            if tick % 8 == 3:
                axons, delays = rng.permutation(core.n_axons), np.zeros(core.n_axons, np.int64)
            if tick % 8 != 3 and rng.random() < 0.5:  # also what the core may have no place for
                axons, delays = rng.integers(0, axon_end, n), rng.integers(0, delay_end, n)
                axons = np.where(rng.random(n) < 0.5, axons, axons % core.n_axons)
            source.send(_flits(flit, axons, delays, _counts(rng, flit, len(axons))))
            if tick % 8 == 3 or rng.random() < 0.6:
                await source.sent()
            await _quiet(dut, edge)
            arrived.tick = tick + 1  # what comes from now on is for the tick after this one
            scans.append(Scan())
            pause = pauses(rng, PAUSES[rng.integers(len(PAUSES))])
            await scans[-1].run(dut, edge, core, tick, pause)
        await source.sent()
        await _quiet(dut, edge)
        arrivals.task.cancel()
        bitmap = _expected(core, [a for a in arrived.all if a[0] < TICKS], TICKS)
        for number, scan in enumerate(scans):
            active = bitmap.active(number, number + 1)[0, 0]
            _check_scan(checks, core, scan, active, epoch=epoch, tick=number)
            checks.reach("silent tick", not active.any())
            checks.reach("all axons", active.all())
        whole = _expected(core, arrived.all, TICKS + 1)
        checks.equal(whole.merged()[0], merged.count, "merged spikes", epoch=epoch)
        checks.equal(arrived.misfits, dropped.count, "dropped arrivals", epoch=epoch)
        checks.reach("merge", merged.count)
        checks.reach("dropped", dropped.count)
        checks.reach("arrival held up", arrivals.stalls)
        longest = core.delay_slots - 2
        checks.reach("long delay", sum(delay == longest for _, _, delay, _ in arrived.all))
    checks.finish()


def _slots_words(core: CoreParams, due: npt.NDArray[Any], tick: int) -> list[tuple[int, int]]:
    """Return (offset, data) of what is due from tick number ``tick`` on, (delay_slots, n_axons)."""
    stride = 1 << (core.scan_words - 1).bit_length()
    return [
        ((tick + later) % core.delay_slots * stride + number, data)
        for later, active in enumerate(due)
        for number, data in _words(core, active)
    ]


@cocotb.test(timeout_time=500, timeout_unit="us")
async def configuration(dut: Any) -> None:
    """Arrivals that are written are scanned, and merge; what is still due is read."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    flit: Packet = given["flit"]
    reads = {"latency": given["config_latency"]}
    checks = Checks("merge", "scan held", "due later")
    edge = await start(dut, **IDLE)
    source, merged = Source(dut, "arrival"), StrobeCounter(dut, "merged")
    for epoch in range(4):
        await _clear(dut, edge)
        merged.count = 0
        first = int(rng.integers(0, 3 * core.delay_slots))
        ticks = int(rng.integers(1, core.delay_slots + 2))
        due = rng.random((core.delay_slots, core.n_axons)) < rng.choice((0.05, 0.5))
        due[-1] = False  # nothing can be due so late
        if core.spike_bits > 1:
            due = (due * rng.integers(1, 1 << core.spike_bits, due.shape)).astype(np.uint8)
        dut.slot.value = first % core.delay_slots
        await write_region(dut, "config", _slots_words(core, due, first))
        bitmap = AxonBitmap(core, 1, ticks, True)
        bitmap.carry(due)
        for tick in range(ticks):
            axons = rng.integers(0, core.n_axons, 0 if tick == 1 else 6)
            delays = rng.integers(0, core.delay_slots - 1, len(axons))
            counts = _counts(rng, flit, len(axons)).astype(np.uint32)
            np.add.at(bitmap.arrivals[0], (tick + delays, axons), counts)
            source.send(_flits(flit, axons, delays, counts))
            await source.sent()
            await _quiet(dut, edge)
            scan = Scan()
            await scan.run(dut, edge, core, first + tick, pauses(rng, "often"))
            active = bitmap.active(tick, tick + 1)[0, 0]
            _check_scan(checks, core, scan, active, epoch=epoch, tick=tick)
            await _quiet(dut, edge)
        left = bitmap.remaining()
        words = _slots_words(core, left, first + ticks)
        order = rng.permutation(len(words)).tolist()
        read = await read_region(dut, "config", [words[i][0] for i in order], **reads)
        checks.sequence([words[i][1] for i in order], read, "word read", epoch=epoch)
        checks.equal(bitmap.merged()[0], merged.count, "merged spikes", epoch=epoch)
        checks.reach("merge", merged.count)
        checks.reach("due later", left.any() or core.delay_slots == 2)
    words = _slots_words(core, np.ones((core.delay_slots, core.n_axons), np.bool_), 0)
    await write_region(dut, "config", words)
    await _clear(dut, edge)
    read = await read_region(dut, "config", [offset for offset, _ in words], **reads)
    checks.sequence([0] * len(words), read, "word cleared")
    checks.finish()


@cocotb.test(timeout_time=20, timeout_unit="us")
async def timing(dut: Any) -> None:
    """An arrival a cycle, later where a word is met again too soon; scans, and a drop."""
    given, rng = parameters(), random_source()
    core: CoreParams = given["core"]
    flit: Packet = given["flit"]
    edge = await start(dut, **IDLE)
    await _clear(dut, edge)
    source, arrivals = Source(dut, "arrival"), Monitor(dut, "arrival")
    lists = 0
    for tick, density in enumerate((0.0, 0.1, 0.5, 1.0)):
        axons = rng.permutation(np.flatnonzero(rng.random(core.n_axons) < density)).tolist()
        arrivals.transfers.clear()
        source.send(_flits(flit, np.array(axons, np.int64), 0))
        await source.sent()
        await _quiet(dut, edge)
        taken = [at - arrivals.transfers[0][0] for at, _ in arrivals.transfers]
        assert taken == _taken(core, given["forwards"], axons), (
            f"arrivals at {axons} were taken at {taken}"
        )
        scan = Scan()
        await scan.run(dut, edge, core, tick, never())
        assert scan.axons == sorted(axons)
        lists += len(scan.axons)
        beyond = scan.cycles - _cycles(core, axons)
        assert 2 <= beyond <= 4, f"a scan of {len(axons)} axons took {beyond} cycles too many"
    assert lists, "nothing was listed"
    source.send(_flits(flit, [0], 0))
    await source.sent()
    for cycle in range(2 if core.spike_bits > 1 else 1):
        await edge
        assert dut.busy.value, f"not busy {cycle + 1} cycles after an arrival, which is not written"
    await edge
    assert not dut.busy.value, "busy after an arrival has been written"
    source.send(_flits(flit, [0], core.delay_slots - 1))
    await source.sent()
    await edge
    assert dut.dropped.value and dut.busy.value, "an arrival of too long a delay was not dropped"
    await edge
    assert not dut.dropped.value and not dut.busy.value, "dropping took more than a cycle"
