"""What is said of a run that learned, and at which numbers."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spikelet.runs.learning_warnings import learning_warnings

BOUNDS = SimpleNamespace(w_min=-4, w_max=7)
BEFORE = np.array([[0, 1, 2, 3, 4], [5, 6, -1, -2, -3]])


def warnings_of(
    counts: Any = ((3, 2, 1),),
    *,
    hidden: int = 1,
    before: Any = BEFORE,
    after: Any = BEFORE + 1,
    learning: bool = True,
    projections: int = 1,
) -> list[str]:
    """Return the warnings of a run with one output population and one hidden population."""
    network = SimpleNamespace(
        populations=[SimpleNamespace(name="hidden"), SimpleNamespace(name="out")],
        outputs=["out"],
    )
    ends = [SimpleNamespace(source="in", target="out", rule=BOUNDS)] * projections
    run: Any = SimpleNamespace(
        compiled=SimpleNamespace(network=network),
        shown=SimpleNamespace(spikes=lambda name: np.array([hidden, 0])),
        output_counts=lambda name: np.array(counts),
        plastic_projections=ends,
        weights=lambda source, target: (np.array(before), np.array(after)),
        learning=learning,
    )
    return learning_warnings(run)


def test_a_good_run_is_not_warned_about() -> None:
    assert warnings_of() == []


def test_a_hidden_population_that_never_spiked() -> None:
    (said,) = warnings_of(hidden=0)
    assert said.startswith("population 'hidden' never spiked in the first sample")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([[0, 0, 0], [0, 0, 0]], ["'out' never spiked, so nothing was learned"]),
        ([[5, 1, 0], [4, 0, 0]], []),  # 9 of 10
        ([[10, 1, 0]], ["neuron 0 has 10 of all 11 spikes"]),
        ([[0, 0, 11], [1, 0, 0]], ["neuron 2 has 11 of all 12 spikes"]),
        ([[0, 20, 1, 1], [0, 0, 0, 0]], ["neuron 1 has 20 of all 22 spikes"]),
        ([[7]], []),  # one neuron has all of them
        ([[2, 2, 0, 0]], []),
        ([[2, 2, 0, 0, 0]], ["3 of 5 neurons never spiked"]),
        ([[9, 0, 0]], ["neuron 0 has 9 of all 9 spikes", "2 of 3 neurons never spiked"]),
    ],
)
def test_spikes_of_outputs(counts: Any, said: list[str]) -> None:
    found = warnings_of(counts)
    assert len(found) == len(said)
    assert all(text in warning for text, warning in zip(said, found, strict=True))


def stuck(count: int, at: int) -> Any:
    return np.array([at] * count + [0] * (100 - count)).reshape(10, 10)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (stuck(0, 7), stuck(90, 7), ""),
        (stuck(0, 7), stuck(91, 7), "91 of 100 weights are at their upper bound, 7"),
        (stuck(0, 7), stuck(95, -4), "95 of 100 weights are at their lower bound, -4"),
        (stuck(91, 7), stuck(92, 7), "92 of 100 weights are at their upper bound, 7"),
        (stuck(92, 7), stuck(91, 7), ""),  # they were there before
        (stuck(95, 7), np.flip(stuck(95, 7)), ""),
    ],
)
def test_weights_at_a_bound(before: Any, after: Any, said: str) -> None:
    found = warnings_of(before=before, after=after)
    assert len(found) == bool(said)
    assert not said or f"in to out: {said}" in found[0]


def test_weights_that_did_not_change() -> None:
    (said,) = warnings_of(after=BEFORE)
    assert said.startswith("learning was on, and no plastic weight changed")
    one = BEFORE.copy()
    one[1, 4] += 1
    assert warnings_of(after=one) == []
    assert warnings_of(after=BEFORE, learning=False) == []
    assert warnings_of(after=BEFORE, projections=0) == []
