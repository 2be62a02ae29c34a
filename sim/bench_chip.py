"""cocotb bench of a whole chip against golden: spikes, states, outputs and counters each tick.

Parameters: ``chip``; ``image``; ``events``; ``layouts``; ``node_latency``;
``chain_length``, windows on the way of a configuration request behind the chip's own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    IDENTIFICATION,
    ChipMap,
)
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.golden.chip import run
from spikelet.sim.chip_ports import ConfigPort, Reader, strobe
from spikelet.sim.drivers import PAUSES, Monitor, Sink, Source, cycle, pauses
from spikelet.sim.testbench import Checks, pack, parameters, random_source, start


def _indices(names: Iterable[str]) -> list[int]:
    return [CHIP_REGISTERS.index(name) for name in names]


@cocotb.test(timeout_time=20, timeout_unit="us")
async def registers(dut: Any) -> None:
    """Identification and structure; nothing where there is nothing."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    await start(dut, start=0, clear=0, event_in__valid=0, event_out__ready=0)
    port = ConfigPort(dut, given, rng)
    words = await port.read(np.arange(2, dtype=np.uint32))
    assert words.tolist() == [IDENTIFICATION, int(chip.digest[:8], 16)]
    chip_map = ChipMap(chip)
    beyond = 1 << chip_map.address_bits
    holes = [len(CHIP_REGISTERS), chip_map.window - 1, beyond, beyond + 1, (1 << 32) - 1]
    holes = [hole for hole in holes if hole >= len(CHIP_REGISTERS)]
    windows = chip_map.window * (1 + len(chip.cores))
    outside = [hole for hole in holes if hole >= beyond or hole < chip_map.window]
    outside += [windows] if windows < beyond else []
    assert outside
    assert not (await port.read(np.array(outside, np.uint32))).any()
    values = dict.fromkeys(CHIP_REGISTERS, 0)
    writable = {"period": 0xFEDCBA98} if chip.tick_timer else {}
    await port.write(np.array([(i, 0xFEDCBA98) for i in _indices(set(values) - {"run_ticks"})]))
    words = await port.read(np.array(_indices(CHIP_REGISTERS), np.uint32))
    values |= {"identification": IDENTIFICATION, "structure": int(chip.digest[:8], 16)} | writable
    assert dict(zip(CHIP_REGISTERS, words.tolist(), strict=True)) == values


@cocotb.test(timeout_time=20, timeout_unit="us")
async def settling(dut: Any) -> None:
    """A tick begins only when a request that came along with its start has left the chain."""
    given, rng = parameters(), random_source()
    edge = await start(dut, start=0, clear=0, event_in__valid=0, event_out__ready=1)
    port = ConfigPort(dut, given, rng)
    cycles = np.array([CHIP_REGISTERS.index("cycles")], np.uint32)
    await strobe(dut, edge, "clear")
    before = []
    for accompanied in (False, True):
        await ClockCycles(dut.clk, 40)
        if accompanied:
            port.source.send([pack(port.layout, {"address": 0, "data": 0, "write": 0})])
            await edge  # the request is offered from here on, and so is the start
        busy_cycles = await strobe(dut, edge, "start")
        before.append(busy_cycles - int((await port.read(cycles))[-1]))
    waited = before[1] - before[0]
    assert waited >= port.latency, f"waited {waited} cycles; the chain takes {port.latency}"


