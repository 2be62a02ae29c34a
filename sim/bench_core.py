"""cocotb bench of one core: spikes, states and counters tick by tick, through its own ports.

Parameters: ``chip``; ``core``, which of its cores this is; ``image``; ``node_latency``.
"""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.destinations import event_flits
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import COUNTERS, ChipMap
from spikelet.description.chip.neuron_words import unpack_states
from spikelet.description.chip.packets import COUNT, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state import CoreState
from spikelet.description.chip.state_words import state_words
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.golden.neuron_array import NeuronArray
from spikelet.golden.synapses.dense import synaptic_sums
from spikelet.golden.transmission import Transmission
from spikelet.sim.drivers import PAUSES, Monitor, Sink, Source, StrobeCounter, pauses
from spikelet.sim.testbench import Checks, flits_of, parameters, random_source, start

TICKS = 14


class ConfigLink:
    """Writes and reads through the core's link of the configuration chain."""

    def __init__(self, dut: Any, latency: int) -> None:
        self.dut, self.latency = dut, latency
        self.edge = RisingEdge(dut.clk)

    async def write(self, words: npt.NDArray[np.uint32]) -> None:
        """Write rows of (address, data), one a cycle."""
        for address, data in words.tolist():
            self.dut.config_in__write.value = 1
            self.dut.config_in__address.value = address
            self.dut.config_in__data.value = data
            await self.edge
        self.dut.config_in__write.value = 0
        for _ in range(self.latency):
            await self.edge

    async def read(self, addresses: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Read words, one a cycle; each comes exactly ``latency`` cycles after its request."""
        wanted, words = addresses.tolist(), []
        for step in range(len(wanted) + self.latency + 1):
            self.dut.config_in__read.value = int(step < len(wanted))
            if step < len(wanted):
                self.dut.config_in__address.value = wanted[step]
            await self.edge
            if step >= self.latency:
                words.append(int(self.dut.config_out__response.value))
        return np.array(words[: len(wanted)], np.uint32)


class Expected:
    """The core as golden has it; ``tick`` is the coming one."""

    def __init__(self, chip: ChipParams, image: ChipImage, number: int) -> None:
        self.chip, self.image, self.number = chip, image, number
        self.core = chip.cores[number]
        self.bitmap = AxonBitmap(self.core, 1, TICKS + 1, chip.count_bits > 1)
        cleared = CoreState.cleared(self.core)
        self.neurons = NeuronArray(self.core, image.cores[number], [cleared])
        contents = image.cores[number]
        less = np.maximum(contents.transmission - 1, 1)
        self.transmission = Transmission(contents)
        self.less = Transmission(replace(contents, transmission=less))
        self.active_axons = self.dropped = 0
        self.tick = 0

    def arrive(self, word: int) -> None:
        """Take an event."""
        fields = flit_packet(self.chip).unpack(word)
        axon, delay = int(fields["axon"]), int(fields["delay"])
        if axon < self.core.n_axons and delay < self.core.delay_slots - 1:
            self.bitmap.arrivals[0, self.tick + delay, axon] += int(fields.get(COUNT, 1))
        else:
            self.dropped += 1

    def compare(
        self, checks: Checks, words: npt.NDArray[np.uint32], flits: list[int], where: dict[str, int]
    ) -> None:
        """Advance by the tick that has been run; compare counters and states read, and flits."""
        tick = where["tick"]
        active = self.bitmap.active(tick, tick + 1)[0, 0]
        sent = active
        if self.core.transmission:
            sent = self.transmission.transmitted(active[None], tick)[0]
            checks.reach("spike that fails", (active & ~sent).any())
            less = self.less.transmitted(active[None], tick)[0]
            checks.reach("spike that just comes through", (sent & ~less).any())
        sums = synaptic_sums(sent, self.image.cores[self.number].weights)
        others = active[None, None, -1] > 0 if self.core.inhibition_axon else None
        self.neurons.update(sums[None, None].astype(np.int32), tick, others=others)
        fired = self.neurons.fired[0]
        found = unpack_states(self.core, words[len(COUNTERS) :])
        for name, values in found.items():
            checks.equal(self.neurons.states[name][0], values, f"{name} of neuron", **where)
        expected = flits_of(self.chip, self.image, self.number, fired)
        checks.sequence(expected, flits, "flit", **where)
        self.active_axons += int(active.sum())
        counted = [self.active_axons, int(self.bitmap.merged()[0]), self.dropped]
        checks.equal(counted, words[: len(COUNTERS)], "counters", **where)
        checks.reach("spike", fired.any())
        checks.reach("no spike", not fired.any())
        checks.reach("silent tick", not active.any())
        checks.reach("merge", counted[1])
        checks.reach("drop", self.dropped)
        rails = self.core.state_ranges["v"]
        checks.reach("rail", np.isin(self.neurons.states["v"], rails).any())


async def quiet(dut: Any, edge: RisingEdge) -> None:
    """Wait until the core is idle and no event comes at this edge."""
    await edge
    while dut.busy.value or (dut.event_in__valid.value and dut.event_in__ready.value):
        await edge


async def strobe(dut: Any, edge: RisingEdge, name: str) -> None:
    await quiet(dut, edge)
    getattr(dut, name).value = 1
    await edge
    getattr(dut, name).value = 0
    await edge


def random_events(rng: np.random.Generator, chip: ChipParams, number: int, kind: int) -> list[int]:
    """Return flits for random axons of the core: none, a few, or many."""
    core = chip.cores[number]
    n = (0, 4, core.n_axons)[kind]
    axon = rng.integers(0, core.n_axons, n)
    delay = rng.integers(0, core.delay_slots - 1, n)
    count = rng.integers(1, 1 << chip.count_bits, n) if chip.count_bits > 1 else 1
    words: list[int] = event_flits(chip, np.full(n, number), axon, delay, count).tolist()
    return words


def misfits(rng: np.random.Generator, chip: ChipParams, number: int) -> list[int]:
    """Return some flits for axons or delays that the core does not have, as far as a flit can."""
    core = chip.cores[number]
    widths = {field.name: field.width for field in flit_packet(chip).fields}
    axon = rng.integers(0, 1 << widths["axon"], 8)
    delay = rng.integers(0, 1 << widths["delay"], 8)
    wrong = (axon >= core.n_axons) | (delay >= core.delay_slots - 1)
    target = np.full(wrong.sum(), number)
    words: list[int] = event_flits(chip, target, axon[wrong], delay[wrong]).tolist()
    return words


@cocotb.test(timeout_time=200, timeout_unit="us")
async def ticks(dut: Any) -> None:
    """Two runs of some ticks, each from a clear; events come before and during the ticks."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    image: ChipImage = given["image"]
    number = given["core"]
    chip_map = ChipMap(chip)
    corners: tuple[str, ...] = ("spike", "no spike", "silent tick", "merge", "drop", "rail")
    if chip.cores[number].transmission:
        corners = (*corners, "spike that fails", "spike that just comes through")
    checks = Checks(*corners, "stall", "event held up")
    idle = dict.fromkeys(("start", "clear", "event_out__ready", "config_in__response"), 0)
    edge = await start(dut, **idle, config_in__write=0, config_in__read=0)
    link = ConfigLink(dut, given["node_latency"])
    await link.write(image.program(chip))
    probes = np.concatenate(
        [
            chip_map.address(number, "counters", np.arange(len(COUNTERS))),
            state_words(chip, ("state",))[number]["state"],
        ]
    )
    source = Source(dut, "event_in", pauses(rng, "seldom"))
    out = Monitor(dut, "event_out")
    dropped = StrobeCounter(dut, "dropped")
    for epoch in range(2):
        await strobe(dut, edge, "clear")
        sink = Sink(dut, "event_out", pauses(rng, PAUSES[epoch * 2 + 1]), after_valid=bool(epoch))
        expected = Expected(chip, image, number)
        dropped.count = 0
        arrivals = Monitor(dut, "event_in", expected.arrive)
        for tick in range(TICKS):
            source.send(random_events(rng, chip, number, int(rng.integers(3)) if tick else 0))
            if tick % 2:
                await source.sent()
            out.transfers.clear()
            await quiet(dut, edge)
            expected.tick = tick + 1  # what comes from now on is for the tick after this one
            dut.start.value = 1
            await edge
            dut.start.value = 0
            await edge
            assert dut.busy.value, "not busy after start"
            events = random_events(rng, chip, number, int(rng.integers(2)))
            source.send(rng.permutation(np.array(events + misfits(rng, chip, number), np.int64)))
            await source.sent()
            await quiet(dut, edge)

            where = {"epoch": epoch, "tick": tick, "core": number}
            expected.compare(checks, await link.read(probes), out.payloads, where)
            checks.equal(expected.dropped, dropped.count, "strobes of dropped", **where)
        checks.reach("event held up", arrivals.stalls)
        arrivals.task.cancel()
        sink.task.cancel()
        dut.event_out__ready.value = 0
    checks.reach("stall", out.stalls)
    checks.finish()
