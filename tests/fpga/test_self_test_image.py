"""What a self-test image stores: runs of words, rows of events, and what it refuses."""

import zlib
from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.packets import flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.fpga.self_test_image import (
    Sample,
    count_bits,
    event_layout,
    event_rows,
    program_words,
    word_runs,
)

CHIP = ChipParams((CoreParams(4, 4, neuron_model("snntorch-zero"), lanes=4),), n_outputs=3)
SAMPLE = Sample(
    program=np.array([[64, 7], [65, 8]], np.uint32),
    flits=[np.array([5], np.uint32)],
    counts=np.array([0, 2, 2]),
    words=np.array([[9, 0x01020304], [10, 5]], np.uint32),
    cycles=1,
)


def test_a_sample_that_is_whole_is_accepted() -> None:
    SAMPLE.check(CHIP)
    assert SAMPLE.expected == 1, "of equals, the lowest"
    assert SAMPLE.checksum == zlib.crc32(bytes([4, 3, 2, 1, 5, 0, 0, 0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"program": SAMPLE.program[:0]}, "must not be empty, they are 0, 1 and 2"),
        ({"flits": []}, "must not be empty, they are 2, 0 and 2"),
        ({"words": SAMPLE.words[:0]}, "must not be empty, they are 2, 1 and 0"),
        ({"counts": np.array([1, 1])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.array([1, 1, 0, 0])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.array([-1, 1, 1])}, "one of 0 or more for each of 3 output lines"),
        ({"counts": np.zeros(3, int)}, "no output line spikes"),
        ({"cycles": 0}, "cycles must be 1 or more, not 0"),
    ],
)
def test_what_is_missing_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(SpikeletError, match=message) as caught:
        replace(SAMPLE, **change).check(CHIP)  # type: ignore[arg-type]
    assert caught.value.remedy


def test_words_are_stored_in_runs_of_consecutive_addresses() -> None:
    assert word_runs(np.array([], np.uint32)) == []
    assert word_runs(np.array([7], np.uint32)) == [(0, 1, 7)]
    addresses = np.array([7, 8, 9, 9, 4, 5, 0xFFFFFFFF, 0], np.uint32)
    assert word_runs(addresses) == [
        *((0, 3, 7), (3, 4, 9), (4, 6, 4)),
        *((6, 7, 0xFFFFFFFF), (7, 8, 0)),
    ]
    assert program_words(SAMPLE.program) == [64, 2, 7, 8]


def test_each_tick_ends_with_its_last_row() -> None:
    flits = [np.array(values, np.uint32) for values in ([3, 4], [], [5])]
    rows = [(row["flit"], row["valid"], row["last"]) for row in event_rows(flits)]
    assert rows[:2] == [(3, 1, 0), (4, 1, 1)]
    assert rows[2][1:] == (0, 1), "no event, and the end of the tick"
    assert rows[3:] == [(5, 1, 1)]
    assert event_layout(CHIP).size == flit_packet(CHIP).width + 2


@pytest.mark.parametrize(("largest", "bits"), [(0, 1), (1, 2), (2, 2), (3, 3), (6, 3), (7, 4)])
def test_a_counter_has_one_value_more_than_is_right(largest: int, bits: int) -> None:
    assert count_bits(largest) == bits