@cocotb.test(timeout_time=200, timeout_unit="us")
async def network(dut: Any) -> None:
    """All samples, with pauses in the host's events and backpressure on its spikes."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    image: ChipImage = given["image"]
    events: Events = given["events"]
    reader = Reader(chip, run(chip, image, events))
    checks = Checks("spike", "output", "merge", "stall", "event held back", "silent tick")
    edge = await start(dut, start=0, clear=0, event_in__valid=0, event_out__ready=0)
    port = ConfigPort(dut, given, rng)
    await port.write(image.program(chip))
    flits = events.flits(chip).tolist()

    def between_ticks(word: int) -> None:
        assert not dut.busy.value, f"event {word:#x} was taken during a tick"

    source = Source(dut, "event_in", pauses(rng, "seldom"))
    taken = Monitor(dut, "event_in", between_ticks)
    out = Monitor(dut, "event_out")
    for sample in range(events.samples):
        sink = Sink(dut, "event_out", pauses(rng, PAUSES[sample % 3]), after_valid=sample % 2 == 0)
        await strobe(dut, edge, "clear")
        for tick in range(events.ticks):
            first, last = events.offsets[sample * events.ticks + tick :][:2]
            early = bool(tick % 2)  # then this tick's events were offered during the last one
            if not early:
                source.send(flits[first:last])
            await source.sent()
            if early and tick % 4 == 1:
                await ClockCycles(dut.clk, 40)
            out.transfers.clear()
            running = cocotb.start_soon(strobe(dut, edge, "start"))
            if tick + 1 < events.ticks and not early:
                await edge
                await edge
                following = events.offsets[sample * events.ticks + tick + 1 :][:2]
                source.send(flits[following[0] : following[1]])
            busy_cycles = await running
            where = {"sample": sample, "tick": tick}
            put_out = out.payloads  # the barrier: all that this tick sends has arrived
            words = await port.read(reader.probes)
            reader.compare(checks, words, put_out, busy_cycles, where)
            assert out.payloads == put_out, f"{where}: a spike reached the host after the tick"
        await source.sent()
        sink.task.cancel()
        dut.event_out__ready.value = 0
    checks.reach("stall", out.stalls)
    checks.reach("event held back", taken.stalls)
    assert len(taken.transfers) == len(flits) > 0, "not every event was taken"
    checks.finish()


class ByItself:
    """A chip that runs the ticks of one sample by itself, with the host's events in time for each.

    Parameters
    ----------
    dut : handle
    period : int
        Clock cycles; 0 for the free-running mode.
    raw : sequence of int
        Flits that are sent before the first tick, besides the events.
    """

    def __init__(self, dut: Any, period: int, raw: Sequence[int] = ()) -> None:
        self.dut, self.period, self.raw = dut, period, raw
        self.given, self.rng = parameters(), random_source()
        self.chip: ChipParams = self.given["chip"]
        self.events: Events = self.given["events"].samples_between(0, 1)
        self.image: ChipImage = self.given["image"]
        self.rises: list[int] = []
        self.falls: list[int] = []

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self.dut.busy)
            self.rises.append(cycle())
            await FallingEdge(self.dut.busy)
            self.falls.append(cycle())

    async def run(
        self, checks: Checks, drops: tuple[int, Sequence[int]] | None = None
    ) -> "ByItself":
        """Run all ticks, and compare each with golden."""
        dut, chip, events = self.dut, self.chip, self.events
        reader = Reader(chip, run(chip, self.image, events))
        edge = await start(dut, start=0, clear=0, event_in__valid=0, event_out__ready=0)
        self.port = port = ConfigPort(dut, self.given, self.rng)
        await port.write(self.image.program(chip))
        await strobe(dut, edge, "clear")
        source, out = Source(dut, "event_in"), Monitor(dut, "event_out")
        Sink(dut, "event_out", pauses(self.rng, "often"))
        flits = events.flits(chip).tolist()
        source.send([*self.raw, *flits[: events.offsets[1]]])
        await source.sent()
        cocotb.start_soon(self._watch())
        registers = {"period": self.period, "run_ticks": events.ticks}
        await port.write(np.array([(CHIP_REGISTERS.index(n), v) for n, v in registers.items()]))
        read = []
        for tick in range(events.ticks):
            while len(self.rises) <= tick:
                await edge
            following = events.offsets[tick + 1 : tick + 3].tolist()
            source.send(flits[slice(*following)] if len(following) > 1 else [])
            read.append(await port.read(reader.probes))  # once the tick has ended
        await ClockCycles(dut.clk, 4 * self.period + 200)
        checks.equal(events.ticks, len(self.rises), "ticks")
        for tick, words in enumerate(read):
            last = self.falls[tick]
            first = self.falls[tick - 1] if tick else 0
            put_out = [word for at, word in out.transfers if first < at <= last]
            busy_cycles = last - self.rises[tick]
            reader.compare(checks, words, put_out, busy_cycles, {"sample": 0, "tick": tick}, drops)
        assert not out.transfers or out.transfers[-1][0] <= self.falls[-1]
        checks.reach("stall", out.stalls)
        return self


CORNERS = ("spike", "output", "stall")


class _Corners(Checks):
    """Checks that leave out the corners that a single sample need not reach."""

    def reach(self, corner: str, times: Any = 1) -> None:
        if corner in self.reached:
            super().reach(corner, times)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def free_running(dut: Any) -> None:
    """By itself, as fast as it can: the same spikes as in single steps, whatever the host does."""
    if not parameters()["chip"].tick_timer:
        return
    checks = _Corners(*CORNERS)
    await ByItself(dut, 0).run(checks)
    checks.finish()


@cocotb.test(timeout_time=300, timeout_unit="us")
async def real_time(dut: Any) -> None:
    """By itself, in exact periods: the same spikes as in single steps, and none too late."""
    if not parameters()["chip"].tick_timer:
        return
    checks = _Corners(*CORNERS)
    period = 2500
    ran = await ByItself(dut, period).run(checks)
    checks.equal(np.full(len(ran.rises) - 1, period), np.diff(ran.rises), "cycles between ticks")
    checks.finish()


def _flits_to_nowhere(chip: ChipParams) -> tuple[list[int], tuple[int, list[int]]]:
    """Return flits for positions, axons and delays that are not there, and who drops them."""
    packet = flit_packet(chip)
    widths = {field.name: field.width for field in packet.fields}
    flits, in_network, in_cores = [], 0, [0] * len(chip.cores)
    for y in range(1 << widths["y"]):
        for x in range(1 << widths["x"]):
            position = y * chip.width + x
            inside = x < chip.width and y < chip.height
            core = position if inside and position < len(chip.cores) else None
            cases = [(0, 0)]
            if core is not None:
                params = chip.cores[core]
                axons = range(params.n_axons, 1 << widths["axon"])
                delays = range(params.delay_slots - 1, 1 << widths["delay"])
                cases = [(axon, 0) for axon in axons[:1]] + [(axon, 0) for axon in axons[-1:]]
                cases += [(0, delay) for delay in delays]
                in_cores[core] += len(cases)
            else:
                in_network += len(cases)
            for axon, delay in cases:
                fields = {"axon": axon, "delay": delay, "host": 0, "x": x, "y": y}
                if chip.multicast:
                    fields |= {"x_last": x, "y_last": y}
                flits.append(int(packet.pack(**fields)))
    return flits, (in_network, in_cores)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def flits_to_nowhere(dut: Any) -> None:
    """Packets to cores, axons and delays that are not there: dropped, counted, and no harm done."""
    if not parameters()["chip"].tick_timer:
        return
    chip: ChipParams = parameters()["chip"]
    flits, drops = _flits_to_nowhere(chip)
    assert any(drops[1]), "every axon and delay that a flit can name is there"
    checks = _Corners(*CORNERS)
    ran = await ByItself(dut, 0, flits).run(checks, drops)
    await strobe(dut, RisingEdge(dut.clk), "clear")
    names = ("ticks", "dropped_packets", "flags")
    words = await ran.port.read(np.array(_indices(names), np.uint32))
    checks.equal(np.zeros(len(names)), words, "registers after a clear")
    checks.finish()
