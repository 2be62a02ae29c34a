# amaranth: UnusedElaboratable=no
"""The crossbar of axon types on random cores, in Amaranth's simulator: its sums equal golden's."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.named_rules import RULES
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.synapses.sums import synaptic_sums
from tests.helpers.crossbar_ticks import crossbar_sums
from tests.helpers.random_types import typed_core, typed_weights

ACTIVITIES = (0.0, 1.0, 1.0, 0.5, 0.2, 0.05, 0.0, 0.1)


def check(seed: int, **fields: Any) -> CoreParams:
    """Compare a random core with golden, and golden with the matrix; return the core."""
    rng = np.random.default_rng(seed)
    core = replace(typed_core(rng), **fields)
    weights = typed_weights(rng, core)
    ticks = np.stack([rng.random(core.n_axons) < activity for activity in ACTIVITIES])
    expected = synaptic_sums(core, ticks, weights)
    matrix = core.synapse_format.matrix(core, weights)
    assert (expected == ticks.astype(np.int64) @ matrix.astype(np.int64)).all()
    assert crossbar_sums(core, weights, ticks, rng) == expected.tolist()
    return core


@pytest.mark.parametrize("seed", range(6))
def test_its_sums_are_those_of_golden(seed: int) -> None:
    check(seed)


@pytest.mark.parametrize("seed", range(2))
def test_weights_of_9_bits(seed: int) -> None:
    check(seed, weight_bits=9, weight_format="signed")


@pytest.mark.slow
def test_its_sums_are_those_of_golden_whatever_the_core() -> None:
    found = [check(seed) for seed in range(100, 160)]
    assert {core.lanes for core in found} == {1, 2, 4, 8, 16, 32}
    assert {core.groups for core in found} == {1, 2, 3}


def test_a_matrix_comes_back() -> None:
    rng = np.random.default_rng(7)
    core = replace(typed_core(rng), n_axons=60, n_neurons=64, lanes=16, pipelines=1)
    weights = typed_weights(rng, core)
    format = core.synapse_format
    matrix = format.matrix(core, weights)
    stored = format.stored(core, matrix, "core 0")
    assert np.array_equal(format.matrix(core, stored), matrix)
    assert set(np.unique(stored[: core.n_axons, 0])) == {0, 1, 2, 3}


def test_messages() -> None:
    core = CoreParams(5, 4, neuron_model("nir-euler"), lanes=2, synapses="axon-types")
    format = core.synapse_format
    matrix = np.repeat(np.arange(1, 6, dtype=np.int16)[:, None], 4, axis=1)
    with pytest.raises(SpikeletError, match="core 3: axon 4 would be of a fifth type"):
        format.stored(core, matrix, "core 3")
    matrix[4] = 1
    stored = format.stored(core, matrix, "core 3")
    for place, value, message in (
        ((0, 0), 4, "types of axons must be in 0..3, found 4"),
        ((0, 1), 2, "bits of synapses must be in 0..1, found 2"),
        ((6, 1), 8, r"weights must be in -8\.\.7, found 8"),
    ):
        wrong = stored.copy()
        wrong[place] = value
        with pytest.raises(SpikeletError, match=f"^core 3: {message}"):
            format.check(core, wrong, "core 3")
    with pytest.raises(SpikeletError, match=r"must have shape \(9, 5\), not \(5, 4\)"):
        format.check(core, matrix, "core 3")
    with pytest.raises(SpikeletError, match="axon types are signed or unsigned, not binary"):
        replace(core, weight_bits=1, weight_format="binary")
    with pytest.raises(SpikeletError, match="axon-types synapses cannot learn"):
        replace(core, learning=RULES["pair_stdp"]())
