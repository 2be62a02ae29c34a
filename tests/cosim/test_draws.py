# amaranth: UnusedElaboratable=no
"""What neurons draw, in Amaranth's simulator: the words of each tick equal golden's."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import core_regions
from spikelet.description.neurons.draws import first_words, words_after
from spikelet.golden.draws import Draws as GoldenDraws
from spikelet.rtl_gen.draws import Draws
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from tests.helpers.neuron_models import NOISY

KEY, TICKS = 0xDEADBEEF, 5


@pytest.mark.parametrize(
    ("neurons", "lanes", "pipelines"), [(24, 4, 1), (8, 4, 4), (8, 8, 8), (24, 8, 2)]
)
def test_draws_are_those_of_golden_after_clear_and_after_restoring(
    neurons: int, lanes: int, pipelines: int
) -> None:
    """Rows are as many as neurons, a power of two or not, or one only."""
    core = CoreParams(4, neurons, NOISY, lanes=lanes, pipelines=pipelines)
    dut = Draws(core, core_regions(core, 8)["draws"])
    rng = np.random.default_rng(pipelines)
    indices = rng.integers(0, 1 << 24, neurons)
    indices[:3] = 0, (1 << 24) - 1, -KEY % (1 << 24)
    golden = GoldenDraws(KEY, indices)
    first = first_words(KEY, indices)

    async def write(ctx: Any, offset: int, word: int) -> None:
        ctx.set(dut.draws.offset, offset)
        ctx.set(dut.draws.data, word)
        await strobe(ctx, dut.draws.write)

    async def read_all(ctx: Any, half: int) -> list[int]:
        """Read as fast as the port can: a word in each cycle."""
        found = []
        for cycle in range(neurons + CONFIG_LATENCY):
            ctx.set(dut.draws.read, cycle < neurons)
            ctx.set(dut.draws.offset, 2 * min(cycle, neurons - 1) + half)
            if cycle >= CONFIG_LATENCY:
                found.append(int(ctx.get(dut.draws.read_data)))
            await ctx.tick()
        return found

    async def strobe(ctx: Any, signal: Any) -> None:
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    async def ran(ctx: Any, pause: bool) -> list[int]:
        """Let a tick pass, with or without gaps between rows; return all words."""
        await strobe(ctx, dut.start)
        await ctx.tick()
        words: list[int] = []
        for row in range(core.rows):
            await strobe(ctx, dut.valid)
            packed = ctx.get(dut.words)
            words += [packed >> 32 * lane & 0xFFFFFFFF for lane in range(pipelines)]
            for _ in range(row % 3 * pause):
                await ctx.tick()
        return words

    async def bench(ctx: Any) -> None:
        for neuron, word in enumerate(first.tolist()):
            await write(ctx, 2 * neuron, word)
        for begin in (0, 3, 0, 1, 0):  # loaded, restored, cleared, restored, cleared
            if begin:
                for neuron, word in enumerate(words_after(first, begin).tolist()):
                    await write(ctx, 2 * neuron + 1, word)
            elif ctx.get(dut.words):
                await strobe(ctx, dut.clear)
            for tick in range(begin, begin + TICKS):
                assert await ran(ctx, bool(tick % 2)) == golden.of(tick).tolist(), (begin, tick)
                assert await read_all(ctx, 1) == golden.of(tick + 1).tolist()
                assert await read_all(ctx, 0) == first.tolist()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
