"""Wrappers and models of memory macros, run in a simulator."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from spikelet.asic.memories import macro_table, memory_files
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.memory_macros import MacroShape, MemoryMacros
from spikelet.sim.model import Model

SHAPES = (MacroShape(20, 8, 1), MacroShape(20, 8, 2))


@pytest.mark.parametrize(
    "shape", [SHAPES[1], pytest.param(SHAPES[0], marks=pytest.mark.slow)], ids=("two", "one")
)
def test_a_memory_of_macros_holds_what_is_written(shape: MacroShape, tmp_path: Path) -> None:
    """Two banks, beside a numpy array; a row that is not read stays at the output."""
    kind = "spram" if shape.ports == 1 else "block"
    macros = MemoryMacros("top", smallest_bits=1)
    memory = BankedMemory(depth=20, banks=2, bank_bits=8, kind=kind)
    verilog = to_verilog(memory, "top", initial_values=False, platform=macros)
    assert macros.instances == Counter({shape: 2}) and "reg " not in verilog
    files = memory_files("top", macros.instances)
    whole = "".join([verilog, files["memories.v"], files["memory_models.v"]])
    rng, rows, shown = np.random.default_rng(1), np.zeros((20, 2), int), None
    with Model(whole, "top") as model:
        for row in range(20):
            step(model, row, 3, int(rng.integers(1 << 16)), rows, read=False)
        for _ in range(300):
            row, reads = int(rng.integers(20)), bool(rng.integers(2))
            banks = 0 if reads else int(rng.integers(4))
            step(model, row, banks, int(rng.integers(1 << 16)), rows, read=reads)
            if reads:
                shown = rows[row].copy()
            elif shape.ports == 1 and banks:
                shown = None  # a macro of one port loses it
            if shown is not None:
                assert model["read_data"] == shown[0] | shown[1] << 8


def step(model: Model, row: int, banks: int, data: int, rows: np.ndarray, *, read: bool) -> None:
    """Write banks of a row, or read it, for a cycle; keep the array up."""
    model["write_row"] = model["read_row"] = row
    model["write_banks"], model["write_data"], model["read_enable"] = banks, data, read
    model.step()
    for bank in range(2):
        if banks >> bank & 1:
            rows[row, bank] = data >> 8 * bank & 0xFF


def test_small_memories_stay_registers() -> None:
    macros = MemoryMacros("top", smallest_bits=161)
    verilog = to_verilog(
        BankedMemory(depth=20, banks=1, bank_bits=8), "top", initial_values=False, platform=macros
    )
    assert not macros.instances and "initial" not in verilog
    assert MemoryMacros("top", 1).shape_of(1, 99, one_port=False) is None


def test_the_table_counts_bits() -> None:
    found = macro_table("chip", {MacroShape(64, 32, 1): 3, MacroShape(50, 6, 2): 1})
    assert found == [
        {
            **{"module": "chip_sram_1w1r_50x6", "rows": 50, "width": 6},
            **{"ports": "1 write, 1 read", "instances": 1, "bits": 300},
        },
        {
            **{"module": "chip_sram_1rw_64x32", "rows": 64, "width": 32},
            **{"ports": "1 read or write", "instances": 3, "bits": 6144},
        },
    ]
