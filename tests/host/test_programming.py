"""Program-and-verify behind links that lose writes; on a board, see ``test_virtual_board.py``."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import IDENTIFICATION, ChipMap, register_number
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.devices import Devices
from spikelet.host.driver import Chip
from spikelet.host.link import Batch, Ran, Words
from tests.helpers.random_plastic import random_plastic_image
from tests.sim.test_engine_learning import CHIP, RULE

DEVICES = Devices(1, up=(16,) * 16, down=(16,) * 16)
RULED = replace(RULE, devices=DEVICES, w_max=15, w_min=0)
CORES = tuple(replace(core, learning=RULED if core.learning else None) for core in CHIP.cores)
CHIPS = {"weights": CHIP, "devices": replace(CHIP, cores=CORES)}
RNG = np.random.default_rng(4)


class Memory:
    """A link to words that can be written; of later writes some are lost, some words are broken."""

    def __init__(self, chip: object, seed: int) -> None:
        self.words: dict[int, int] = {}
        self.rng, self.chance, self.broken = np.random.default_rng(seed), 0.0, set[int]()
        self.words[register_number(chip, "identification")] = IDENTIFICATION
        self.words[register_number(chip, "structure")] = int(chip.digest[:8], 16)
        self.written: set[int] = set()

    def write(self, words: Words) -> None:
        for address, data in words.tolist():
            self.written.add(address)
            if address not in self.broken and self.rng.random() >= self.chance:
                self.words[address] = data

    def read(self, addresses: Words) -> Words:
        return np.array([self.words.get(a, 0) for a in addresses.tolist()], np.uint32)

    def run(self, batch: Batch) -> Ran:
        raise AssertionError("nothing is run")

    def close(self) -> None:
        pass


def driver(kind: str) -> tuple[Chip, Memory, ChipImage]:
    """Return a chip with an image loaded, and another image."""
    rng, chip = np.random.default_rng(1), CHIPS[kind]
    link = Memory(chip, 2)
    found = Chip(chip, link, name="board")
    found.load(random_plastic_image(rng, chip))
    link.written.clear()
    return found, link, random_plastic_image(rng, chip)


def span(chip: Chip, core: int, region: str) -> range:
    """Return the addresses of a region."""
    first = int(chip.map.address(core, region))
    return range(first, first + chip.map.cores[core][region].span)


@pytest.mark.parametrize("kind", CHIPS)
def test_what_was_lost_is_written_again(kind: str) -> None:
    chip, link, image = driver(kind)
    link.chance = 0.3
    before = dict(link.words)
    report = chip.program_weights(image, passes=50)
    assert report.complete and report.words == report.writes[0]
    assert len(report.writes) > 1
    assert list(report.writes) == sorted(report.writes, reverse=True)
    regions = ("weights", "devices") if kind == "devices" else ("weights",)
    spans = [span(chip, core, name) for core in (0, 2) for name in regions]
    for address, data in image.program(chip.chip).tolist():
        inside = any(address in span for span in spans)
        assert (address in link.written) == inside
        assert link.words[address] == (data if inside else before[address])


def test_which_words_are_not_reached_is_said() -> None:
    chip, link, image = driver("weights")
    address = int(ChipMap(CHIP).address(2, "weights", np.array([3]))[0])
    wanted = dict(image.program(CHIP).tolist())[address]
    link.broken = {address}
    link.words[address] = found = wanted ^ 4
    report = chip.program_weights(image, passes=3)
    assert not report.complete and report.writes == (report.words, 1, 1)
    (missed,) = report.missed
    assert (missed.core, missed.region, missed.offset) == (2, "weights", 3)
    assert (missed.wanted, missed.found) == (wanted, found)


def test_messages() -> None:
    chip, link, image = driver("weights")
    with pytest.raises(SpikeletError, match=r"program_weights: passes must be .*1\.\.1000"):
        chip.program_weights(image, passes=0)
    with pytest.raises(SpikeletError, match="load an image first"):
        Chip(CHIP, link, name="board").program_weights(image)
    with pytest.raises(SpikeletError, match="cores"):
        chip.program_weights(ChipImage(image.cores[:1]))
    plain = replace(CHIP, cores=(CHIP.cores[1],) * 3)
    fixed, contents = Chip(plain, Memory(plain, 1), name="board"), random_plastic_image(RNG, plain)
    fixed.load(contents)
    with pytest.raises(SpikeletError, match="no plastic core"):
        fixed.program_weights(contents)
