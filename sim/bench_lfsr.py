"""cocotb bench of the lanes' LFSRs: draws, holding, and the chain of words.

Parameters: ``chip`` of one core; ``image``; ``config_latency``.
"""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import DRAW_BITS
from spikelet.golden.lfsr import draw
from spikelet.sim.testbench import (
    Checks,
    config_words,
    parameters,
    random_source,
    read_region,
    start,
    write_region,
)

EPOCHS = 4
CYCLES = 60

IDLE = {"advance": 0, "config__write": 0, "config__read": 0, "config__offset": 0}


def _draws(dut: Any, lanes: int) -> list[int]:
    """Return the draw that each lane shows."""
    word = int(dut.draws.value)
    return [word >> lane * DRAW_BITS & ((1 << DRAW_BITS) - 1) for lane in range(lanes)]


@cocotb.test(timeout_time=20, timeout_unit="us")
async def draws(dut: Any) -> None:
    """Draws in the cycle of their ``advance``, or held; states read back, which leaves them."""
    given, rng = parameters(), random_source()
    chip: ChipParams = given["chip"]
    image: CoreImage = given["image"].cores[0]
    lanes, states = chip.cores[0].lanes, image.random
    checks = Checks("held", "two in a row", "highest bit of a state", "highest bit of a draw")
    edge = await start(dut, **IDLE)
    await write_region(dut, "config", config_words(chip, given["image"], 0, "random"))
    for epoch in range(EPOCHS):
        advancing = False
        for cycle in range(CYCLES):
            before = advancing
            advancing = bool(rng.random() < 0.7)
            dut.advance.value = int(advancing)
            await edge
            expected, following = draw(states, 1)
            checks.equal(expected[0], _draws(dut, lanes), "draw of lane", epoch=epoch, cycle=cycle)
            checks.reach("held", not advancing)
            checks.reach("two in a row", before and advancing)
            checks.reach("highest bit of a draw", (expected >> (DRAW_BITS - 1)).any())
            checks.reach("highest bit of a state", (states >> 31).any())
            if advancing:
                states = following
        dut.advance.value = 0
        await edge
        await _read_back(dut, given, states, checks, epoch)
    checks.finish()


async def _read_back(
    dut: Any, given: dict[str, Any], states: Any, checks: Checks, epoch: int
) -> None:
    """Read all words twice, the second time with gaps; they are still there then."""
    chip: ChipParams = given["chip"]
    now = CoreImage(**{**vars(given["image"].cores[0]), "random": states})
    words = config_words(chip, ChipImage((now,)), 0, "random")
    edge = RisingEdge(dut.clk)
    latency = given["config_latency"]
    read = await read_region(dut, "config", [offset for offset, _ in words], latency=latency)
    checks.sequence([word for _, word in words], read, "word", epoch=epoch)
    for offset, word in words:
        await edge
        got = await read_region(dut, "config", [offset], latency=latency)
        checks.sequence([word], got, f"word {offset} after a gap, number", epoch=epoch)
    await edge
    expected, _ = draw(states, 1)
    checks.equal(expected[0], _draws(dut, chip.cores[0].lanes), "draw after reading", epoch=epoch)


@cocotb.test(timeout_time=20, timeout_unit="us")
async def zeros(dut: Any) -> None:
    """A lane whose state is 0 stays there, beside others that run."""
    given = parameters()
    chip: ChipParams = given["chip"]
    lanes = chip.cores[0].lanes
    states = given["image"].cores[0].random.copy()
    states[-1] = 0
    words = np.stack([states >> 16, states & 0xFFFF], axis=1)[::-1].ravel().tolist()
    edge = await start(dut, **IDLE)
    await write_region(dut, "config", enumerate(words))
    dut.advance.value = 1
    checks = Checks()
    for cycle in range(CYCLES):
        await edge
        expected, states = draw(states, 1)
        checks.equal(expected[0], _draws(dut, lanes), "draw of lane", cycle=cycle)
        assert expected[0, -1] == 0
    checks.finish()
