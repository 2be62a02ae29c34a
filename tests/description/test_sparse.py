"""Rows of entries: what is stored for a matrix, where it goes, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import pair_stdp
from spikelet.description.neurons.models import neuron_model
from tests.helpers.random_sparse import random_entries, sparse_core

CORE = CoreParams(
    *(5, 8, neuron_model("snntorch-subtract")),
    weight_bits=4,
    lanes=4,
    synapses="sparse",
    synapse_options={"entries": 6, "fan_in": 3},
)
MATRIX = np.array(
    [
        [1, 0, 0, 0, 2, 0, 0, 3],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, -8, 0, 0, 0, 7, 0],
        [0, 5, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    np.int16,
)
ENTRIES = np.array(
    [
        # axon, group of each lane, weight of each lane
        [0, 0, 0, 0, 1, 1, 0, 0, 3],
        [0, 1, 0, 0, 0, 2, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, -8, 0],
        [2, 0, 0, 1, 0, 0, 0, 7, 0],
        [3, 0, 0, 0, 0, 0, 5, 0, 0],
    ],
    np.int16,
)


def test_the_entries_of_a_matrix() -> None:
    """Each lane has its own next neuron in each entry."""
    format = CORE.synapse_format
    assert (format.stored(CORE, MATRIX, "core 0") == ENTRIES).all()
    assert (format.matrix(CORE, ENTRIES) == MATRIX).all()
    assert format.options_of(4, MATRIX) == {"entries": 5, "fan_in": 1}
    assert format.options_of(1, MATRIX) == {"entries": 6, "fan_in": 1}
    assert format.options_of(4, np.zeros((3, 4), np.int16)) == {"entries": 1, "fan_in": 1}


def test_where_they_go() -> None:
    (_, offsets, entries), (_, axons, rows) = CORE.synapse_format.words(CORE, ENTRIES)
    assert offsets.tolist() == [0, 1, 2, 3, 4, 5] and axons.tolist() == [0, 1, 2, 3, 4]
    # A lane is 4 bits of weight and one of its group.
    assert entries.tolist() == [1 | (16 | 3) << 15, 16 | 2, 8 << 10, (16 | 7) << 10, 5 << 5, 0]
    # A row is where it begins, in 3 bits, and its length.
    assert rows.tolist() == [0 | 2 << 3, 0, 2 | 2 << 3, 4 | 1 << 3, 0]
    assert {region.name: region.words for region in CORE.synapse_format.regions(CORE)} == {
        "weights": 6,
        "axon_rows": 5,
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_matrix_comes_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    core = sparse_core(rng)
    format = core.synapse_format
    entries = random_entries(rng, core)
    matrix = format.matrix(core, entries)
    assert np.count_nonzero(matrix) == np.count_nonzero(entries[:, 1 + core.lanes :])
    assert (format.stored(core, matrix, "core") == entries).all()
    needed = format.options_of(core.lanes, matrix)
    assert needed["entries"] == len(entries) <= core.weight_rows
    assert needed["fan_in"] == np.count_nonzero(matrix, axis=0).max()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_with_fewer_lanes_a_core_holds_the_same_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    core = sparse_core(rng)
    matrix = core.synapse_format.matrix(core, random_entries(rng, core))
    for lanes in (1 << step for step in range(core.lanes.bit_length())):
        options = core.synapse_format.options_with(core, lanes)
        fewer = replace(core, lanes=lanes, pipelines=1, synapse_options=options)
        entries = fewer.synapse_format.stored(fewer, matrix, "core")
        assert (fewer.synapse_format.matrix(fewer, entries) == matrix).all()


@pytest.mark.parametrize(
    ("at", "value", "error"),
    [
        ((0, 0), -1, "core 0: axons of entries must be in 0..4, found -1"),
        ((4, 0), 5, "core 0: axons of entries must be in 0..4, found 5"),
        ((1, 2), 2, "core 0: groups of entries must be in 0..1, found 2"),
        ((1, 2), -1, "core 0: groups of entries must be in 0..1, found -1"),
        ((1, 5), 8, "core 0: weights must be in -8..7, found 8"),
        ((1, 0), 3, "core 0: entry 2 is of axon 2, behind one of axon 3"),
        ((1, slice(1, None)), ENTRIES[0, 1:], "core 0: axon 0 has two weights to neuron 0"),
        (slice(None), [0, 0, 0, 0, 0, 1, 0, 0, 0], "axon 0 has two weights to neuron 0"),
    ],
)
def test_wrong_entries_are_refused(at: object, value: object, error: str) -> None:
    entries = ENTRIES.copy()
    entries[at] = value
    with pytest.raises(SpikeletError, match=error):
        CORE.synapse_format.check(CORE, entries, "core 0")


def test_what_the_core_has_no_room_for_is_refused() -> None:
    format = CORE.synapse_format
    dense = np.ones((5, 8), np.int16)
    with pytest.raises(SpikeletError, match="core 0: 10 entries; the core has room for 6"):
        format.stored(CORE, dense, "core 0")
    column = np.zeros((5, 8), np.int16)
    column[:4, 6] = 1
    error = "core 0: neuron 6 has weights from 4 axons; fan_in of the core is 3"
    with pytest.raises(SpikeletError, match=error):
        format.stored(CORE, column, "core 0")
    with pytest.raises(SpikeletError, match=r"must have shape \(n, 9\), not \(5, 8\)"):
        format.check(CORE, dense, "core 0")
    format.check(CORE, ENTRIES[:0], "core 0")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            {"entries": 0, "fan_in": 1},
            r"entries of sparse synapses must be an int in 1\.\.10, not 0",
        ),
        ({"entries": 11, "fan_in": 1}, r"must be an int in 1\.\.10, not 11"),
        ({"entries": 2.0, "fan_in": 1}, r"must be an int in 1\.\.10, not 2\.0"),
        ({"entries": True, "fan_in": 1}, r"must be an int in 1\.\.10, not True"),
        ({"entries": 2, "fan_in": 6}, r"fan_in of sparse synapses must be an int in 1\.\.5, not 6"),
        ({"entries": 2}, "synapse_options of sparse synapses must be entries, fan_in, not entries"),
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, int], error: str) -> None:
    with pytest.raises(SpikeletError, match=error):
        replace(CORE, synapse_options=options)


def test_it_neither_learns_nor_is_binary() -> None:
    with pytest.raises(SpikeletError, match="sparse synapses cannot learn"):
        replace(CORE, learning=pair_stdp(w_min=-8, w_max=7))
    with pytest.raises(SpikeletError, match="signed or unsigned, not binary"):
        replace(CORE, weight_bits=1, weight_format="binary")


def test_the_largest_core_has_a_word_for_each_row() -> None:
    largest = replace(
        CORE,
        n_axons=4096,
        n_neurons=4096,
        lanes=1,
        synapse_options={"entries": 1 << 18, "fan_in": 9},
    )
    assert CoreParams.from_dict(largest.to_dict()) == largest
    rows = largest.synapse_format.regions(largest)[1]
    assert rows.bits == 18 + 13 <= 32
    with pytest.raises(SpikeletError, match=r"1\.\.262144, not 262145"):
        replace(largest, synapse_options={"entries": (1 << 18) + 1, "fan_in": 9})
