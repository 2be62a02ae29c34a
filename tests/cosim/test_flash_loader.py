# amaranth: UnusedElaboratable=no
"""The loader of a flash image, and the image itself."""

import struct
import zlib

import numpy as np
import pytest

from spikelet.description.chip.flash_image import MAGIC, flash_image
from spikelet.description.errors import SpikeletError
from spikelet.golden.flash_loader import load
from spikelet.rtl_gen.flash_loader import FlashLoader
from tests.cosim.support import SEEDS, Bench
from tests.helpers.random_chips import random_chip

STRUCTURE = 0x89ABCDEF


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Build a loader."""
    return Bench(FlashLoader(STRUCTURE), structure=STRUCTURE)


@pytest.mark.parametrize("seed", SEEDS)
def test_flash_loader(bench, seed, tmp_path):
    bench.run(seed, tmp_path)


def test_an_image_holds_the_program() -> None:
    chip = random_chip(np.random.default_rng(3), most_cores=2)
    program = np.array([(7, 1), (8, 2), (20, 0xFFFFFFFF)], np.uint32)
    image = flash_image(chip, program)
    structure = int(chip.digest[:8], 16)
    words = struct.unpack(f"<{len(image) // 4}I", image)
    assert words == (MAGIC, structure, 7, 7, 2, 1, 2, 20, 1, 0xFFFFFFFF, zlib.crc32(image[:-4]))
    assert image[:4] == b"SPF\x01"
    assert load(image + b"behind", structure) == [(7, 1), (8, 2), (20, 0xFFFFFFFF)]
    assert load(image, structure ^ 1) is None
    assert load(image[:-1], structure) is None


def test_a_program_that_no_flash_holds_is_refused() -> None:
    chip = random_chip(np.random.default_rng(3), most_cores=2)
    program = np.zeros(((1 << 22) + 2, 2), np.uint32)
    program[:, 0] = np.arange(len(program))
    with pytest.raises(SpikeletError, match=r"^flash image: a program of 4,194,308 words"):
        flash_image(chip, program)
