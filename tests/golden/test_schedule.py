"""In which order, and by how many ticks, cores are advanced."""

import numpy as np

from spikelet.description.chip.destinations import HOST
from spikelet.golden.schedule import core_schedule


def targets(*edges: tuple[int, ...]) -> list[np.ndarray]:
    """Return targets with which core ``i`` sends to the cores ``edges[i]``."""
    return [np.array([(0, core, 0, 1) for core in cores]).reshape(-1, 4) for cores in edges]


def test_chain_against_the_numbering() -> None:
    assert core_schedule(targets((HOST,), (0,), (1,)), 7) == [([2], 7), ([1], 7), ([0], 7)]


def test_diamond_comes_after_its_sources() -> None:
    order = [cores for cores, _ in core_schedule(targets((1, 2), (3,), (3,), (HOST,)), 7)]
    assert order[0] == [0] and order[-1] == [3] and sorted(order[1:3]) == [[1], [2]]


def test_self_loop_goes_tick_by_tick() -> None:
    assert core_schedule(targets((1,), (1, HOST), ()), 7)[-2:] in (
        [([1], 1), ([2], 7)],
        [([2], 7), ([1], 1)],
        [([0], 7), ([1], 1)],
    )


def test_loop_goes_together_between_what_feeds_and_follows_it() -> None:
    assert core_schedule(targets((1,), (2,), (1, 3), (HOST,)), 7) == [
        ([0], 7),
        ([1, 2], 1),
        ([3], 7),
    ]


def test_long_loop_and_separate_cores() -> None:
    schedule = core_schedule(targets((1,), (2,), (3,), (0,), ()), 5)
    assert sorted(schedule) == [([0, 1, 2, 3], 1), ([4], 5)]


def test_no_ticks() -> None:
    assert core_schedule(targets(()), 0) == [([0], 1)]
