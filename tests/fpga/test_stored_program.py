# amaranth: UnusedElaboratable=no
"""A program that stands in the bitstream, in Amaranth's simulator."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikelet.description.errors import SpikeletError
from spikelet.fpga.stored_program import StoredProgram


@pytest.mark.parametrize("size", [1, 37, 64])
def test_the_bytes_come_in_order_and_again_from_each_start(size: int) -> None:
    """Also from a start in the middle, with pauses; behind the last byte comes none."""
    rng = np.random.default_rng(size)
    contents = rng.integers(0, 256, size, np.uint8).tobytes()
    dut = StoredProgram(contents)
    assert dut.memory.rows == size

    async def take(ctx: Any, most: int, cycles: int) -> bytes:
        came = bytearray()
        for _ in range(cycles):
            ctx.set(dut.o.ready, len(came) < most and bool(rng.random() < 0.7))
            *_, given, byte = await ctx.tick().sample(dut.o.valid & dut.o.ready, dut.o.payload)
            if given:
                came.append(byte)
        ctx.set(dut.o.ready, 0)
        return bytes(came)

    async def bench(ctx: Any) -> None:
        assert await take(ctx, 1, 5) == b""
        for part in (size, size // 2, size):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            assert await take(ctx, part, 6 * size + 10) == contents[:part]

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_program_of_nothing_is_refused() -> None:
    with pytest.raises(SpikeletError, match="stored program: there are no contents"):
        StoredProgram(b"")
