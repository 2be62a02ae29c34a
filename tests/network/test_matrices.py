"""Sparse weights of convolutions: nothing that is computed of them differs from the dense."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikelet.compiler.compile import compile_network
from spikelet.compiler.saved import network_arrays, network_fields, network_of
from spikelet.description.artefact import digest_of
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.network import scale
from spikelet.network.convolution import Convolution
from spikelet.network.grid import grid
from spikelet.network.matrices import (
    as_sparse,
    blocks,
    by_column,
    dense,
    from_arrays,
    same_places,
    stacked,
    stored,
    to_arrays,
    zeros_of,
)
from spikelet.network.network import INPUT, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.network.scale import best_scale


def network(seed: int, *, on_grid: bool, spread: float) -> Network:
    """Return two convolutions and a dense layer; thresholds differ by channel with a spread."""
    rng = np.random.default_rng(seed)

    def kernel(*shape: int) -> Any:
        values = rng.normal(size=shape)
        return np.round(values * 2).clip(-4, 3) / 4 if on_grid else values

    first = Convolution(kernel(4, 2, 3, 3), (2, 9, 8), (2, 2), (1, 1), ((1, 1), (1, 0)))
    second = Convolution(kernel(6, 2, 3, 2), first.output_shape, (1, 1), (1, 1), ((1, 0),) * 2, 2)
    model, populations = neuron_model("snntorch-subtract"), []
    for name, size, channels in (("a", first.size, 4), ("b", second.size, 6), ("c", 10, 10)):
        thresholds = np.repeat(1 + spread * rng.random(channels), size // channels)
        parameters = {"threshold": thresholds, "decay": np.array([0.875])}
        populations.append(Population(name, size, model, parameters))
    skip = kernel(2 * 9 * 8, second.size)
    projections = (
        Projection(INPUT, "a", matrix(first), first),
        Projection("a", "b", matrix(second), second),
        Projection(INPUT, "b", skip * (rng.random(skip.shape) < 0.05)),
        Projection("b", "c", kernel(second.size, 10)),
    )
    return Network("maps", first.n_source, None, tuple(populations), projections, ("c",))


def matrix(convolution: Convolution) -> Any:
    found = np.zeros((convolution.n_source, convolution.size))
    sources, targets, values = convolution.triplets()
    found[sources, targets] = values
    return found


def densified(given: Network) -> Network:
    """Return the network with nothing sparse; its convolutions are known as such."""
    projections = [replace(p) for p in given.projections]
    for projection in projections:
        object.__setattr__(projection, "weights", dense(projection.weights))
    return replace(given, projections=tuple(projections))


@pytest.mark.parametrize("on_grid", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"weight_bits": 4},
        {"weight_bits": 1},
        {"weight_bits": 3, "neuron_scales": True},
        {"weight_bits": 8, "calibrated": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_integers_are_those_of_the_dense(
    options: dict[str, Any], on_grid: bool, spread: float
) -> None:
    given = network(1, on_grid=on_grid, spread=spread)
    assert [sparse.issparse(p.weights) for p in given.projections] == [True, True, False, False]
    other = densified(given)
    assert not any(sparse.issparse(p.weights) for p in other.projections)
    assert given.digest == other.digest
    options = dict(options)
    spikes = (np.random.default_rng(2).random((3, 9, given.n_inputs)) < 0.2).astype(np.uint8)
    if options.pop("calibrated", False):
        options["calibration"] = spikes
    found, expected = quantise(given, **options), quantise(other, **options)
    for mine, theirs in zip(found.projections, expected.projections, strict=True):
        np.testing.assert_array_equal(dense(mine.weights), dense(theirs.weights))
        assert mine.weights.dtype == np.int16 and mine.weight_range == theirs.weight_range
    for ours, wanted in zip(found.populations, expected.populations, strict=True):
        assert ours.weight_exponent == wanted.weight_exponent
        assert ours.weight_format == wanted.weight_format
        for name, values in wanted.parameters.items():
            np.testing.assert_array_equal(ours.parameters[name], values)
    for stats, wanted_stats in zip(found.quantisation, expected.quantisation, strict=True):
        for field in ("scale", "weights", "clipped", "nonzero", "vanished", "units"):
            assert getattr(stats, field) == getattr(wanted_stats, field), field
        assert stats.rms_error == pytest.approx(wanted_stats.rms_error)
    assert [sparse.issparse(p.weights) for p in found.projections] == [True, True, False, False]


def test_expected_potentials_are_those_of_all_excitatory_or_inhibitory_sources() -> None:
    given = network(6, on_grid=False, spread=0.0)
    for name, stats in zip("abc", quantise(given, 4).quantisation, strict=True):
        weights = np.concatenate([dense(p.weights) for p in given.into(name)])
        high = np.where(weights > 0, weights, 0).sum(axis=0).max() + 1.0  # the threshold
        low = np.where(weights < 0, weights, 0).sum(axis=0).min()
        lsb = stats.scale / 2**stats.weight_exponent
        assert (stats.range_low, stats.range_high) == pytest.approx((low / lsb, high / lsb))


def test_float_runs_and_the_grid_are_those_of_the_dense() -> None:
    given = network(3, on_grid=True, spread=0.0)
    spikes = (np.random.default_rng(4).random((3, 9, given.n_inputs)) < 0.2).astype(np.uint8)
    for mine, theirs in zip(
        run_float(given, spikes), run_float(densified(given), spikes), strict=True
    ):
        np.testing.assert_array_equal(mine.spikes, theirs.spikes)
        np.testing.assert_array_equal(mine.potentials, theirs.potentials)
        assert mine.spikes.any()
    other = network(3, on_grid=False, spread=0.0)
    rounded = grid(other, 4)
    assert rounded.digest == grid(densified(other), 4).digest != other.digest
    assert sparse.issparse(rounded.projections[0].weights)


def test_a_chip_is_that_of_the_dense_and_saved_without_zeros() -> None:
    given = network(5, on_grid=True, spread=0.0)
    sparse_one, dense_one = (
        compile_network(n, limits={"synapses": "dense"}) for n in (given, densified(given))
    )
    assert sparse_one.digests == dense_one.digests
    arrays = network_arrays(sparse_one.network)
    kernels = sum(p.weights.nnz for p in given.projections if sparse.issparse(p.weights))
    assert sum(a.nbytes for name, a in arrays.items() if ".data" in name) == kernels * (8 + 2)
    again = network_of(network_fields(sparse_one.network), arrays)
    assert again.floats is not None and again.floats.digest == given.digest
    for mine, theirs in zip(again.projections, sparse_one.network.projections, strict=True):
        np.testing.assert_array_equal(dense(mine.weights), dense(theirs.weights))


def test_sparse_numbers_that_are_not_finite_are_named() -> None:
    weights = sparse.csr_array((np.array([1.0, np.nan]), ([0, 1], [1, 2])), shape=(3, 4))
    with pytest.raises(SpikeletError, match=r"'x' -> 'y': weights must be finite, found nan at"):
        Projection("x", "y", weights)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 32), st.sampled_from([1, 2, 4, 8]), st.integers(1, 40))
def test_a_scale_may_be_told_its_zeros(seed: int, bits: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 300)) * (rng.random((rows, 300)) < 0.2)
    values[0, 0] = 1.0
    found = as_sparse(values)
    expected = best_scale(values, bits)
    assert best_scale(stored(found), bits, zeros=zeros_of(found)) == expected
    step = 1 + values.size // scale._SEARCHED_WEIGHTS
    np.testing.assert_array_equal(
        scale._spread(stored(found), zeros_of(found)), np.sort(values, axis=None)[::step]
    )


@settings(deadline=None)
@given(st.integers(0, 1 << 32))
def test_operations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-1, 2, (7, 5)) * rng.random((7, 5))
    found, each = as_sparse(values), rng.random(5) + 1
    np.testing.assert_array_equal(dense(by_column(found, np.divide, each)), values / each)
    np.testing.assert_array_equal(dense(by_column(found, np.divide, each[:1])), values / each[0])
    np.testing.assert_array_equal(dense(same_places(found, stored(found) * 2)), values * 2)
    np.testing.assert_array_equal(dense(stacked([found, values])), np.concatenate([values] * 2))
    assert not sparse.issparse(stacked([values, values]))
    assert digest_of(blocks(found), "x") == digest_of(values, "x") == digest_of(blocks(values), "x")
    for given_matrix in (found, values):
        arrays = to_arrays("w", given_matrix)
        np.testing.assert_array_equal(dense(from_arrays("w", arrays)), values)


def test_digests_are_made_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikelet.network.matrices._BLOCK", 12)
    values = np.arange(35.0).reshape(7, 5)
    assert len(list(blocks(as_sparse(values)).blocks)) == 4
    assert digest_of(blocks(as_sparse(values))) == digest_of(values)
