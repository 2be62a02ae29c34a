"""cocotb bench of a whole chip against golden: spikes, potentials, outputs and counters each tick.

Parameters: ``chip``; ``image``; ``events``; ``layouts``; ``config_latency``.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from golden.chip import run
from sim.drivers import PAUSES, Monitor, Sink, Source, cycle, pauses
from sim.testbench import Checks, pack, parameters, random_source, start
from spikelet.description.events import Events
from spikelet.description.image import ChipImage
from spikelet.description.memory_map import (
    CHIP_REGISTERS,
    COUNTERS,
    IDENTIFICATION,
    ChipMap,
    unpack_state,
)
from spikelet.description.packets import HOST_ROW, flit_packet
from spikelet.description.params import ChipParams
from spikelet.description.trace import Trace


class ConfigPort:
    """Writes and reads through the chip's configuration port."""

    def __init__(self, dut: Any, given: dict[str, Any], rng: np.random.Generator) -> None:
        self.dut = dut
        self.layout = given["layouts"]["config_request__payload"]
        self.latency = 2 + given["config_latency"] + len(given["chip"].cores)
        self.source = Source(dut, "config_request", pauses(rng, "never"))
        self.requests = Monitor(dut, "config_request")
        self.responses: list[tuple[int, int]] = []
        self.task = cocotb.start_soon(self._collect())

    async def _collect(self) -> None:
        edge, raised = RisingEdge(self.dut.clk), RisingEdge(self.dut.config_response__valid)
        while True:
            if not self.dut.config_response__valid.value:
                await raised
            await edge
            if self.dut.config_response__valid.value:
                self.responses.append((cycle(), int(self.dut.config_response__payload.value)))

    async def write(self, words: npt.NDArray[np.uint32]) -> None:
        """Write rows of (address, data)."""
        self.source.send(
            pack(self.layout, {"address": address, "data": data, "write": 1})
            for address, data in words.tolist()
        )
        await self.source.sent()
        self.requests.transfers.clear()

    async def read(self, addresses: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Read words; each must come when it is due."""
        self.responses.clear()
        self.requests.transfers.clear()
        self.source.send(
            pack(self.layout, {"address": address, "data": 0, "write": 0})
            for address in addresses.tolist()
        )
        await self.source.sent()
        await ClockCycles(self.dut.clk, self.latency + 1)
        due = [at + self.latency for at, _ in self.requests.transfers]
        came = [at for at, _ in self.responses]
        assert due == came, (
            f"{len(came)} responses from cycle {came[:1]}, {len(due)} due from {due[:1]}"
        )
        return np.array([word for _, word in self.responses], np.uint32)


class Reader:
    """What is read after each tick, and golden's Trace to compare it with."""

    def __init__(self, chip: ChipParams, expected: Trace) -> None:
        self.chip, self.expected = chip, expected
        chip_map, self.n_cores = ChipMap(chip), len(chip.cores)
        registers = np.arange(len(CHIP_REGISTERS), dtype=np.uint32)
        states = [chip_map.state_addresses(core) for core in range(self.n_cores)]
        counters = [
            chip_map.address(core, "counters", np.arange(2)) for core in range(self.n_cores)
        ]
        self.probes = np.concatenate([registers, *counters, *states])
        lengths = [len(registers), self.n_cores * len(COUNTERS), *map(len, states)]
        self.splits = np.cumsum(lengths)[:-1]

    def compare(
        self,
        checks: Checks,
        words: npt.NDArray[np.uint32],
        flits: list[int],
        busy_cycles: int,
        where: dict[str, int],
    ) -> None:
        """Compare all that was read after a tick, and the flits that reached the host in it."""
        expected, (sample, tick) = self.expected, (where["sample"], where["tick"])
        assert expected.spikes is not None and expected.potentials is not None
        registers, counters, *states = np.split(words, self.splits)
        for core, state in enumerate(states):
            v, fired = unpack_state(state)
            place = {**where, "core": core}
            want = expected.potentials[core][sample, tick]
            checks.equal(want, v, "potentials of neuron", **place)
            want_fired = expected.spikes[core][sample, tick]
            checks.equal(want_fired, fired, "spikes of neuron", **place)
            checks.reach("spike", want_fired.any())
        fields = flit_packet(self.chip).unpack(np.array(flits, np.int64))
        assert (fields["y"] == HOST_ROW).all(), f"{where}: a flit for a core reached the host"
        outputs = np.bincount(fields["axon"], minlength=self.chip.n_outputs)
        checks.equal(expected.outputs[sample, tick], outputs, "spikes on output line", **where)
        active, merged = counters.reshape(self.n_cores, len(COUNTERS)).T
        want_active = expected.active_axons[sample, : tick + 1].sum(axis=0)
        checks.equal(want_active, active, "active axons of core", **where)
        if tick == expected.ticks - 1:
            checks.equal(expected.merged_spikes[sample], merged, "merged spikes of core", **where)
            checks.reach("merge", merged.any())
        checks.equal(tick + 1, registers[CHIP_REGISTERS.index("ticks")], "ticks", **where)
        # `cycles` counts from the start in the cores, when all events have settled, to the barrier.
        cycles = int(registers[CHIP_REGISTERS.index("cycles")])
        assert 0 < cycles < busy_cycles, f"{where}: {cycles} cycles, busy for {busy_cycles}"
        checks.reach("output", outputs.any())
        checks.reach("silent tick", not expected.active_axons[sample, tick].any())


async def _run(dut: Any, edge: RisingEdge, strobe: str) -> int:
    """Give a strobe; return the cycles in which the chip was busy."""
    getattr(dut, strobe).value = 1
    await edge
    getattr(dut, strobe).value = 0
    await RisingEdge(dut.busy)
    began = cycle()
    await FallingEdge(dut.busy)
    ended = cycle()
    await edge
    return ended - began


@cocotb.test(timeout_time=100, timeout_unit="ms")
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


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def settling(dut: Any) -> None:
    """A tick begins only when a request that came along with its start has left the chain."""
    given, rng = parameters(), random_source()
    edge = await start(dut, start=0, clear=0, event_in__valid=0, event_out__ready=1)
    port = ConfigPort(dut, given, rng)
    cycles = np.array([CHIP_REGISTERS.index("cycles")], np.uint32)
    await _run(dut, edge, "clear")
    before = []
    for accompanied in (False, True):
        await ClockCycles(dut.clk, 40)
        if accompanied:
            port.source.send([pack(port.layout, {"address": 0, "data": 0, "write": 0})])
            await edge  # the request is offered from here on, and so is the start
        busy_cycles = await _run(dut, edge, "start")
        before.append(busy_cycles - int((await port.read(cycles))[-1]))
    waited = before[1] - before[0]
    assert waited >= port.latency, f"waited {waited} cycles; the chain takes {port.latency}"


@cocotb.test(timeout_time=100, timeout_unit="ms")
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
        await _run(dut, edge, "clear")
        for tick in range(events.ticks):
            first, last = events.offsets[sample * events.ticks + tick :][:2]
            early = bool(tick % 2)  # then this tick's events were offered during the last one
            if not early:
                source.send(flits[first:last])
            await source.sent()
            if early and tick % 4 == 1:
                await ClockCycles(dut.clk, 40)
            out.transfers.clear()
            running = cocotb.start_soon(_run(dut, edge, "start"))
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
