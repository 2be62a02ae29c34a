"""Crossbars of one format, in Amaranth's simulator, with memories as bad as silicon may be."""

from typing import Any

import numpy as np
from amaranth import Module, Signal
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import core_regions
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.synapses.crossbars import crossbar

__all__ = ["PoorMemory", "crossbar_sums"]


class PoorMemory(BankedMemory):
    """Powers up with all ones; a row that is read while it is written reads as its complement."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ones = (1 << self.bank_bits) - 1
        m.submodules.memory = memory = Memory(
            shape=self.bank_bits, depth=self.depth, init=[ones] * self.depth
        )
        read, write = memory.read_port(), memory.write_port()
        collided = Signal()
        with m.If(self.read_enable):
            m.d.sync += collided.eq((self.read_row == self.write_row) & self.write_banks.any())
        m.d.comb += [
            read.addr.eq(self.read_row),
            read.en.eq(self.read_enable),
            self.read_data.eq(read.data ^ collided.replicate(self.bank_bits)),
            write.addr.eq(self.write_row),
            write.data.eq(self.write_data),
            write.en.eq(self.write_banks),
        ]
        return m


def _bitmap_words(core: CoreParams, active: np.ndarray) -> list[int]:
    """Return the words of the axon bitmap."""
    bits = np.pad(active, (0, -core.n_axons % core.scan_bits)).reshape(-1, core.scan_bits)
    return (bits << np.arange(core.scan_bits)).sum(axis=1).tolist()


async def _write(ctx: Any, dut: Any, region: str, offsets: list[int], words: list[int]) -> None:
    port = getattr(dut, region)
    for offset, word in zip(offsets, words, strict=True):
        ctx.set(port.offset, offset)
        ctx.set(port.data, word)
        ctx.set(port.write, 1)
        assert not ctx.get(dut.sums_valid), "what clears the sums leaves"
        await ctx.tick()
    ctx.set(port.write, 0)


def crossbar_sums(
    core: CoreParams, weights: np.ndarray, ticks: np.ndarray, rng: np.random.Generator
) -> list[list[int]]:
    """Return the sums that left in each tick. Every third tick the axons come with gaps."""
    dut = crossbar(core, core_regions(core, 8))
    takes_words = core.synapse_format.takes_words
    sums: list[list[int]] = []
    bits, pace = core.current_bits, core.lanes // core.pipelines

    async def step(ctx: Any) -> None:
        """Let a cycle pass, and note what leaves in it."""
        if ctx.get(dut.sums_valid):
            packed = ctx.get(dut.sums)
            for lane in range(core.pipelines):
                code = packed >> lane * bits & (1 << bits) - 1
                sums[-1].append(code - (code >> bits - 1 << bits))
        await ctx.tick()

    async def give_words(ctx: Any, active: np.ndarray) -> None:
        """Give the words, as the scan fetches them; of its axons the crossbar needs nothing."""
        for word, data in enumerate(_bitmap_words(core, active)):
            for _ in range(int(rng.integers(0, 4))):
                await step(ctx)
            ctx.set(dut.word_valid, 1)
            ctx.set(dut.word, word)
            ctx.set(dut.word_data, data)
            await step(ctx)
            ctx.set(dut.word_valid, 0)
            ctx.set(dut.word_data, (1 << core.scan_bits) - 1)  # means nothing now

    async def bench(ctx: Any) -> None:
        for region, offsets, words in core.synapse_format.words(core, weights):
            await _write(ctx, dut, region, offsets.tolist(), words.tolist())
        waited = 0
        while ctx.get(dut.busy):
            assert not ctx.get(dut.sums_valid), "what clears the sums leaves"
            await ctx.tick()
            waited += 1
        assert waited <= core.groups * pace + 8
        for number, active in enumerate(ticks):
            sums.append([])
            ctx.set(dut.start, 1)
            await step(ctx)
            ctx.set(dut.start, 0)
            ctx.set(dut.scanning, 1)
            if takes_words:
                await give_words(ctx, active)
            for axon in [] if takes_words else np.flatnonzero(active).tolist():
                for _ in range(int(rng.integers(0, 4)) if number % 3 == 2 else 0):
                    await step(ctx)
                ctx.set(dut.axon_valid, 1)
                ctx.set(dut.axon, axon)
                while core.synapse_format.holds_scan and not ctx.get(dut.ready):
                    await step(ctx)
                await step(ctx)
                ctx.set(dut.axon_valid, 0)
            ctx.set(dut.scanning, 0)
            while ctx.get(dut.busy):
                await step(ctx)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sums
