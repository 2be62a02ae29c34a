"""Shared synapses in golden: a convolution, which equals the matrix that it stands for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.params import ChipParams
from spikelet.description.synapses.convolution import ConvolutionShape
from spikelet.golden import chip as golden_chip
from spikelet.golden.synapses.sums import synaptic_sums
from spikelet.golden.timing import core_cycles, tick_cycles
from tests.helpers.random_chips import random_chip_of, random_core, random_events, random_image
from tests.helpers.random_convolutions import (
    convolution_core,
    random_convolution,
    random_kernel,
)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from(["shared", "gather"]))
def test_sums_are_those_of_the_matrix(seed: int, density: float, synapses: str) -> None:
    rng = np.random.default_rng(seed)
    core = convolution_core(rng, random_convolution(rng), synapses)
    kernel = random_kernel(rng, core)
    active = rng.random((2, 3, core.n_axons)) < density
    matrix = core.synapse_format.matrix(core, kernel).astype(np.int64)
    sums = synaptic_sums(core, active, kernel)
    assert sums.dtype == np.int32
    assert (sums == active.astype(np.int64) @ matrix).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_native_path_is_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cores = [convolution_core(rng, random_convolution(rng), s) for s in ("shared", "gather")]
    chip = random_chip_of(rng, (*cores, random_core(rng)))
    image, events = random_image(rng, chip), random_events(rng, chip)
    numpy, native = (
        golden_chip.run(chip, image, events, backend=backend) for backend in ("numpy", "native")
    )
    assert native.first_difference(numpy) is None
    assert numpy.spikes[0].any() or numpy.spikes[1].any()


def test_a_chip_is_as_slow_as_its_slowest_core() -> None:
    """A silent core waits for its scan; of cores that are alike any may be the slowest."""
    rng = np.random.default_rng(2)
    core = replace(
        convolution_core(rng, ConvolutionShape(9, 9, 1, 9, 9, 8, 1, 1)), lanes=4, pipelines=2
    )
    cycles = core_cycles(core, np.arange(core.n_axons + 1))
    assert cycles[0] > cycles[3] < cycles[-1]
    chip = ChipParams((core,) * 2, 2)
    active = rng.integers(0, core.n_axons + 1, (4, 30, 2))
    expected = np.rint(cycles[active].max(axis=-1)) + 2 * chip.barrier_latency
    assert (tick_cycles(chip, active) == expected).all()
