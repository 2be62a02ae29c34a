"""The configuration of an iCE40 as text, in the form of Project IceStorm's tools."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spikelet.description.errors import SpikeletError
from spikelet.fpga.bitstream.ice40_database import Bit

__all__ = ["Configuration", "RamBit", "symbols"]

_ROWS, _COLUMNS = 16, 54
_RAM_ROWS, _RAM_BITS = 16, 256

_SECTION = re.compile(r"^\.(\w+) ?([^\n]*)\n((?:[^.\n][^\n]*\n|\n)*)", re.M)
_SYMBOL = re.compile(r"^\.sym (\d+) (\S+)$", re.M)

RamBit = tuple[int, int, int]
"""A bit of a block RAM's contents: x and y of its lower tile, and the number of the bit."""


@dataclass(frozen=True, eq=False)
class Configuration:
    """All bits of a configuration.

    Parameters
    ----------
    die : str
        ``"5k"`` or another of IceStorm's names.
    tiles : array of uint8, shape (height, width, 16, 54)
        The bits of each tile by row and column; 0 beyond its size.
    rams : dict
        Contents of block RAMs by x and y of the lower tile: 4,096 bits, INIT_0's lowest first. One
        that is not listed holds zeros.
    extra : frozenset
        Bits outside of tiles that are 1: bank, x and y in it.
    """

    die: str
    tiles: npt.NDArray[np.uint8]
    rams: dict[tuple[int, int], int]
    extra: frozenset[tuple[int, ...]]

    @classmethod
    def parse(cls, text: str) -> "Configuration":
        """Return what an ``.asc`` file holds; SpikeletError if it is none."""
        die, extra = "", set()
        tiles: dict[tuple[int, int], list[str]] = {}
        rams: dict[tuple[int, int], int] = {}
        try:
            for kind, words, body in _SECTION.findall(text):
                if kind == "device":
                    die = words
                elif kind == "extra_bit":
                    extra.add(tuple(map(int, words.split())))
                elif kind.endswith("_tile"):
                    x, y = map(int, words.split())
                    tiles[x, y] = body.split()
                elif kind == "ram_data":
                    x, y = map(int, words.split())
                    rows = [int(row, 16) for row in body.split()]
                    rams[x, y] = sum(row << _RAM_BITS * at for at, row in enumerate(rows))
            width, height = (1 + max(at) for at in zip(*tiles, strict=True))
            bits = np.zeros((height, width, _ROWS, _COLUMNS), np.uint8)
            for (x, y), rows_of in tiles.items():
                for at, row in enumerate(rows_of):
                    bits[y, x, at, : len(row)] = np.frombuffer(row.encode(), np.uint8) - ord("0")
        except (ValueError, IndexError) as error:
            raise SpikeletError(
                f"this is no configuration of an iCE40: {error}", remedy="build the bitstream again"
            ) from error
        return cls(die, bits, {at: ram for at, ram in rams.items() if ram}, frozenset(extra))

    def __eq__(self, other: object) -> bool:
        """Whether all bits are the same."""
        return (
            isinstance(other, Configuration)
            and (self.die, self.rams, self.extra) == (other.die, other.rams, other.extra)
            and np.array_equal(self.tiles, other.tiles)
        )

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, bit: Bit) -> int:
        """Return a bit of a tile."""
        x, y, row, column = bit
        return int(self.tiles[y, x, row, column])

    def value(self, bits: Iterable[Bit]) -> int:
        """Return some bits as a number, the first the lowest."""
        return sum(self[bit] << place for place, bit in enumerate(bits))

    def flipped(self, bit: tuple[int, ...]) -> "Configuration":
        """Return a configuration in which one bit is the other way round.

        ``bit`` is a :data:`Bit`, or a :data:`RamBit` of the contents of a block RAM.
        """
        if len(bit) == 3:
            x, y, number = bit
            rams = {**self.rams, (x, y): self.rams.get((x, y), 0) ^ 1 << number}
            return replace(self, rams={at: ram for at, ram in rams.items() if ram})
        x, y, row, column = bit
        tiles = self.tiles.copy()
        tiles[y, x, row, column] ^= 1
        return replace(self, tiles=tiles)

    def differences(self, other: "Configuration") -> int:
        """Return how many bits differ from another configuration of the same die."""
        rams = sum(
            (self.rams.get(at, 0) ^ other.rams.get(at, 0)).bit_count()
            for at in {*self.rams, *other.rams}
        )
        if self.tiles.shape != other.tiles.shape:
            return rams + max(self.tiles.size, other.tiles.size)
        return rams + int((self.tiles != other.tiles).sum()) + len(self.extra ^ other.extra)


def symbols(text: str) -> dict[str, int]:
    """Return a wire of each net that nextpnr named in a placed ``.asc`` file: names, no logic."""
    found: dict[str, int] = {}
    for wire, name in _SYMBOL.findall(text):
        found.setdefault(name, int(wire))
    return found
