"""Digits of 8x8 pixels, learned without labels, end to end: on golden, and the same on the RTL."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.examples.learning.unsupervised_digits import (
    Images,
    Outcome,
    confirm,
    digits_8x8,
    encoded,
    learn,
    plan_for,
)

NEURONS = 50


@pytest.fixture(scope="module")
def images() -> Images:
    """Return the digits."""
    return digits_8x8()


@pytest.fixture(scope="module")
def outcome(images: Images) -> Outcome:
    """Learn them."""
    return learn(images, NEURONS, plan=plan_for(images))


def test_the_digits_are_told_apart(images, outcome):
    assert outcome.accuracy > 0.7
    assert outcome.silent < 0.05
    assert len(set(outcome.neuron_labels)) == 10


def test_without_learning_they_are_not(images, outcome):
    untrained = learn(images, NEURONS, plan=replace(plan_for(images), epochs=0))
    assert untrained.accuracy < outcome.accuracy - 0.15


def test_fewer_bits_are_learned_within_their_bounds(images):
    learned = learn(images, NEURONS, bits=2, plan=replace(plan_for(images), epochs=2))
    weights = learned.compiled.weights("pixels", "neurons", learned.state.image)
    assert learned.compiled.chip.cores[0].weight_bits == 2
    assert set(np.unique(weights)) == {0, 1, 2, 3}
    assert learned.accuracy > 0.5


def test_every_image_brings_as_many_spikes(images):
    plan = plan_for(images)
    spikes = encoded(images.levels, plan, 1).sum(axis=(1, 2)) / plan.ticks
    assert np.all(np.abs(spikes - plan.spikes_per_tick) < 3)


def test_the_rtl_learns_the_same(images, outcome):
    n = len(images.labels)
    assert confirm(images, outcome, plan_for(images), 1, n) == f"{n} of {n}"
