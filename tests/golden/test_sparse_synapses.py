"""Sparse synapses in golden: rows of entries, which equal the matrix that they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.golden import chip as golden_chip
from spikelet.golden.synapses.sums import synaptic_sums
from tests.helpers.random_chips import (
    random_chip_of,
    random_core,
    random_events,
    random_image,
    spiking,
)
from tests.helpers.random_sparse import random_entries, sparse_core


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_sums_are_those_of_the_matrix(seed: int, activity: float) -> None:
    rng = np.random.default_rng(seed)
    core = sparse_core(rng)
    entries = random_entries(rng, core)
    active = rng.random((2, 3, core.n_axons)) < activity
    matrix = core.synapse_format.matrix(core, entries).astype(np.int64)
    sums = synaptic_sums(core, active, entries)
    assert sums.dtype == np.int32
    assert (sums == active.astype(np.int64) @ matrix).all()
    low, high = core.sum_range
    assert low <= sums.min() and sums.max() <= high


@pytest.mark.parametrize("seed", range(6))
def test_the_native_path_is_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def draw() -> tuple[ChipParams, ChipImage, Events]:
        chip = random_chip_of(rng, (sparse_core(rng), sparse_core(rng), random_core(rng)))
        return chip, random_image(rng, chip), random_events(rng, chip)

    chip, image, events = spiking(draw)
    numpy, native = (
        golden_chip.run(chip, image, events, backend=backend) for backend in ("numpy", "native")
    )
    assert native.first_difference(numpy) is None
