"""Where everything in a chip is found through its configuration port: 32-bit words, word addresses.

The address space is divided into equal windows: window 0 holds the chip's registers, window
``1 + i`` belongs to core ``i``. The generator decodes these addresses, the loaders write to them,
and the tables in the documentation are printed from them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikelet.description.packets import destination_packet
from spikelet.description.params import ChipParams, CoreParams
from spikelet.errors import SpikeletError

__all__ = [
    "CHIP_REGISTERS",
    "COUNTERS",
    "IDENTIFICATION",
    "STATE_FIRED_BIT",
    "ChipMap",
    "Region",
    "core_regions",
    "describe",
    "unpack_state",
]

IDENTIFICATION = 0x53504B01
"""Chip register 0: "SPK" and the version of this map."""

CHIP_REGISTERS = ("identification", "structure", "ticks", "cycles")
"""Window 0: identification; first 32 bits of the structure digest; ticks since clear; clock cycles
of the last tick, from its start to the barrier."""

COUNTERS = ("active_axons", "merged_spikes")
"""Counters of a core since clear: axons found active; spikes that merged into an arrival already
due at the same axon and tick. Both wrap at 2**32."""

STATE_FIRED_BIT = 31
"""State word: bits 30..0 membrane potential (sign-extended), bit 31 fired in the last tick."""


@dataclass(frozen=True)
class Region:
    """A memory or register group of a core.

    Parameters
    ----------
    name : str
    base : int
        Word address within the core's window; a multiple of ``span``.
    words : int
        Words in use.
    span : int
        Words decoded, a power of two.
    bits : int
        Bits in use in each word, from bit 0.
    access : str
        ``"rw"`` or ``"r"``.
    layout : str
        How an index becomes an offset, for the tables.
    """

    name: str
    base: int
    words: int
    span: int
    bits: int
    access: str
    layout: str


def _ceil_power_of_two(value: int) -> int:
    return 1 << (value - 1).bit_length()


def core_regions(core: CoreParams, destination_bits: int) -> dict[str, Region]:
    """Return the regions of a core by name, largest first, each aligned to its span."""
    banks = _ceil_power_of_two(core.weight_banks)
    wanted = [
        (
            "weights",
            core.weight_rows * banks,
            min(32, core.lanes * core.weight_bits),
            "rw",
            f"(group * {core.n_axons} + axon) * {banks} + bank; lane l of the row at bit "
            f"l * {core.weight_bits}, 32 bits a bank",
        ),
        ("state", core.n_neurons, 32, "rw", "neuron; bit 31 fired, below it the potential"),
        (
            "destinations",
            core.n_neurons * core.fan_out,
            destination_bits,
            "rw",
            f"neuron * {core.fan_out} + k",
        ),
        ("counters", len(COUNTERS), 32, "r", ", ".join(COUNTERS)),
    ]
    for name, bits in (
        ("threshold", core.potential_bits),
        ("decay", 12),
        ("bias", core.potential_bits),
        ("reset_potential", core.potential_bits),
    ):
        scope = getattr(core, name)
        if scope != "none":
            words = core.n_neurons if scope == "neuron" else 1
            layout = "neuron" if scope == "neuron" else "one for all neurons"
            wanted.append((name, words, bits, "rw", layout))
    regions = {}
    base = 0
    for name, words, bits, access, layout in sorted(wanted, key=lambda item: -item[1]):
        span = _ceil_power_of_two(words)
        base = -(-base // span) * span
        regions[name] = Region(name, base, words, span, bits, access, layout)
        base += span
    return regions


class ChipMap:
    """The memory map of one chip.

    Attributes
    ----------
    window : int
        Words of a window, a power of two.
    address_bits : int
    cores : list of dict of Region
        Per core, by region name.
    """

    def __init__(self, chip: ChipParams) -> None:
        destination_bits = destination_packet(chip).width
        self.cores = [core_regions(core, destination_bits) for core in chip.cores]
        used = [max(r.base + r.span for r in regions.values()) for regions in self.cores]
        self.window = _ceil_power_of_two(max(len(CHIP_REGISTERS), *used))
        self.address_bits = (self.window * (1 + len(self.cores)) - 1).bit_length()
        if self.address_bits > 32:
            raise SpikeletError(f"chip: {self.address_bits} address bits exceed 32")

    def address(self, core: int, region: str, offset: npt.ArrayLike = 0) -> npt.NDArray[np.uint32]:
        """Return word addresses in a region of a core."""
        base = self.window * (1 + core) + self.cores[core][region].base
        return (np.asarray(offset, np.int64) + base).astype(np.uint32)

    def state_addresses(self, core: int) -> npt.NDArray[np.uint32]:
        """Return the addresses of a core's state words, neuron by neuron."""
        return self.address(core, "state", np.arange(self.cores[core]["state"].words))


def unpack_state(
    words: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Split state words into potentials and fired marks."""
    signed = words.astype(np.uint32).view(np.int32)
    return (signed << 1) >> 1, signed < 0


def describe(chip: ChipParams) -> dict[str, Any]:
    """Return the whole map as JSON-compatible values: windows, registers, regions of every core."""
    chip_map = ChipMap(chip)
    return {
        "word_bits": 32,
        "address_bits": chip_map.address_bits,
        "window_words": chip_map.window,
        "chip_registers": {name: index for index, name in enumerate(CHIP_REGISTERS)},
        "structure": int(chip.digest[:8], 16),
        "cores": [
            {
                "core": index,
                "window": chip_map.window * (1 + index),
                "regions": [vars(region) for region in regions.values()],
            }
            for index, regions in enumerate(chip_map.cores)
        ],
    }
