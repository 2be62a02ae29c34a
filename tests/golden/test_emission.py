"""Emission and the axon bitmap, by hand: delays, merges, and spikes to the host."""

import numpy as np

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import HOST, destinations, joined
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.golden.axon_bitmap import AxonBitmap
from spikelet.golden.emission import emit, single_targets

CORE = CoreParams(4, 2, neuron_model("nir-euler"), lanes=2, delay_slots=4)
GRID = ChipParams((CORE,) * 6, 3, 2, multicast=True)


def due(bitmap: AxonBitmap) -> list[list[int]]:
    """Return (sample, tick, axon, spikes) of all arrivals."""
    places = np.argwhere(bitmap.arrivals)
    return [[*place, int(bitmap.arrivals[tuple(place)])] for place in places.tolist()]


def test_delays_merges_and_host() -> None:
    targets = np.array(
        [(0, 1, 2, 1), (0, 1, 3, 3), (0, HOST, 1, 1), (1, 1, 2, 1), (1, 0, 0, 2)], np.int32
    )
    bitmaps = [AxonBitmap(CORE, 1, 10) for _ in range(2)]
    outputs = np.zeros((1, 10, 2), np.uint16)
    fired = np.array([[[1, 1, 1], [0, 1, 1]]], np.bool_)  # ticks 5 and 6
    emit(fired, 5, targets, bitmaps, outputs)
    assert due(bitmaps[0]) == [[0, 7, 0, 1], [0, 8, 0, 1]]
    assert due(bitmaps[1]) == [[0, 6, 2, 2], [0, 7, 2, 1], [0, 8, 3, 1]]
    assert [int(bitmap.merged()[0]) for bitmap in bitmaps] == [0, 1]
    assert np.argwhere(outputs).tolist() == [[0, 5, 1]] and outputs[0, 5, 1] == 1


def test_a_rectangle_is_each_of_its_cores() -> None:
    found = joined(
        destinations(0, core=1, axon=2, delay=3, columns=2, rows=2),
        destinations(0, HOST, 5),
        destinations(1, core=3, axon=0, columns=3),
        destinations(1, core=0, axon=1, rows=2),
    )
    assert single_targets(GRID, found).tolist() == [
        *([0, core, 2, 3] for core in (1, 2, 4, 5)),
        [0, HOST, 5, 1],
        *([1, core, 0, 1] for core in (3, 4, 5)),
        *([1, core, 1, 1] for core in (0, 3)),
    ]


def test_no_destinations_are_no_targets() -> None:
    assert single_targets(GRID, joined()).shape == (0, 4)


def test_rectangles_that_overlap_merge_where_they_do() -> None:
    found = joined(destinations(0, 0, 1, columns=2), destinations(1, 1, 1, columns=2))
    bitmaps = [AxonBitmap(CORE, 1, 2) for _ in GRID.cores]
    fired, outputs = np.ones((1, 1, 2), np.bool_), np.zeros((1, 2, 1), np.uint16)
    emit(fired, 0, single_targets(GRID, found), bitmaps, outputs)
    assert [due(bitmap) for bitmap in bitmaps[:3]] == [[[0, 1, 1, n]] for n in (1, 2, 1)]
    assert [int(bitmap.merged()[0]) for bitmap in bitmaps] == [0, 1, 0, 0, 0, 0]


def test_output_line_counts_the_spikes_of_several_neurons() -> None:
    targets = np.array([(0, HOST, 0, 1), (1, HOST, 0, 1)], np.int32)
    outputs = np.zeros((1, 2, 1), np.uint16)
    emit(np.array([[[1, 1], [0, 1]]], np.bool_), 0, targets, [AxonBitmap(CORE, 1, 2)], outputs)
    assert outputs.tolist() == [[[2], [1]]]


def test_a_neuron_that_sends_twice_to_an_axon_merges_with_itself() -> None:
    bitmap = AxonBitmap(CORE, 1, 2)
    targets = np.array([(0, 0, 1, 1), (0, 0, 1, 1)], np.int32)
    emit(np.ones((1, 1, 1), np.bool_), 0, targets, [bitmap], np.zeros((1, 2, 1), np.uint16))
    assert due(bitmap) == [[0, 1, 1, 2]] and bitmap.merged().tolist() == [1]


def test_spikes_due_after_the_run_are_counted() -> None:
    bitmap = AxonBitmap(CORE, 1, 1)
    targets = np.array([(0, 0, 1, 3), (1, 0, 1, 3)], np.int32)
    emit(np.ones((1, 1, 2), np.bool_), 0, targets, [bitmap], np.zeros((1, 1, 1), np.uint16))
    assert not bitmap.active(0, 1).any() and bitmap.merged().tolist() == [1]


def test_host_events_by_sample_tick_and_delay() -> None:
    bitmap = AxonBitmap(CORE, 2, 2)
    offsets = np.array([0, 2, 2, 2, 4])
    core, axon, delay = np.array([[0, 0, 1, 0], [3, 3, 0, 1], [0, 0, 0, 2]], np.int32)
    bitmap.add_events(Events(2, 2, offsets, core, axon, delay), 0)
    assert due(bitmap) == [[0, 0, 3, 2], [1, 3, 1, 1]]
    assert bitmap.merged().tolist() == [1, 0]
