"""Program-and-verify: weights and devices of plastic cores, written until they read as they should.

As memristive devices are written (Alibart et al. 2012, "High precision tuning of state for
memristive devices"): what reads as something else is written again. A word of a chip's memory is
written exactly, unless it is damaged, or what is behind the port has devices of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spikelet.description.checks import check_int
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import words_behind
from spikelet.description.summary import summary
from spikelet.host.link import Link, Words

__all__ = ["MissedWord", "Programmed", "programmed"]

_REGIONS = ("weights", "devices")
_MOST_PASSES = 1000
_CHUNK_WORDS = 4096


@dataclass(frozen=True)
class MissedWord:
    """A word that does not read as it was written.

    Parameters
    ----------
    core : int
    region : str
        ``"weights"`` or ``"devices"``.
    offset : int
        In the region, whose layout the memory map names (``docs/memory-map.md``).
    wanted, found : int
        The word, 0..2**32 - 1, and what the chip gave back last.
    """

    core: int
    region: str
    offset: int
    wanted: int
    found: int


@dataclass(frozen=True)
class Programmed:
    """What program-and-verify has done.

    Parameters
    ----------
    words : int
        Words of weights and devices.
    writes : tuple of int
        Words that were written in each pass: all, then those that had not been as they should.
    missed : tuple of MissedWord
        Those that are not as they should be after the last pass, by address.
    """

    __repr__ = summary

    words: int
    writes: tuple[int, ...]
    missed: tuple[MissedWord, ...]

    @property
    def complete(self) -> bool:
        """Whether all words are as they should be."""
        return not self.missed


def programmed(chip: ChipParams, link: Link, image: ChipImage, passes: int) -> Programmed:
    """Write the weights and devices of plastic cores, read them, and write again what differs.

    Parameters
    ----------
    chip : ChipParams
        With a plastic core.
    link : Link
        To it, between ticks.
    image : ChipImage
        Already checked against ``chip``.
    passes : int
        How often a word is written at most, 1..1000.

    Raises
    ------
    SpikeletError
        If ``passes`` is outside its range, no core is plastic, or the link fails.
    """
    check_int("program_weights: passes", passes, 1, _MOST_PASSES)
    chip_map, program = ChipMap(chip), image.program(chip)
    places = list(_places(chip, chip_map))
    here = np.zeros(len(program), np.bool_)
    for _, _, first, span in places:
        here |= (program[:, 0] >= first) & (program[:, 0] < first + span)
    left = words_behind(chip, program[here])
    words, writes = len(left), list[int]()
    found = left[:0, 1]
    while len(left) and len(writes) < passes:
        for at in range(0, len(left), _CHUNK_WORDS):
            link.write(left[at : at + _CHUNK_WORDS])
        writes.append(len(left))
        found = _read(link, left[:, 0])
        wrong = found != left[:, 1]
        left, found = left[wrong], found[wrong]
    missed = tuple(
        _missed(places, *row) for row in np.column_stack([left, found]).astype(np.int64).tolist()
    )
    return Programmed(words, tuple(writes), missed)


def _read(link: Link, addresses: Words) -> Words:
    parts = range(0, len(addresses), _CHUNK_WORDS)
    return np.concatenate([link.read(addresses[at : at + _CHUNK_WORDS]) for at in parts])


def _places(chip: ChipParams, chip_map: ChipMap) -> Iterator[tuple[int, str, int, int]]:
    """Yield core, region, first address and span of what is programmed."""
    for core in chip.plastic_cores():
        for name in _REGIONS:
            if name in chip_map.cores[core]:
                first = int(chip_map.address(core, name))
                yield core, name, first, chip_map.cores[core][name].span


def _missed(
    places: list[tuple[int, str, int, int]], address: int, wanted: int, found: int
) -> MissedWord:
    core, region, first, _ = next(p for p in places if p[2] <= address < p[2] + p[3])
    return MissedWord(core, region, address - first, wanted, found)
