# amaranth: UnusedElaboratable=no
"""What neurons draw, in Amaranth's simulator: key, index memory and mix equal golden's."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import core_regions
from spikelet.description.neurons.draws import key_after
from spikelet.golden.draws import draws, next_key
from spikelet.rtl_gen.draws import Draws
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from tests.helpers.neuron_models import NOISY

KEY, TICKS, NEURONS = 0xDEADBEEF, 5, 8


@pytest.mark.parametrize("pipelines", [1, 4])
def test_draws_are_those_of_golden_after_clear_and_after_restoring(pipelines: int) -> None:
    core = CoreParams(4, NEURONS, NOISY, lanes=4, pipelines=pipelines)
    dut = Draws(core, core_regions(core, 8))
    rng = np.random.default_rng(pipelines)
    indices = rng.integers(0, 1 << 24, NEURONS)
    indices[:2] = 0, (1 << 24) - 1

    async def write(ctx: Any, port: Any, offset: int, word: int) -> None:
        ctx.set(port.offset, offset)
        ctx.set(port.data, word)
        await strobe(ctx, port.write)

    async def read(ctx: Any, port: Any, offset: int) -> int:
        ctx.set(port.offset, offset)
        await strobe(ctx, port.read)
        await ctx.tick().repeat(CONFIG_LATENCY - 1)
        return int(ctx.get(port.read_data))

    async def strobe(ctx: Any, signal: Any) -> None:
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    async def ran(ctx: Any) -> list[int]:
        """Let a tick pass, with a gap between rows; return all words."""
        await strobe(ctx, dut.start)
        words: list[int] = []
        for row in range(core.rows):
            await strobe(ctx, dut.valid)
            for _ in range(row % 3):
                await ctx.tick()
            for _ in range(Draws.latency - 1 - row % 3):
                await ctx.tick()
            packed = ctx.get(dut.words)
            words += [packed >> 32 * lane & 0xFFFFFFFF for lane in range(pipelines)]
        return words

    async def bench(ctx: Any) -> None:
        for neuron, index in enumerate(indices.tolist()):
            await write(ctx, dut.draw_indices, neuron, index)
            assert await read(ctx, dut.draw_indices, neuron) == index
        await write(ctx, dut.draw_key, 0, KEY)
        for begin in (0, 3, 0):  # cleared, restored, cleared again
            key = key_after(KEY, begin)
            if begin:
                await write(ctx, dut.draw_key, 1, key)
            elif ctx.get(dut.words):
                await strobe(ctx, dut.clear)
            for _ in range(TICKS):
                assert await read(ctx, dut.draw_key, 1) == key
                assert await ran(ctx) == draws(key, indices).tolist()
                key = next_key(key)
            assert await read(ctx, dut.draw_key, 0) == KEY

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
