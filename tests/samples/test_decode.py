"""Decoders: which output is the class, by hand, and which are equals."""

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.samples.decode import (
    CLASS_IS,
    DECODERS,
    class_is,
    count,
    decoder_named,
    first_spike,
    last,
    maximum,
    population_value,
    population_vector,
)
from spikelet.samples.samples import Samples, winners

# output: 0   1   2   3, in 5 ticks
SPIKES = np.zeros((4, 5, 4), np.uint16)
SPIKES[0, 1:, 3] = 1  # most, the last to begin
SPIKES[0, 0, 1] = 1  # the first
SPIKES[1, [2, 4], 0] = 1
SPIKES[1, 2, 2] = 2  # twice in a tick
SPIKES[3, 4, [1, 2]] = 1
"""Sample 2 is silent."""


def test_counts() -> None:
    assert count(SPIKES).tolist() == [[0, 1, 0, 4], [2, 0, 2, 0], [0] * 4, [0, 1, 1, 0]]
    assert winners(count(SPIKES)).tolist() == [3, 0, -1, 1]


def test_the_first_spike() -> None:
    assert first_spike(SPIKES).tolist() == [[0, 5, 0, 4], [3, 0, 3, 0], [0] * 4, [0, 1, 1, 0]]
    assert winners(first_spike(SPIKES)).tolist() == [1, 0, -1, 1]


def test_the_population_vector() -> None:
    """Means of 13/5, 1, none and 3/2, which lies between two outputs."""
    assert np.array_equal(population_value(SPIKES), [2.6, 1, np.nan, 1.5], equal_nan=True)
    votes = population_vector(SPIKES)
    assert winners(votes).tolist() == [3, 1, -1, 1]
    assert votes[3, 1] == votes[3, 2] and not votes[2].any()


def test_votes_are_of_any_numbers_of_outputs() -> None:
    """The nearest output wins, and no vote is below 1 where there is a spike."""
    rng = np.random.default_rng(3)
    for outputs in (1, 2, 9):
        spikes = rng.random((50, 6, outputs)) < 0.2
        value, votes = population_value(spikes), population_vector(spikes)
        spiked = spikes.any(axis=(1, 2))
        near = np.abs(np.arange(outputs) - value[spiked, None]).argmin(axis=1)
        assert winners(votes)[spiked].tolist() == near.tolist()
        assert votes[spiked].min() > 0 and not votes[~spiked].any()


def test_scores_know_classes_and_ties() -> None:
    samples = Samples(SPIKES.astype(np.uint8), np.array([1, 0, 0, 1]))
    score = samples.score(first_spike(SPIKES))
    assert (score.correct, score.unclassified, score.ties) == (3, 1, 2)


def test_names() -> None:
    assert DECODERS.keys() == {*CLASS_IS, "last", "maximum"}
    words = [class_is(name, True) for name in ("count", "last", "maximum")]
    assert len({*words, *(class_is(name, False) for name in CLASS_IS)}) == 3 + len(CLASS_IS)
    with pytest.raises(SpikeletError, match="no decoder 'rank'") as caught:
        decoder_named("rank")
    assert caught.value.remedy == "there are count, first, population, last, maximum"


def test_spikes_have_no_potential() -> None:
    assert count(SPIKES[:, :0]).tolist() == [[0] * 4] * 4
    for decode in (last, maximum):
        assert decode(np.zeros((1, 0, 2))).tolist() == [[0.0, 0.0]]
        with pytest.raises(SpikeletError, match="takes potentials, and outputs of the network are"):
            decode(SPIKES)


def test_potentials_end_where_the_sample_does() -> None:
    """Two outputs, three ticks; the second sample has two of them."""
    potentials = np.array(
        [[[-1.0, -3.0], [0.5, -2.0], [-4.0, -0.5]], [[-2.0, -1.5], [-1.0, -3.0], [np.nan] * 2]]
    )
    assert count(potentials).tolist() == [[-4.5, -5.5], [-3.0, -4.5]]
    assert last(potentials).tolist() == [[-4.0, -0.5], [-1.0, -3.0]]
    assert maximum(potentials).tolist() == [[0.5, -0.5], [-1.0, -1.5]]
    assert winners(last(potentials)).tolist() == [1, 0]
    for decode in (first_spike, population_vector):
        with pytest.raises(SpikeletError, match="takes spikes, and outputs of the network are pot"):
            decode(potentials)
