"""Labels of neurons that learned without them, by hand."""

import numpy as np
import pytest

from spikelet import SpikeletError, assign_labels, classify_by_labels

COUNTS = np.array([[3, 0, 0, 0, 1], [1, 4, 0, 0, 1], [0, 2, 5, 0, 1], [0, 6, 0, 0, 1]])
LABELS = np.array([7, 7, 2, 4])


def test_each_neuron_gets_the_label_of_its_highest_mean():
    """Neuron 4 responds to all alike: the lowest label."""
    assert assign_labels(COUNTS, LABELS).tolist() == [7, 4, 2, -1, 2]


def test_samples_get_the_label_of_the_neurons_with_the_highest_mean():
    assigned = np.array([7, 4, 2, -1, 2])
    shown = [[1, 0, 0, 9, 0], [0, 3, 4, 0, 0], [0, 2, 2, 0, 2], [0, 0, 0, 9, 0]]
    assert classify_by_labels(shown, assigned).tolist() == [7, 4, 2, -1]


def test_means_and_not_sums_decide():
    counts = [[4, 0], [3, 0], [3, 0]]
    assert assign_labels(counts, [1, 0, 0]).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: assign_labels(COUNTS, LABELS[:3]), r"not int64 of shape \(3,\) for \(4, 5\)"),
        (lambda: assign_labels(COUNTS, LABELS / 2), "not float64"),
        (lambda: assign_labels(COUNTS, LABELS - 5), "labels must be 0 or more, found -3"),
        (lambda: assign_labels(COUNTS[:0], LABELS[:0]), "1 sample or more, not 0"),
        (lambda: classify_by_labels(COUNTS, LABELS), r"must have shape \(samples, 4\), not \(4, 5"),
        (lambda: classify_by_labels([[1, 1]], np.array([-1, -1])), "no neuron has a label"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(SpikeletError, match=message):
        call()
