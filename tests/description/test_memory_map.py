"""Addresses of a small chip, counted by hand: the loaders and the RTL share the map, so no
comparison of theirs would see a wrong one.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import (
    CHIP_REGISTERS,
    COUNTERS,
    EARLY_STOP_REGISTERS,
    FLAGS,
    IDENTIFICATION,
    TICK_BITS,
    WRITABLE_REGISTERS,
    ChipMap,
    chip_registers,
    describe,
)
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.lanes import lane_banks, pack_lanes, unpack_lanes
from spikelet.description.neurons.models import neuron_model

CORE = CoreParams(
    n_axons=20,
    n_neurons=16,
    neuron=neuron_model("nir-euler"),
    lanes=16,
    weight_bits=4,
    potential_bits=12,
    delay_slots=4,
    list_entries=3,
    parameters={
        "threshold": "neuron",
        "decay": "shared",
        "bias": "neuron",
        "reset_potential": "shared",
    },
)
CHIP = ChipParams((CORE, CoreParams(5, 4, neuron_model("snntorch-zero"), lanes=4)), 2, 1)


def test_regions_of_a_core() -> None:
    regions = ChipMap(CHIP).cores[0]
    # name: base, words, span, bits, access
    expected = {
        "weights": (0, 40, 64, 32, "rw"),  # 20 rows of 64 bits
        "destinations": (64, 19, 32, regions["destinations"].bits, "rw"),
        "state": (96, 16, 16, 32, "rw"),
        "threshold": (112, 16, 16, 11, "rw"),  # 0..2047
        "bias": (128, 16, 16, 12, "rw"),
        "arrivals": (144, 8, 8, 16, "rw"),  # 4 slots of 2 words
        "counters": (152, 3, 4, 32, "r"),
        "tick": (156, 1, 1, 9, "rw"),
        "decay": (157, 1, 1, 12, "rw"),
        "reset_potential": (158, 1, 1, 12, "rw"),
    }
    found = {
        name: (region.base, region.words, region.span, region.bits, region.access)
        for name, region in regions.items()
    }
    assert found == expected


def test_windows_and_addresses() -> None:
    chip_map = ChipMap(CHIP)
    assert (chip_map.window, chip_map.address_bits) == (256, 10)  # three windows
    assert chip_map.address(0, "state", [0, 15]).tolist() == [256 + 96, 256 + 111]
    tick = chip_map.cores[1]["tick"].base
    assert chip_map.address(1, "tick").tolist() == 512 + tick
    described = describe(CHIP)
    assert described["word_bits"] == 32
    assert (described["address_bits"], described["window_words"]) == (10, 256)
    assert [core["window"] for core in described["cores"]] == [256, 512]
    assert [core["core"] for core in described["cores"]] == [0, 1]
    assert described["structure"] == int(CHIP.digest[:8], 16)
    assert described["chip_registers"]["identification"] == 0
    first = described["cores"][0]["regions"][0]
    assert (first["name"], first["base"], first["words"]) == ("weights", 0, 40)


def test_a_window_holds_at_least_the_chip_registers() -> None:
    tiny = CoreParams(1, 1, neuron_model("snntorch-zero"), lanes=1)
    chip_map = ChipMap(ChipParams((tiny,)))
    used = max(region.base + region.span for region in chip_map.cores[0].values())
    assert used <= chip_map.window == 16 > len(CHIP_REGISTERS) // 2


def test_a_chip_beyond_32_address_bits_is_refused() -> None:
    large = CoreParams(4096, 4096, neuron_model("snntorch-zero"), lanes=16, weight_bits=8)
    words = ChipMap(ChipParams((large,))).window
    most = (1 << 32) // words - 1
    assert ChipMap(ChipParams((large,) * most, most)).address_bits == 32
    with pytest.raises(SpikeletError, match="chip: 33 address bits exceed 32"):
        ChipMap(ChipParams((large,) * (most + 1), most + 1))


def test_numbers_that_hosts_were_built_with() -> None:
    assert int.from_bytes(b"SPK\x03", "big") == IDENTIFICATION
    assert (TICK_BITS, len(COUNTERS), len(FLAGS)) == (9, 3, 3)
    assert set(WRITABLE_REGISTERS) <= {*CHIP_REGISTERS, *EARLY_STOP_REGISTERS}
    stops = chip_registers(replace(CHIP, early_stop=True))
    assert stops[:10] == chip_registers(CHIP) == CHIP_REGISTERS
    assert stops[10:] == ("stop_at_output", "stopped")


def test_lanes_lie_side_by_side_from_bit_0() -> None:
    offsets, words = pack_lanes(np.array([[1, 2, 3], [-1, 0, 7]]), 12)
    assert lane_banks(3, 12) == 2
    assert offsets.tolist() == [0, 1, 2, 3]
    assert words.tolist() == [0x03002001, 0x0, 0x07000FFF, 0x0]
    assert unpack_lanes(words, 3, 12).tolist() == [[1, 2, 3], [4095, 0, 7]]
    assert unpack_lanes(words, 3, 12, signed=True).tolist() == [[1, 2, 3], [-1, 0, 7]]
    assert pack_lanes(np.zeros((2, 5), np.int64), 16)[0].tolist() == [0, 1, 2, 4, 5, 6]
