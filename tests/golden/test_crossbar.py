"""Synaptic sums against sums of Python integers."""

import numpy as np
import pytest

from spikelet.golden.synapses.dense import synaptic_sums


@pytest.mark.parametrize("seed", range(10))
def test_against_python_integers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_axons, n_neurons = int(rng.integers(1, 60)), int(rng.integers(1, 20))
    active = rng.random((2, 3, n_axons)) < rng.random()
    weights = rng.integers(-128, 256, (n_axons, n_neurons)).astype(np.int16)
    sums = synaptic_sums(active, weights)
    assert sums.shape == (2, 3, n_neurons)
    for place in np.ndindex(2, 3):
        for neuron in range(n_neurons):
            rows = [int(weights[a, neuron]) for a in range(n_axons) if active[place][a]]
            assert sums[place][neuron] == sum(rows)


@pytest.mark.parametrize("weight", [-128, 255])
def test_exact_with_all_of_the_most_axons(weight: int) -> None:
    weights = np.full((4096, 2), weight, np.int16)
    weights[-1, 1] += 1 if weight < 0 else -1
    sums = synaptic_sums(np.ones((1, 4096), np.bool_), weights)
    assert sums.tolist() == [[4096 * weight, 4096 * weight + (1 if weight < 0 else -1)]]
