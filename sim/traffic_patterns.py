"""Traffic patterns: where each port of a network on chip sends its packets.

The permutations and the hotspot are those of Dally & Towles, "Principles and Practices of
Interconnection Networks" (2004), section 3.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikelet.description.chip.destinations import HOST
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError

__all__ = [
    "Pattern",
    "Rectangle",
    "all_to_one",
    "as_unicasts",
    "bit_complement",
    "hotspot",
    "pattern_of",
    "random_rectangles",
    "transpose",
    "uniform",
]

Rectangle = tuple[int, int, int]
"""Core with the lowest x and y, or :data:`HOST`; columns; rows."""


@dataclass(frozen=True)
class Pattern:
    """Destinations of each port; the cores in order are the ports, and the host is the last.

    Parameters
    ----------
    words : array of uint32, shape (routes,)
        Flits for each destination, without ``axon`` and ``delay``.
    target_offsets, targets : array of int64
        Ports that route ``i`` leads to: ``targets[target_offsets[i]:target_offsets[i + 1]]``.
    nowhere : array of int64, shape (routes,)
        Positions of its rectangle that hold no core.
    choice_offsets, choices : array of int64
        Routes that port ``i`` takes, all with the same probability; one can stand there more than
        once: ``choices[choice_offsets[i]:choice_offsets[i + 1]]``.
    """

    words: npt.NDArray[np.uint32]
    target_offsets: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    nowhere: npt.NDArray[np.int64]
    choice_offsets: npt.NDArray[np.int64]
    choices: npt.NDArray[np.int64]

    @property
    def ports(self) -> int:
        """Ports of the network that it is of."""
        return len(self.choice_offsets) - 1


def pattern_of(chip: ChipParams, chosen: Mapping[int, Sequence[Rectangle]]) -> Pattern:
    """Return the pattern in which each source, a core or :data:`HOST`, takes these destinations.

    SpikeletError if a rectangle does not lie within the chip, or needs multicast without it.
    """
    rectangles = sorted({rectangle for taken in chosen.values() for rectangle in taken})
    route = {rectangle: number for number, rectangle in enumerate(rectangles)}
    found = [_cores(chip, rectangle) for rectangle in rectangles]
    choices = [
        [route[rectangle] for rectangle in chosen.get(source, ())]
        for source in (*range(len(chip.cores)), HOST)
    ]
    return Pattern(
        np.array([_word(chip, rectangle) for rectangle in rectangles], np.uint32),
        _offsets([len(cores) for cores, _ in found]),
        np.array([core for cores, _ in found for core in cores], np.int64),
        np.array([nowhere for _, nowhere in found], np.int64),
        _offsets([len(taken) for taken in choices]),
        np.array([number for taken in choices for number in taken], np.int64),
    )


def as_unicasts(chip: ChipParams, rectangle: Rectangle) -> list[Rectangle]:
    """Return the single cores of a rectangle."""
    return [(core, 1, 1) for core in _cores(chip, rectangle)[0]]


def uniform(chip: ChipParams) -> dict[int, list[Rectangle]]:
    """Return, for each core, all cores, itself included."""
    cores = range(len(chip.cores))
    return {source: [(core, 1, 1) for core in cores] for source in cores}


def transpose(chip: ChipParams) -> dict[int, list[Rectangle]]:
    """Return, for the core at (x, y) of a square, that at (y, x); those on the diagonal rest.

    SpikeletError if there is no core at one of these.
    """
    n = len(chip.cores)
    if chip.width != chip.height or n < chip.width * chip.height - 1:
        raise SpikeletError(
            f"traffic: a transpose needs a square of cores, of which the last may be missing, not "
            f"{n} on {chip.width} x {chip.height} positions"
        )
    return {
        core: [(x * chip.width + y, 1, 1)]
        for core in range(n)
        for x, y in [chip.position(core)]
        if x != y
    }


def bit_complement(chip: ChipParams) -> dict[int, list[Rectangle]]:
    """Return, for each core, that opposite to it with respect to the centre."""
    last = len(chip.cores) - 1
    return {core: [(last - core, 1, 1)] for core in range(last + 1)}


def hotspot(chip: ChipParams, core: int, share: float) -> dict[int, list[Rectangle]]:
    """Return, for each core, all cores; ``core`` gets a share of all packets besides.

    SpikeletError unless ``share`` is 0 or more and below 1.
    """
    if not 0 <= share < 1:
        raise SpikeletError(f"traffic: share must be 0 or more and below 1, not {share}")
    n = len(chip.cores)
    besides = round(share * n / (1 - share))
    return {source: [*taken, *[(core, 1, 1)] * besides] for source, taken in uniform(chip).items()}


def all_to_one(chip: ChipParams, core: int) -> dict[int, list[Rectangle]]:
    """Return ``core``, or :data:`HOST`, for each core, and for the host if it is a core."""
    sources = [*range(len(chip.cores)), *([HOST] if core != HOST else [])]
    return {source: [(core, 1, 1)] for source in sources}


def random_rectangles(
    chip: ChipParams, rng: np.random.Generator, *, each: int
) -> dict[int, list[Rectangle]]:
    """Return, for each core and the host, ``each`` random rectangles, the whole chip among them."""
    whole = (0, chip.width, chip.height)
    return {
        source: [whole, *(_random_rectangle(chip, rng) for _ in range(each - 1))]
        for source in (*range(len(chip.cores)), HOST)
    }


def _random_rectangle(chip: ChipParams, rng: np.random.Generator) -> Rectangle:
    core = int(rng.integers(len(chip.cores)))
    x, y = chip.position(core)
    columns, rows = rng.integers(1, (chip.width - x, chip.height - y), endpoint=True).tolist()
    return core, columns, rows


def _offsets(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *lengths], dtype=np.int64)


def _cores(chip: ChipParams, rectangle: Rectangle) -> tuple[list[int], int]:
    """Return the ports in a rectangle, and the number of its positions without a core."""
    core, columns, rows = rectangle
    if core == HOST:
        return [len(chip.cores)], 0
    x, y = chip.position(core)
    fits = min(columns, rows) >= 1 and x + columns <= chip.width and y + rows <= chip.height
    if not fits or core < 0:
        raise SpikeletError(
            f"traffic: {columns} x {rows} cores from core {core} do not lie within "
            f"{chip.width} x {chip.height} positions"
        )
    if columns * rows > 1 and not chip.multicast:
        raise SpikeletError(f"traffic: {columns} x {rows} cores need multicast")
    positions = [
        core + row * chip.width + column for row in range(rows) for column in range(columns)
    ]
    there = [position for position in positions if position < len(chip.cores)]
    return there, len(positions) - len(there)


def _word(chip: ChipParams, rectangle: Rectangle) -> int:
    core, columns, rows = rectangle
    x, y = (0, 0) if core == HOST else chip.position(core)
    fields = {"axon": 0, "delay": 0, "host": int(core == HOST), "x": x, "y": y}
    if chip.multicast:
        fields |= {"x_last": x + columns - 1, "y_last": y + rows - 1}
    return int(flit_packet(chip).pack(**fields))
