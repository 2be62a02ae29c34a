"""cocotb bench of the flash loader: images that are whole, damaged, foreign, and of any bytes.

Parameters: ``structure``.
"""

import struct
import zlib
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from spikelet.description.chip.flash_image import HEADER_WORDS, MAGIC
from spikelet.golden.flash_loader import load
from spikelet.sim.testbench import Checks, pack, parameters, random_source, start

_SLOWEST = 20
_KINDS = ("loaded", "bit flipped", "loaded", "foreign", "loaded", "magic", "too long", "erased")


def _image(rng: np.random.Generator, structure: int) -> tuple[bytes, bool]:
    """Return a whole image of some runs, and whether the last of them is cut short."""
    words: list[int] = []
    for _ in range(int(rng.integers(0, 5))):
        count = int(rng.integers(1, 8))
        words += [int(rng.integers(1 << 32)), count, *rng.integers(0, 1 << 32, count).tolist()]
    cut = bool(words) and rng.random() < 0.4
    if cut:
        words.pop()
    content = struct.pack(f"<{HEADER_WORDS + len(words)}I", MAGIC, structure, len(words), *words)
    return content + struct.pack("<I", zlib.crc32(content)), cut


class _Flash:
    """Gives the bytes anew after each ``start``, and takes the writes, with pauses."""

    def __init__(self, dut: Any, rng: np.random.Generator) -> None:
        self.dut = dut
        self.rng = rng
        self.passes = [b"", b""]
        self.starts = 0
        self.writes: list[int] = []

    async def run(self) -> None:
        """Serve for ever."""
        dut, rng, edge = self.dut, self.rng, RisingEdge(self.dut.clk)
        place = 0
        while True:
            await edge
            if dut.request__valid.value and dut.request__ready.value:
                self.writes.append(int(dut.request__payload.value))
            if dut.start.value:
                place = 0
                self.starts += 1
                dut.i__valid.value = 0
            elif dut.i__valid.value and dut.i__ready.value:
                place += 1
                dut.i__valid.value = 0
            elif not dut.i__valid.value and self.starts and rng.random() < 0.8:
                line = self.passes[self.starts - 1]
                dut.i__payload.value = line[place] if place < len(line) else 0xFF
                dut.i__valid.value = 1
            dut.request__ready.value = int(rng.random() < 0.3)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def what_is_written_is_what_golden_makes_of_the_bytes(dut: Any) -> None:
    """Each image in two readings, of which the second may differ."""
    structure, rng = parameters()["structure"], random_source()
    layout = parameters()["layouts"]["request__payload"]
    checks = Checks(
        *("loaded", "empty", "cut run", "bit flipped", "foreign", "magic", "too long", "erased"),
        "second reading",
    )
    edge = await start(dut, i__valid=0, request__ready=0)
    for round_ in range(6 * len(_KINDS)):
        kind = _KINDS[round_ % len(_KINDS)]
        whole, cut = _image(rng, structure)
        image = bytearray(whole)
        if kind == "bit flipped":
            at = int(rng.integers(len(image)))
            image[8 if 8 <= at < 12 else at] ^= 1 << int(
                rng.integers(8)
            )  # not too long to wait for
        elif kind in ("foreign", "magic", "too long"):
            at = {"magic": 0, "foreign": 4, "too long": 8}[kind]
            image[at + 3] ^= 1 << int(rng.integers(8))
            image[-4:] = struct.pack("<I", zlib.crc32(image[:-4]))
        elif kind == "erased":
            image = bytearray(b"\xff" * 40)
        flash = _Flash(dut, rng)
        second = bytearray(image)
        damaged = kind == "loaded" and rng.random() < 0.4
        if damaged:
            second[int(rng.integers(8, len(second)))] ^= 1
            second[8:11] = image[8:11]  # the length
            damaged = second != image
        flash.passes = [bytes(image), bytes(second)]
        dut.rst.value = 1
        await edge
        dut.rst.value = 0
        serving = cocotb.start_soon(flash.run())
        for _ in range(2 * _SLOWEST * (len(image) + 4 * 256)):
            await edge
            if dut.done.value or dut.failed.value:
                break
        for _ in range(50):
            await edge
        expected = load(bytes(image), structure)
        good = expected is not None and not damaged
        assert (bool(dut.done.value), bool(dut.failed.value)) == (good, not good), (round_, kind)
        if expected is None:
            checks.sequence([], flash.writes, f"write of an image: {kind}", round=round_)
            checks.reach(kind)
        elif not damaged:
            wanted = [
                pack(layout, {"address": at & 0xFFFFFFFF, "data": data, "write": 1})
                for at, data in expected
            ]
            checks.sequence(wanted, flash.writes, "write", round=round_)
            checks.equal(2, flash.starts, "readings")
            checks.reach("loaded", expected)
            checks.reach("empty", not expected)
            checks.reach("cut run", cut)
        checks.reach("second reading", damaged and expected is not None)
        serving.cancel()
    checks.finish()
