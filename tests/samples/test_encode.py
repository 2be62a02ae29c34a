"""Encoders: counts, order and times of spikes, and every kind of bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import spikelet
from spikelet.samples.encode import (
    ENCODERS,
    delta,
    latency,
    poisson,
    population,
    rank_order,
    rate,
    rest,
)

LEVELS = arrays(
    np.int64, st.tuples(st.integers(1, 3), st.integers(1, 8)), elements=st.integers(0, 16)
)


@given(LEVELS, st.integers(1, 40))
def test_rate_keeps_every_prefix_within_half_a_spike(levels, ticks):
    fired = rate(levels, 16, ticks).cumsum(axis=1, dtype=np.int64)
    exact = levels[:, None, :] * np.arange(1, ticks + 1)[:, None] / 16
    assert np.abs(fired - exact).max() <= 0.5


@given(LEVELS, st.integers(1, 40))
def test_latency_is_one_spike_each_and_the_brighter_is_never_later(levels, ticks):
    spikes = latency(levels, 16, ticks)
    assert spikes.shape == (len(levels), ticks, levels.shape[1])
    assert (spikes.sum(axis=1) == (levels > 0)).all()
    when = np.where(levels > 0, spikes.argmax(axis=1), ticks)
    for sample_levels, sample_when in zip(levels, when, strict=True):
        order = np.argsort(-sample_levels, kind="stable")
        assert (np.diff(sample_when[order]) >= 0).all()


def test_latency_by_hand():
    spikes = latency([[16, 15, 8, 1, 0]], 16, 33)
    when = [np.flatnonzero(spikes[0, :, line]).tolist() for line in range(5)]
    assert when == [[0], [2], [16], [30], []]


@given(LEVELS, st.data())
def test_rank_order_takes_the_brightest_in_their_order(levels, data):
    count = data.draw(st.integers(1, levels.shape[1]))
    spikes = rank_order(levels, 16, count, count=count)
    for sample_levels, sample in zip(levels, spikes, strict=True):
        order = np.argsort(-sample_levels, kind="stable")
        expected = [line for line in order[:count] if sample_levels[line] > 0]
        ticks, lines = np.nonzero(sample)
        assert lines.tolist() == expected
        assert ticks.tolist() == list(range(len(expected)))  # one in each tick


def test_rank_order_spread_over_more_and_fewer_ticks():
    levels = [[5, 9, 0, 7, 9]]
    several = rank_order(levels, 9, 8, count=4)
    assert np.argwhere(several[0]).tolist() == [[0, 1], [2, 4], [4, 3], [6, 0]]
    together = rank_order(levels, 9, 2, count=4)
    assert np.argwhere(together[0]).tolist() == [[0, 1], [0, 4], [1, 0], [1, 3]]


@given(LEVELS, st.integers(1, 20), st.integers(0, 2**32))
@settings(max_examples=50)
def test_poisson_depends_on_its_seed_and_not_on_later_samples(levels, ticks, seed):
    options = {"max_rate": 400.0, "seed": seed}
    spikes = poisson(levels, 16, ticks, **options)
    assert (poisson(levels, 16, ticks, **options) == spikes).all()
    assert (poisson(levels[:1], 16, ticks, **options) == spikes[:1]).all()
    assert not spikes[:, :, :][np.broadcast_to((levels == 0)[:, None], spikes.shape)].any()


def test_poisson_rates_are_those_asked_for():
    """10,000 draws each: within 5 standard deviations of a binomial."""
    levels = np.array([[0, 1, 64, 128, 255]])
    counts = poisson(levels, 255, 10_000, max_rate=63.75, dt=1e-3, seed=1)[0].sum(axis=0)
    expected = 10_000 * 63.75e-3 * levels[0] / 255
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected) + 1e-9).all()
    assert (poisson(levels, 255, 50, seed=1) != poisson(levels, 255, 50, seed=2)).any()
    assert poisson([[7]], 7, 50, max_rate=1000).all()  # probability 1


def test_rest_is_silence_behind_each_sample():
    spikes = np.ones((2, 3, 4), np.uint8)
    rested = rest(spikes, 2)
    assert rested.shape == (2, 5, 4)
    assert (rested[:, :3] == spikes).all() and not rested[:, 3:].any()
    with pytest.raises(spikelet.SpikeletError, match="ticks must be an int of 0 or more, not -1"):
        rest(spikes, -1)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(
    ("levels", "full_scale", "ticks", "message"),
    [
        ([[17]], 16, 4, r"must be in 0\.\.16, found 17\.\.17"),
        ([[-1]], 16, 4, r"must be in 0\.\.16, found -1\.\.-1"),
        ([[0.5]], 16, 4, r"must be integers of shape \(samples, inputs\), not float64"),
        ([3], 16, 4, r"not int64 of shape \(1,\)"),
        ([[3]], 0, 4, "full_scale must be an int in 1..1073741824, not 0"),
        ([[3]], 16, 0, "ticks must be an int of 1 or more, not 0"),
    ],
)
def test_bad_intensities(name, levels, full_scale, ticks, message):
    options = {"rank_order": {"count": 1}, "population": {"fields": 3}}.get(name, {})
    with pytest.raises(spikelet.SpikeletError, match=message):
        ENCODERS[name](levels, full_scale, ticks, **options)


@pytest.mark.parametrize(
    ("encode", "options", "message"),
    [
        (poisson, {"max_rate": 1001}, r"must be a probability in 0\.\.1, not 1\.001"),
        (poisson, {"max_rate": -1}, r"not -0\.001"),
        (poisson, {"max_rate": float("nan")}, r"not nan"),
        (rank_order, {"count": 0}, r"count must be an int in 1\.\.2, the inputs, not 0"),
        (rank_order, {"count": 3}, r"not 3"),
    ],
)
def test_bad_options(encode, options, message):
    with pytest.raises(spikelet.SpikeletError, match=message):
        encode([[1, 2]], 16, 4, **options)


@given(LEVELS, st.integers(1, 30), st.integers(3, 8))
def test_population_spikes_the_earlier_the_nearer(levels, ticks, fields):
    """Checked against Bohte's formulas, written down field by field."""
    spikes = population(levels, 16, ticks, fields=fields)
    assert spikes.shape == (len(levels), ticks, levels.shape[1] * fields)
    by_field = spikes.reshape(len(levels), ticks, -1, fields)
    for sample, line in np.ndindex(*levels.shape):
        for field in range(1, fields + 1):
            centre = (2 * field - 3) / 2 * 16 / (fields - 2)
            deviation = 16 / (1.5 * (fields - 2))
            response = np.exp(-((levels[sample, line] - centre) ** 2) / (2 * deviation**2))
            fired = np.flatnonzero(by_field[sample, :, line, field - 1])
            assert len(fired) == (response >= 0.1)
            if len(fired):
                assert abs(fired[0] - (ticks - 1) * (1 - response)) <= 0.5 + 1e-9


