"""Rectangles cover a set of positions exactly, and few of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikelet.placement.multicast import cover


def positions_of(width: int, rectangles: list[list[int]]) -> list[int]:
    return [
        (y + dy) * width + x + dx
        for x, y, columns, rows in rectangles
        for dy in range(rows)
        for dx in range(columns)
    ]


@given(width=st.integers(1, 9), places=st.sets(st.integers(0, 60), min_size=1), seed=st.integers())
def test_each_position_once(width: int, places: set[int], seed: int) -> None:
    given_order = np.random.default_rng(abs(seed)).permutation(sorted(places))
    rectangles = cover(width, given_order).tolist()
    assert sorted(positions_of(width, rectangles)) == sorted(places)
    assert all(x + columns <= width for x, _, columns, _ in rectangles)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([6, 7, 11, 12], [[1, 1, 2, 2]]),
        ([0, 5, 10, 1], [[0, 0, 2, 1], [0, 1, 1, 2]]),
        ([4, 5], [[0, 1, 1, 1], [4, 0, 1, 1]]),  # the end of a row is not beside the next row
        ([0, 2], [[0, 0, 1, 1], [2, 0, 1, 1]]),
    ],
)
def test_examples(places: list[int], expected: list[list[int]]) -> None:
    assert sorted(cover(5, np.array(places)).tolist()) == expected


def test_the_better_direction() -> None:
    """A comb with its back in a column is a column and teeth; by rows it would be one more."""
    comb = [0, 1, 2, 5, 10, 11, 12, 15]
    assert len(cover(5, np.array(comb))) == 3
    sideways = [5 * (place % 5) + place // 5 for place in comb]
    assert len(cover(5, np.array(sideways))) == 3
