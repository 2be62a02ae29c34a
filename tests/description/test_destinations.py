"""Destinations: made, refused where they do not fit, and laid out in the table of a core."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import (
    HOST,
    check_destinations,
    destination_words,
    destinations,
    event_flits,
    in_lists,
    joined,
    list_entries,
)
from spikelet.description.chip.packets import COUNT, destination_packet, flit_packet
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from tests.helpers.random_chips import random_chip, random_image

CORE = CoreParams(20, 16, neuron_model("snntorch-zero"), delay_slots=4, list_entries=4)
NARROW = replace(CORE, n_axons=6, delay_slots=2)
CHIP = ChipParams((CORE, CORE, CORE, CORE, NARROW), 3, 2, n_outputs=7, multicast=True)
"""Three cores in the upper row, two in the lower: (2, 1) is empty, (1, 1) is narrow."""


def test_arguments_broadcast():
    assert destinations([0, 1], 3, [5, 6], columns=2).tolist() == [
        [0, 3, 5, 1, 2, 1],
        [1, 3, 6, 1, 2, 1],
    ]


def test_joined_sorts_by_neuron_and_keeps_the_order_of_each():
    found = joined(destinations([2, 0], 1, 5), destinations([0, 2, 1], HOST, 3))
    assert found[:, :3].tolist() == [[0, 1, 5], [0, HOST, 3], [1, HOST, 3], [2, 1, 5], [2, HOST, 3]]
    assert in_lists(found).tolist() == [True, True, False, True, True]
    assert list_entries(found) == 4
    assert joined().shape == (0, 6) and list_entries(joined()) == 0


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (np.zeros((16, 1, 3), np.int32), r"destinations must have shape (n, 6), not (16, 1, 3)"),
        (np.zeros((2, 4), np.int32), r"destinations must have shape (n, 6), not (2, 4)"),
        (destinations([1, 0], 0, 0), "destinations must be sorted by neuron"),
        (destinations(16, 0, 0), "neuron of a destination must be in 0..15, found 16"),
        (destinations(-1, 0, 0), "neuron of a destination must be in 0..15, found -1"),
        (
            destinations([0, 0, 1, 3, 3, 3], 0, 0),
            "destinations need 5 entries in lists, 1 more than its list_entries of 4",
        ),
        (destinations(0, 5, 0), "destination core must be in -1..4, found 5"),
        (destinations(0, -2, 0), "destination core must be in -1..4, found -2"),
        (destinations(0, HOST, 7), "destination output line must be in 0..6, found 7"),
        (destinations(0, HOST, 0, 2), "delay to the host must be in 1..1, found 2"),
        (destinations(0, HOST, 0, 1, 2), "columns to the host must be in 1..1, found 2"),
        (destinations(0, HOST, 0, 1, 1, 2), "rows to the host must be in 1..1, found 2"),
        (destinations(0, 1, 20), "destination axon of core 1 must be in 0..19, found 20"),
        (destinations(0, 1, -1), "destination axon of core 1 must be in 0..19, found -1"),
        (destinations(0, 1, 0, 4), "delay to core 1 must be in 1..3, found 4"),
        (destinations(0, 1, 0, 0), "delay to core 1 must be in 1..3, found 0"),
        *(
            (
                destinations(0, 1, 0, 1, columns, rows),
                f"destination of {columns} x {rows} cores from core 1, at (1, 0), "
                "does not lie within 3 x 2 positions",
            )
            for columns, rows in ((3, 1), (1, 3), (0, 1), (1, -1))
        ),
        (
            destinations(0, 1, 0, 1, 2, 2),
            "destination of 2 x 2 cores from core 1: there is no core at (2, 1), "
            "the chip has 5 cores",
        ),
        (
            destinations([0, 1], 1, [0, 6], 1, 1, 2),
            "destination axon of core 4 must be in 0..5, found 6",
        ),
        (destinations(0, 1, 0, 2, 1, 2), "delay to core 4 must be in 1..1, found 2"),
    ],
)
def test_destinations_are_checked(found, message):
    with pytest.raises(SpikeletError) as caught:
        check_destinations(CHIP, 2, found)
    assert str(caught.value).partition("\n")[0] == f"core 2: {message}"


def test_a_rectangle_needs_multicast():
    check_destinations(CHIP, 2, destinations(0, 0, 0, 1, 2, 1))
    message = (
        "^core 2: destination of 2 x 1 cores from core 0: the chip is built without multicast$"
    )
    with pytest.raises(SpikeletError, match=message):
        check_destinations(replace(CHIP, multicast=False), 2, destinations(0, 0, 0, 1, 2, 1))


def test_what_just_fits_is_taken():
    found = joined(
        destinations([0, 3], HOST, 6),
        destinations([0, 3], 4, 5),
        destinations(15, 0, 19, 3, 3, 1),
        destinations(14, 1, 5, 1, 1, 2),
    )
    check_destinations(CHIP, 0, found)
    check_destinations(CHIP, 0, joined())


def _field(word: int, low: int, bits: int) -> int:
    return word >> low & (1 << bits) - 1


def _walk(chip: ChipParams, core: CoreParams, words: np.ndarray) -> np.ndarray:
    """Read the table as a core does, neuron by neuron; return the destinations found in it."""
    flit = flit_packet(chip).without(COUNT)
    width = max(flit.width, (core.n_neurons + core.list_entries - 1).bit_length())
    found = []
    for neuron in range(core.n_neurons):
        word = int(words[neuron])
        ends, valid = _field(word, width, 1), _field(word, width + 1, 1)
        if not valid and ends:
            continue
        at = neuron if valid else _field(word, 0, width)
        assert valid or core.n_neurons <= at, "a list begins among the words of the neurons"
        while True:
            word = int(words[at])
            assert _field(word, width + 1, 1), "a list holds what is no destination"
            low, fields = 0, {"x_last": None, "y_last": None}
            for field in flit.fields:
                fields[field.name] = _field(word, low, field.width)
                low += field.width
            assert not word >> low & (1 << width - low) - 1, "unused bits are set"
            x, y = fields["x"], fields["y"]
            rectangle = (1, 1)
            if chip.multicast:
                rectangle = (fields["x_last"] - x + 1, fields["y_last"] - y + 1)
            target = HOST if fields["host"] else y * chip.width + x
            found.append((neuron, target, fields["axon"], fields["delay"] + 1, *rectangle))
            if _field(word, width, 1):
                break
            assert at >= core.n_neurons, "the word of a neuron is no list"
            at += 1
    return np.array(found, np.int32).reshape(-1, 6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**20))
def test_the_table_holds_the_lists(seed):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    for core, image in zip(chip.cores, random_image(rng, chip).cores, strict=True):
        words = destination_words(chip, core, image.destinations)
        assert words.shape == (core.n_neurons + core.list_entries,)
        assert words.max(initial=0) < 1 << destination_packet(chip, core).width
        assert np.array_equal(_walk(chip, core, words), image.destinations)


def test_the_table_worked_by_hand():
    """Flit: axon 5 bits, delay 2, host 1, x 2, y 1, x_last 2, y_last 1; then ends and valid."""
    core = replace(CORE, n_neurons=4, lanes=4, list_entries=3)
    found = joined(
        destinations(0, HOST, 6), destinations(2, 4, 3, 2), destinations(2, 0, 9, 1, 3, 2)
    )
    both = 1 << 14 | 1 << 15
    assert destination_words(CHIP, core, found).tolist() == [
        6 | 1 << 7 | both,
        1 << 14,
        4,
        1 << 14,
        3 | 1 << 5 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 13 | 1 << 15,
        9 | 2 << 11 | 1 << 13 | both,
        0,
    ]


def test_words_are_as_wide_as_the_largest_address():
    core = replace(CORE, n_axons=1, n_neurons=2048, list_entries=2049, delay_slots=2)
    chip = ChipParams((core,))
    assert flit_packet(chip).width == 3
    found = joined(destinations(np.arange(1024), 0, 0), destinations(np.arange(1024), HOST, 0))
    words = destination_words(chip, core, found)
    assert words.max() < 1 << 13 + 2
    assert np.array_equal(_walk(chip, core, words), found)


def test_events_are_flits_for_one_core():
    fields = flit_packet(CHIP).unpack(
        Events(1, 1, np.array([0, 2]), np.array([1, 4]), np.array([7, 5]), np.array([2, 0])).flits(
            CHIP
        )
    )
    assert {name: values.tolist() for name, values in fields.items()} == {
        "axon": [7, 5],
        "delay": [2, 0],
        "host": [0, 0],
        "x": [1, 1],
        "y": [0, 1],
        "x_last": [1, 1],
        "y_last": [0, 1],
    }
    assert event_flits(replace(CHIP, multicast=False), np.array([4]), [5], [2]).tolist() == [
        5 | 2 << 5 | 1 << 8 | 1 << 10
    ]
