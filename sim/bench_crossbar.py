"""cocotb bench of crossbars: synaptic sums, their order and timing, and the weight memory.

Parameters: ``chip`` of one core; ``image``; ``config_latency``; ``even``: whether each group takes
as long as there are active axons, as in the dense crossbar.
"""

from typing import Any

import cocotb
import numpy as np
import numpy.typing as npt
from cocotb.triggers import RisingEdge

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.golden.synapses.sums import synaptic_sums
from spikelet.sim.drivers import cycle
from spikelet.sim.testbench import (
    Checks,
    config_words,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

TICKS = 24


class Collector:
    """Collects the rows of sums as (cycle, sums), and those of teachers."""

    def __init__(self, dut: Any, core: CoreParams) -> None:
        self.dut, self.core = dut, core
        self.rows: list[tuple[int, list[int]]] = []
        self.taught: list[int] = []
        self.task = cocotb.start_soon(self._run())

    async def _run(self) -> None:
        edge, raised = RisingEdge(self.dut.clk), RisingEdge(self.dut.sums_valid)
        while True:
            if not self.dut.sums_valid.value:
                await raised
            await edge
            if self.dut.sums_valid.value:
                sums = self._lanes(int(self.dut.sums.value), self.core.current_bits)
                self.rows.append((cycle(), sums))
                if self.core.teacher_axons:
                    word = int(self.dut.teacher_sums.value)
                    self.taught += self._lanes(word, self.core.teacher_bits)

    def clear(self) -> None:
        """Forget what was collected."""
        self.rows.clear()
        self.taught.clear()

    def _lanes(self, word: int, bits: int) -> list[int]:
        half, mask = 1 << (bits - 1), (1 << bits) - 1
        lanes = range(self.core.pipelines)
        return [((word >> lane * bits & mask) ^ half) - half for lane in lanes]


async def _tick(
    dut: Any, edge: RisingEdge, core: CoreParams, axons: list[int], gaps: list[int], trailing: int
) -> None:
    """Give one tick's axons, each after a gap, as a scan would; wait until the sums are out.

    An axon stands while the crossbar, if it can, holds the scan. With graded spikes it comes as
    often as it is in ``axons``. Words of the axon bitmap, if the crossbar sees them, come up to
    that of the axon before it, the rest at the end.
    """
    graded = hasattr(dut, "again")
    before = -1
    n_axons, words = core.n_axons, _words(core, axons)
    ready = getattr(dut, "ready", None)
    dut.start.value = 1
    await edge
    dut.start.value = 0
    dut.scanning.value = 1
    for axon, gap in zip(axons, gaps, strict=True):
        await _give_words(dut, edge, words, axon // core.scan_bits)
        for _ in range(gap):
            await edge
        dut.axon.value = axon
        dut.axon_valid.value = 1
        if graded:
            dut.again.value = int(axon == before)
            dut.count.value = axons.count(axon)
            before = axon
        await edge
        while ready is not None and not ready.value:
            await edge
        dut.axon_valid.value = 0
        dut.axon.value = (axon + 1) % n_axons  # means nothing now
        assert dut.busy.value, "not busy during the scan"
    await _give_words(dut, edge, words, core.scan_words - 1)
    for _ in range(trailing):
        await edge
    dut.scanning.value = 0
    await edge
    while dut.busy.value:
        await edge


def _words(core: CoreParams, axons: list[int]) -> dict[int, int]:
    """Return the words of the axon bitmap by number, if the core's crossbar takes them."""
    words = dict.fromkeys(range(core.scan_words if core.synapse_format.takes_words else 0), 0)
    for axon in axons if words else ():
        words[axon // core.scan_bits] |= 1 << axon % core.scan_bits
    return words


async def _give_words(dut: Any, edge: RisingEdge, words: dict[int, int], last: int) -> None:
    """Give the words up to ``last`` that have not been given yet, one a cycle."""
    for word in [number for number in words if number <= last]:
        dut.word.value, dut.word_data.value = word, words.pop(word)
        dut.word_valid.value = 1
        await edge
        dut.word_valid.value = 0


def _active(
    rng: np.random.Generator, core: CoreParams, density: float, *, most: bool
) -> npt.NDArray[Any]:
    """Return which axons are active, or how often; ``most``: as often as can be."""
    active: npt.NDArray[Any] = rng.random(core.n_axons) < density
    if core.spike_bits == 1:
        return active
    least = core.most_spikes if most else 1
    counts = active * rng.integers(least, core.most_spikes + 1, core.n_axons)
    found: npt.NDArray[Any] = counts.astype(np.uint8)
    return found


def _idle(core: CoreParams, regions: list[str]) -> dict[str, int]:
    """Return the inputs of a crossbar, all 0."""
    graded = ("again", "count") if core.spike_bits > 1 else ()
    idle = dict.fromkeys(("start", "axon_valid", "axon", "scanning", *graded), 0)
    if core.learning:
        idle |= dict.fromkeys((f"learning__{name}" for name in ("hold", "visit", "write")), 0)
    if core.synapse_format.takes_words:
        idle |= dict.fromkeys(("word_valid", "word", "word_data"), 0)
    idle |= {f"{name}__{access}": 0 for name in regions for access in ("write", "read")}
    return idle


def _taught(core: CoreParams) -> npt.NDArray[np.bool_]:
    """Return which axons are those of teachers."""
    return np.arange(core.n_axons) >= core.n_axons - core.teacher_axons


@cocotb.test(timeout_time=100, timeout_unit="us")
async def sums(dut: Any) -> None:
    """Sums of every neuron in every tick, in order; a group after the other at the stated pace."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    image: ChipImage = given["image"]
    core, weights = chip.cores[0], image.cores[0].weights
    checks = Checks("silent tick", "all axons", "largest sum", "smallest sum", "gaps", "no gaps")
    regions = [region.name for region in core.synapse_format.regions(core)]
    idle = _idle(core, regions)
    edge = await start(dut, **idle)
    words = {name: config_words(chip, image, 0, name) for name in regions}
    for name in regions:
        await write_region(dut, name, words[name])
    collector = Collector(dut, core)
    expected_order = []
    while dut.busy.value:
        await edge
    assert not collector.rows, "sums before the first tick"
    smallest, largest = core.sum_range
    for tick in range(TICKS):
        density = (0.0, 1.0, *rng.random(TICKS))[tick]
        active = _active(rng, core, density, most=tick == 1)
        axons = np.repeat(np.arange(core.n_axons), active).tolist()
        sparse = rng.random() < 0.5 and tick > 1
        gaps = rng.integers(0, 4 if sparse else 1, len(axons)).tolist()
        collector.clear()
        await _tick(dut, edge, core, axons, gaps, int(rng.integers(not axons, 4)))
        taught = _taught(core)
        expected = synaptic_sums(core, active * ~taught, weights)
        if core.teacher_axons:
            teacher = synaptic_sums(core, active * taught, weights)
            checks.equal(teacher, collector.taught, "teacher sums of neuron", tick=tick, core=0)
        got = [value for _, row in collector.rows for value in row]
        checks.equal(expected, got, "sums of neuron", tick=tick, core=0)
        expected_order.append(len(axons))
        rows = core.lanes // core.pipelines
        at = [when for when, _ in collector.rows]
        for group in range(core.groups):
            leaving = at[group * rows : (group + 1) * rows]
            assert leaving[-1] - leaving[0] == rows - 1, f"tick {tick}, group {group}: {leaving}"
            pace = leaving[0] - at[(group - 1) * rows] if group else 0
            assert not group or pace >= rows, f"tick {tick}, group {group}: {pace} cycles"
            needed = max(len(axons) + 1, rows)
            assert not given["even"] or pace in (0, needed), (
                f"tick {tick}, group {group}: {pace} cycles, not {needed}"
            )
        checks.reach("silent tick", not axons)
        checks.reach("all axons", active.all())
        checks.reach("largest sum", (expected == largest).sum())
        checks.reach("smallest sum", (expected == smallest).sum())
        checks.reach("gaps", sum(gaps) > 0)
        checks.reach("no gaps", axons and not sum(gaps))
    for name, written in words.items():
        order = rng.permutation(len(written)).tolist()
        read = await read_region(
            dut, name, [written[i][0] for i in order], latency=given["config_latency"]
        )
        checks.sequence([written[i][1] for i in order], read, f"word of {name}")
    checks.finish()
