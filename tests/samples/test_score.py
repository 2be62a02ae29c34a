"""How samples are classified and counted: silent ones, ties, labels."""

import numpy as np
import pytest

from spikelet.description.errors import SpikeletError
from spikelet.samples.samples import Samples, Score, winners

COUNTS = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 4, 0]])
SPIKES = np.zeros((6, 2, 5), np.uint8)


def test_the_lowest_of_equals_wins_and_a_silent_sample_has_no_class() -> None:
    assert winners(COUNTS).tolist() == [0, 1, -1, 2, 0, 1]


def test_a_score_counts_each_kind() -> None:
    labels = np.array([0, 2, 0, 2, 0, 0])
    assert Samples(SPIKES, labels).score(COUNTS) == Score(6, 3, unclassified=1, ties=2)
    assert Samples(SPIKES).score(COUNTS) == Score(6, None, unclassified=1, ties=2)
    unknown = np.full(6, -1)  # no label: not even a silent sample is right
    assert Samples(SPIKES, unknown).score(COUNTS).correct == 0


def test_accuracy_is_the_share_of_all_samples() -> None:
    assert Score(5, 4, 1, 0).accuracy == 0.8
    assert Score(5, 0, 5, 0).accuracy == 0
    assert Score(5, None, 1, 0).accuracy is None
    assert Score(0, 0, 0, 0).accuracy is None
    samples = Samples(SPIKES, np.array([0, 1, 0, 2, 1, 1]))
    assert samples.accuracy(winners(COUNTS)) == pytest.approx(4 / 6)
    assert Samples(SPIKES, np.full(6, -1)).accuracy(winners(COUNTS)) == 0
    assert Samples(SPIKES).accuracy(winners(COUNTS)) is None
    assert Samples(SPIKES[:0], np.zeros(0, np.int64)).accuracy(np.zeros(0, np.int64)) is None


@pytest.mark.parametrize(
    ("score", "notes"),
    [
        (Score(9, 9, 0, 0), ""),
        (Score(9, 9, 2, 0), "2 not classified (no output spike)"),
        (Score(9, 9, 0, 1), "1 tied"),
        (Score(9, 9, 2, 1), "2 not classified (no output spike), 1 tied"),
    ],
)
def test_what_accuracy_does_not_say_is_noted(score: Score, notes: str) -> None:
    assert score.notes == notes


def test_the_first_samples_keep_their_labels() -> None:
    samples = Samples(SPIKES, np.arange(6))
    assert samples.first(1).spikes.shape == (1, 2, 5)
    part = samples.first(2).labels
    assert part is not None and part.tolist() == [0, 1]
    assert samples.first(None).spikes.shape == SPIKES.shape
    assert samples.first(99).labels is not None
    for count in (0, -1):
        with pytest.raises(SpikeletError, match=f"must be 1 or more, not {count}"):
            samples.first(count)


def test_labels_are_those_of_the_outputs() -> None:
    Samples(SPIKES, np.array([0, 1, 2, 2, 1, 0])).check_labels(3)
    Samples(SPIKES).check_labels(3)
    for labels, said, remedy in (
        ([0, 1, 2, 3, 1, 3], "that of sample 3 is 3 .*0..3, 2 of 6", "number the classes as"),
        ([0, 1, -1, 1, 1, 0], "that of sample 2 is -1 .*-1..1, 1 of 6", "number the classes as"),
        ([1, 1, 2, 3, 1, 2], "that of sample 3 is 3", r"store labels - 1, which are 0\.\.2"),
    ):
        with pytest.raises(SpikeletError, match=rf"in 0\.\.2, .*{said}(.|\n)*{remedy}"):
            Samples(SPIKES, np.array(labels)).check_labels(3)


def test_the_digest_is_that_of_spikes_and_labels() -> None:
    samples = Samples(SPIKES, np.arange(6))
    other = SPIKES.copy()
    other[5, 1, 4] = 1
    digests = {
        samples.digest,
        Samples(other, np.arange(6)).digest,
        Samples(SPIKES, np.arange(6)[::-1]).digest,
        Samples(SPIKES).digest,
    }
    assert len(digests) == 4
    assert Samples(SPIKES.astype(bool), np.arange(6)).digest == samples.digest
