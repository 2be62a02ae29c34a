"""What a self-test image stores: runs of words, rows of events, and what it refuses."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.flash_image import program_words, word_runs
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.self_test_image import (
    StoredRun,
    count_bits,
    reward_addresses,
    step_layout,
    step_rows,
    time_limit,
)
from tests.fpga.self_test_bench import events_of
from tests.helpers.random_plastic import random_plastic_image

CHIP = ChipParams((CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4),), n_outputs=3)
RUN = StoredRun(
    program=np.array([[64, 7], [65, 8]], np.uint32),
    events=events_of([[3]]),
    counts=np.array([0, 2, 2]),
    words=np.array([[9, 0x01020304], [10, 5]], np.uint32),
    cycles=1,
)


def _rule(reward_bits: int) -> LearningRule:
    return LearningRule("dw = x0*y1 + r*y0", y1=TraceParams(2, 4), reward_bits=reward_bits)


_CORE = CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4, weight_bits=8)
LEARNING = ChipParams(
    (*(replace(_CORE, learning=_rule(bits)) for bits in (4, 5)), _CORE), 2, 2, n_outputs=3
)
"""Two cores that learn, one that does not."""


def _image(seed: int) -> ChipImage:
    return random_plastic_image(np.random.default_rng(seed), LEARNING)


def _learned_run(image: ChipImage, learned: ChipImage) -> StoredRun:
    """Return a run that loads one image, and in which another is read."""
    return replace(RUN, program=image.program(LEARNING), words=learned.program(LEARNING))


def test_a_sample_that_is_whole_is_accepted() -> None:
    RUN.check(CHIP)
    assert RUN.expected == 1, "of equals, the lowest"
    assert RUN.checksum == zlib.crc32(bytes([4, 3, 2, 1, 5, 0, 0, 0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"program": RUN.program[:0]}, "must not be empty, they are 0, 1 and 2"),
        ({"events": events_of([])}, "must not be empty, they are 2, 0 and 2"),
        ({"words": RUN.words[:0]}, "must not be empty, they are 2, 1 and 0"),
        ({"counts": np.array([1, 1])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.array([1, 1, 0, 0])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.array([-1, 1, 1])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.zeros(3, int)}, "no output line spikes"),
        ({"cycles": 0}, "cycles must be 1 or more, not 0"),
    ],
)
def test_what_is_missing_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SpikeletError, match=message) as caught:
        replace(RUN, **change).check(CHIP)  # type: ignore[arg-type]
    assert caught.value.remedy


def test_words_are_stored_in_runs_of_consecutive_addresses() -> None:
    assert word_runs(np.array([], np.uint32)) == []
    assert word_runs(np.array([7], np.uint32)) == [(0, 1, 7)]
    addresses = np.array([7, 8, 9, 9, 4, 5, 0xFFFFFFFF, 0], np.uint32)
    assert word_runs(addresses) == [
        *((0, 3, 7), (3, 4, 9), (4, 6, 4)),
        *((6, 7, 0xFFFFFFFF), (7, 8, 0)),
    ]
    assert program_words(RUN.program) == [64, 2, 7, 8]


def _rows(chip: ChipParams, run: StoredRun) -> list[tuple[int, int, int]]:
    return [(row["payload"], row["valid"], row["last"]) for row in step_rows(chip, run)]


def test_each_tick_ends_with_its_last_row() -> None:
    run = replace(RUN, events=events_of([[3, 2], [], [1]]))
    rows = _rows(CHIP, run)
    assert rows[:2] == [(3, 1, 0), (2, 1, 1)]
    assert rows[2][1:] == (0, 1), "no event, and the end of the tick"
    assert rows[3:] == [(1, 1, 1)]
    assert step_layout(CHIP, run).size == flit_packet(CHIP).width + 2


def test_samples_follow_each_other_in_the_same_rows() -> None:
    ticks: list[list[int]] = [[3, 2], [], [1], [0]]
    run = replace(RUN, events=events_of(ticks, samples=2))
    assert _rows(CHIP, run) == _rows(CHIP, replace(RUN, events=events_of(ticks)))


def test_a_reward_has_a_row_where_it_changes() -> None:
    reward = np.array([[0, -3, -3], [0, 5, 0]], np.int32)
    ticks: list[list[int]] = [[1], [2, 3], [], [], [0], [1]]
    run = replace(RUN, events=events_of(ticks, samples=2), reward=reward)
    assert _rows(LEARNING, run) == [
        (1, 1, 1),
        *((0x1D, 0, 0), (2, 1, 0), (3, 1, 1)),
        (0, 0, 1),
        *((0, 0, 0), (0, 0, 1)),
        *((5, 0, 0), (0, 1, 1)),
        *((0, 0, 0), (1, 1, 1)),
    ]
    assert step_layout(LEARNING, run)["payload"].width == max(5, flit_packet(LEARNING).width)
    assert len(reward_addresses(LEARNING)) == 2
    plain = replace(RUN, events=events_of(ticks, samples=2))
    assert len(_rows(LEARNING, plain)) == len(_rows(LEARNING, run)) - 4
    assert _rows(CHIP, replace(plain, reward=reward)) == _rows(CHIP, plain), "no rule to take it"


def test_a_reward_may_be_wider_than_an_event() -> None:
    (core,) = {replace(core, learning=_rule(reward_bits=12)) for core in LEARNING.cores}
    chip = ChipParams((core,), n_outputs=3)
    run = replace(RUN, events=events_of([[1]]), reward=np.array([[-2048]], np.int32))
    assert _rows(chip, run) == [(0x800, 0, 0), (1, 1, 1)]
    assert step_layout(chip, run).size == 14
    assert step_layout(chip, replace(run, reward=None)).size == flit_packet(chip).width + 2


def test_the_checksums_of_weights_are_of_those_that_learn() -> None:
    image = _image(seed=1)
    learned = _image(seed=2)
    run = _learned_run(image, learned)
    before, after = run.weight_checksums(LEARNING)
    for checksum, contents in ((before, image), (after, learned)):
        words = b"".join(core.weights.astype(np.int8).tobytes() for core in contents.cores[:2])
        assert checksum == zlib.crc32(words), "8 bits a weight, 4 of an axon in a word"
    run.check(LEARNING)
    assert RUN.weight_checksums(CHIP) == (0, 0)


@pytest.mark.parametrize("part", ["program", "words"])
def test_weights_that_are_not_loaded_or_not_read_are_refused(part: str) -> None:
    run = _learned_run(_image(seed=1), _image(seed=2))
    first = int(state_words(LEARNING, ("weights",))[1]["weights"][2])
    kept = getattr(run, part)
    cut = replace(run, **{part: kept[kept[:, 0] != first]})
    with pytest.raises(SpikeletError, match=rf"address {first}, .* 1 of 8 words are not"):
        cut.check(LEARNING)


def test_a_run_that_learns_nothing_is_refused_unless_learning_is_off() -> None:
    image = _image(seed=1)
    with pytest.raises(SpikeletError, match=r"after all of 1 samples the weights are those") as no:
        _learned_run(image, image).check(LEARNING)
    assert "learning off" in str(no.value.remedy)
    cores = tuple(replace(core, learning=False) for core in image.cores)
    _learned_run(ChipImage(cores), image).check(LEARNING)
    one_learns = (replace(cores[0], learning=True), *cores[1:])
    with pytest.raises(SpikeletError, match=r"learning is on"):
        _learned_run(ChipImage(one_learns), image).check(LEARNING)


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        (np.zeros((1, 2), np.int32), r"reward must have shape \(1, 1\)"),
        (np.array([[8]], np.int32), r"reward, for core 0 must be in -8..7, found 8"),
    ],
)
def test_a_reward_that_does_not_fit_is_refused(reward: np.ndarray, message: str) -> None:
    with pytest.raises(SpikeletError, match=message):
        replace(RUN, reward=reward).check(LEARNING)


def test_an_event_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SpikeletError, match=r"event axon of core 0 must be in 0..3, found 4"):
        replace(RUN, events=events_of([[4]])).check(CHIP)


@pytest.mark.parametrize(
    ("ticks", "largest", "bits"), [(1, 0, 2), (2, 2, 2), (3, 0, 3), (6, 1, 3), (7, 7, 4), (2, 7, 4)]
)
def test_a_counter_has_one_value_more_than_is_right(ticks: int, largest: int, bits: int) -> None:
    run = replace(RUN, events=events_of([[0]] * ticks), counts=np.array([0, largest, 0]))
    assert count_bits(CHIP, run) == bits


def test_a_time_limit_that_is_given_leaves_twice_what_is_predicted() -> None:
    usual = time_limit(CHIP, RUN)
    assert time_limit(CHIP, RUN, usual * 2) == usual * 2
    for wrong in (usual // 4, usual + 1):
        with pytest.raises(SpikeletError, match=r"time limit must be a power of two of at least"):
            time_limit(CHIP, RUN, wrong)
