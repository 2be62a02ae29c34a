"""Rounding by samples: against least squares solved anew for each weight, and on other samples."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.network.compensate import Compensated
from spikelet.network.convolution import Convolution
from spikelet.network.matrices import dense
from spikelet.network.network import INPUT, FloatArray, Network, Population, Projection
from spikelet.network.quantise import quantise
from spikelet.network.reference import run_float
from spikelet.network.rounding import ByCurrents
from spikelet.network.scale import codes
from spikelet.network.shown import Shown
from tests.helpers.networks import EULER, spikes
from tests.network.test_normalise import network


def one_by_one(weights: FloatArray, arriving: FloatArray, scale: float, bits: int) -> FloatArray:
    """Round the most often used input, solve for all that are left, and so on."""
    together = arriving.T @ arriving
    often = np.diag(together).copy()
    together[np.diag_indices(len(often))] += 0.01 * often.mean() or 1.0
    left, wanted = list(np.argsort(-often, kind="stable")), weights.copy()
    found = np.zeros(weights.shape)
    while left:
        now = left.pop(0)
        found[now] = np.where(weights[now] == 0, 0, codes(wanted[now], scale, bits))
        lost = wanted[now] - scale * found[now]
        if left:
            others = together[np.ix_(left, left)]
            wanted[left] += np.linalg.solve(others, np.outer(together[left, now], lost))
    return found


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    inputs=st.sampled_from([1, 2, 7, 63, 64, 65, 90]),
    ticks=st.sampled_from([1, 5, 300]),
    bits=st.integers(1, 8),
    rate=st.sampled_from([0.05, 0.4]),
)
def test_each_weight_makes_up_for_those_before_it(
    seed: int, inputs: int, ticks: int, bits: int, rate: float
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(inputs, 3)) * (rng.random((inputs, 3)) < 0.8)
    arriving = (rng.random((ticks, inputs)) < rate).astype(float)
    scale = 2.5 / 2 ** (bits - 1)
    found = Compensated(weights, arriving).codes(scale, bits)
    np.testing.assert_array_equal(found, one_by_one(weights, arriving, scale, bits))
    assert not found[weights == 0].any()


def test_more_inputs_than_make_up_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weights, arriving = rng.normal(size=(50, 4)), (rng.random((90, 50)) < 0.3).astype(float)
    monkeypatch.setattr("spikelet.network.compensate._MOST_INPUTS", 20)
    found = Compensated(weights, arriving).codes(0.4, 4)
    for first in (0, 20, 40):
        part = slice(first, first + 20)
        alone = one_by_one(weights[part], arriving[:, part], 0.4, 4)
        np.testing.assert_array_equal(found[part], alone)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_what_is_on_the_grid_or_never_used_is_rounded_as_ever(bits: int) -> None:
    rng = np.random.default_rng(1)
    limit = 1 << (bits - 1)
    whole = rng.integers(-limit, limit, (40, 6))
    arriving = (rng.random((100, 40)) < 0.3).astype(float)
    np.testing.assert_array_equal(Compensated(0.3 * whole, arriving).codes(0.3, bits), whole)
    weights = rng.normal(size=(40, 6))
    arriving[:, ::2] = 0
    found = Compensated(weights, arriving).codes(0.3, bits)
    np.testing.assert_array_equal(found[::2], codes(weights, 0.3, bits)[::2])
    assert (found != codes(weights, 0.3, bits)).any()
    silent = Compensated(weights, np.zeros((0, 40)))
    np.testing.assert_array_equal(silent.codes(0.3, bits), codes(weights, 0.3, bits))
    assert silent.error(0.3, bits) == 0


@pytest.mark.parametrize("name", ["nir-euler", "cuba-lif"])
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_currents_and_their_means_are_nearer_on_other_samples(name: str, bits: int) -> None:
    one = network(name, 3)
    shown, others = (spikes(24, 30, 12, rate=0.4, seed=seed) for seed in (1, 2))
    floats = {p.name: run for p, run in zip(one.populations, run_float(one, others), strict=True)}
    arriving = {INPUT: others, "a": floats["a"].spikes}
    plain, found = quantise(one, bits), quantise(one, bits, calibration=shown)
    errors = []
    for integers in (plain, found):
        lost = np.zeros((24, 30, 4))
        for p, q in zip(one.projections, integers.projections, strict=True):
            if p.target == "b":
                unit = integers.quantisation[1].weight_unit
                lost += arriving[p.source] @ (p.weights - q.weights * unit)
        errors.append((np.mean(lost**2), np.abs(lost.mean(axis=(0, 1))).mean()))
    assert errors[1][0] < 0.8 * errors[0][0] and errors[1][1] < 0.5 * errors[0][1]


def convolved(groups: int) -> Network:
    """A convolution, and a dense layer that leads to the same population."""
    rng = np.random.default_rng(4)
    of = Convolution(
        rng.normal(size=(4, 6 // groups, 3, 3)), (6, 5, 5), (2, 1), (1, 1), ((1, 1), (0, 1)), groups
    )
    matrix = np.zeros((of.n_source, of.size))
    matrix[of.triplets()[:2]] = of.triplets()[2]
    first = Population("a", of.size, EULER, {"threshold": np.ones(1), "decay": np.full(1, 0.9)})
    dense = Projection(INPUT, "a", rng.normal(size=(of.n_source, of.size)), delay=1)
    into = (Projection(INPUT, "a", matrix, convolution=of), dense)
    return Network("n", of.n_source, None, (first,), into, ("a",))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_kernel_is_rounded_for_all_its_places(groups: int) -> None:
    one = convolved(groups)
    of = one.projections[0].convolution
    assert of is not None
    shown = spikes(6, 9, one.n_inputs, rate=0.3, seed=5)
    found, beside = map(dense, ByCurrents(one.projections, Shown.of(one, shown)).codes(0.4, 3))
    kernel = of.kernel_of(found)
    whole = np.zeros(found.shape)
    both = replace(of, kernel=kernel.astype(float)).triplets()
    whole[both[:2]] = both[2]
    np.testing.assert_array_equal(found, whole)
    flat = shown.reshape(-1, *of.shape).astype(float)
    padded = np.pad(flat, ((0, 0), (0, 0), *of.padding))
    rows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2]
    inside, outside = 6 // groups, 4 // groups
    for group in range(groups):
        seen = rows[:, group * inside : (group + 1) * inside]
        seen = seen.transpose(0, 2, 3, 1, 4, 5).reshape(-1, inside * 9)
        weights = of.kernel[group * outside : (group + 1) * outside].reshape(outside, -1).T
        expected = one_by_one(weights, seen, 0.4, 3).T.reshape(outside, inside, 3, 3)
        np.testing.assert_array_equal(kernel[group * outside : (group + 1) * outside], expected)
    late = np.pad(shown, ((0, 0), (1, 0), (0, 0)))[:, :-1].reshape(-1, one.n_inputs).astype(float)
    alone = Compensated(one.projections[1].weights, late).codes(0.4, 3)
    np.testing.assert_array_equal(beside, alone)