def test_population_by_hand():
    """The centres of 4 fields are -1/4, 1/4, 3/4 and 5/4 of the range, their deviation a third."""
    spikes = population([[0, 25, 50]], 100, 11, fields=4)
    when = [np.flatnonzero(spikes[0, :, line]).tolist() for line in range(12)]
    # exp(-9/32) = 0.75, exp(-81/32) = 0.08; exp(-9/8) = 0.32
    assert when[:4] == [[2], [2], [], []]
    assert when[4:8] == [[7], [0], [7], []]
    assert when[8:] == [[], [2], [2], []]


@given(
    arrays(
        np.float64,
        st.tuples(st.just(2), st.integers(0, 30), st.integers(1, 3)),
        elements=st.floats(-4, 4, width=16),
    ),
    st.sampled_from([0.25, 1.0, 3.0]),
)
def test_delta_follows_what_changes_slowly(signal, threshold):
    slow = np.cumsum(np.clip(signal, -threshold, threshold), axis=1)
    spikes = delta(slow, threshold)
    off, on = np.split(spikes.astype(int), 2, axis=2)
    assert spikes.shape == (2, signal.shape[1], 2 * signal.shape[2]) and not (off & on).any()
    told = slow[:, :1] + threshold * np.cumsum(on - off, axis=1)
    assert (np.abs(told - slow) < threshold + 1e-9).all()


def test_delta_by_hand():
    signal = np.array([5, 5.9, 6, 9, 9, 9, 4]).reshape(1, 7, 1)
    assert delta(signal, 1)[0].tolist() == [
        [0, 0], [0, 0], [0, 1], [0, 1], [0, 1], [0, 1], [1, 0]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        (lambda: population([[1]], 4, 5, fields=2), "fields must be an int of 3 or more: 2"),
        (lambda: population([[1]], 4, 5, fields=3.0), "fields must be an int"),
        (lambda: population([[1]], 4, 5, fields=3, beta=0), "beta must be above 0, not 0"),
        (lambda: population([[5]], 4, 5, fields=3), r"must be in 0\.\.4"),
        (lambda: population([[1]], 4, 10**6, fields=10**6), "places for a spike"),
        (lambda: delta(np.zeros((2, 3)), 1), r"\(samples, ticks, channels\), not float64 of shape"),
        (lambda: delta(np.full((1, 2, 3), np.nan), 1), "must be finite numbers"),
        (lambda: delta(np.zeros((1, 2, 3)), 0), "threshold must be above 0, not 0"),
        (lambda: delta(np.zeros((1, 2, 3), "S1"), 1), "must be finite numbers"),
    ],
)
def test_what_population_and_delta_refuse(encode, message):
    with pytest.raises(spikelet.SpikeletError, match=message):
        encode()
