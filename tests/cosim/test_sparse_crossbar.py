# amaranth: UnusedElaboratable=no
"""The sparse crossbar on random rows, in Amaranth's simulator: its sums equal golden's.

The memories of sums are as bad as silicon may be: they power up with anything, and a row that is
read while it is written reads as something else.
"""

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.golden.synapses.sums import synaptic_sums
from spikelet.rtl_gen.banked_memory import BankedMemory
from spikelet.rtl_gen.sum_memory import SumMemory
from tests.helpers.crossbar_ticks import PoorMemory, crossbar_sums
from tests.helpers.random_sparse import random_entries, sparse_core

ACTIVITIES = (0.0, 1.0, 1.0, 0.5, 0.2, 0.05, 0.0, 0.1)


@pytest.fixture(autouse=True)
def poor_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the memories of sums be poor ones."""

    def memory(self: SumMemory) -> BankedMemory:
        return PoorMemory(depth=self.rows, banks=1, bank_bits=self.lanes * self.bits)

    monkeypatch.setattr(SumMemory, "memory", memory)


def check(seed: int) -> CoreParams:
    """Compare a core of random rows with golden, and golden with the matrix; return the core."""
    rng = np.random.default_rng(seed)
    core = sparse_core(rng)
    entries = random_entries(rng, core)
    ticks = np.stack([rng.random(core.n_axons) < activity for activity in ACTIVITIES])
    expected = synaptic_sums(core, ticks, entries)
    matrix = core.synapse_format.matrix(core, entries)
    assert (expected == ticks.astype(np.int64) @ matrix.astype(np.int64)).all()
    assert crossbar_sums(core, entries, ticks, rng) == expected.tolist()
    return core


@pytest.mark.parametrize("seed", range(10))
def test_its_sums_are_those_of_golden(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_its_sums_are_those_of_golden_whatever_the_rows() -> None:
    found = [check(seed) for seed in range(100, 250)]
    assert {core.lanes for core in found} == {1, 2, 4, 8, 16, 32}
    assert {core.groups for core in found} >= {1, 2, 3, 4}
    assert {core.weight_memory for core in found} == {"block", "spram"}
