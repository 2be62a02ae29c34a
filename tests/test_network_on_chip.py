"""No result depends on the network on chip: its topology, queues, arbitration, or who is where."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.chip.params import ChipParams
from spikelet.description.run.events import Events
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.moved_chips import difference_of_moved, moved
from tests.helpers.random_chips import random_core, random_events, random_image

CORES = 6
NETWORKS = (
    {"topology": "mesh", "width": 3, "height": 2, "fifo_depth": 2, "arbitration_seed": 7},
    {"topology": "torus", "width": 2, "height": 4, "fifo_depth": 3, "arbitration_seed": 1},
    {"topology": "tree", "width": 6, "height": 1, "fifo_depth": 8, "arbitration_seed": 2},
    {"topology": "ring", "width": 7, "height": 1, "fifo_depth": 2, "arbitration_seed": 3},
    {"topology": "line", "width": 6, "height": 1, "fifo_depth": 4, "chip_columns": 3},
    {"topology": "mesh", "width": 4, "height": 2, "fifo_depth": 16, "chip_columns": 2},
)


def network_of(seed, *, cores=CORES, ticks=12):
    """Return a random chip with multicast, contents and events."""
    rng = np.random.default_rng(seed)
    made = tuple(random_core(rng) for _ in range(cores))
    chip = ChipParams(made, 3, -(-cores // 3), n_outputs=20, multicast=True)
    return chip, random_image(rng, chip), random_events(rng, chip, samples=2, ticks=ticks)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), place=st.permutations(range(CORES)), data=st.data())
def test_golden_is_the_same_wherever_cores_are(seed, place, data):
    chip, image, events = network_of(seed)
    expected = GoldenChip(chip, image).run(events)
    there = moved(chip, image, events, place, **data.draw(st.sampled_from(NETWORKS)))
    got = GoldenChip(*there[:2]).run(there[2])
    assert difference_of_moved(expected, got, place) is None
    assert expected.merged_spikes.any() or not expected.outputs.any()


def check_rtl(seed, network):
    """Run a network of ``seed`` on RTL, moved into another network, and compare with golden."""
    chip, image, events = network_of(seed)
    place = np.random.default_rng([seed, 1]).permutation(CORES).tolist()
    expected = GoldenChip(chip, image, backend="numpy").run(events)
    there = moved(chip, image, events, place, **network)
    with VerilatedChip(
        there[0], Design(to_verilog(whole_chip(there[0]), "chip")), optimise="build"
    ) as rtl:
        rtl.load(there[1])
        got = rtl.run(there[2])
    difference = difference_of_moved(expected, got, place)
    assert difference is None, f"seed {seed}, {network}, cores at {place}: {difference}"
    assert sum(int(spikes.sum()) for spikes in expected.spikes) > 0


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS[1:2], ids=lambda network: network["topology"])
def test_rtl_is_the_same_in_other_networks(network):
    check_rtl(1, network)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{n['topology']}-{n['fifo_depth']}")
def test_rtl_is_the_same_in_any_network(network):
    check_rtl(2, network)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_64_cores_for_1000_ticks():
    """An 8 x 8 mesh of three kinds of cores, recurrent, with multicast: RTL is golden's equal.

    In every spike and potential of the first 50 ticks; then, as reading them takes most of the
    time, in outputs and counters of every tick and in all state after every 50.
    """
    rng = np.random.default_rng(64)
    kinds = [random_core(rng) for _ in range(3)]
    cores = tuple(replace(kinds[i % 3], weight_memory="block") for i in range(64))
    chip = ChipParams(cores, 8, 8, n_outputs=20, multicast=True)
    image = random_image(rng, chip)
    events = random_events(rng, chip, samples=1, ticks=1000)
    golden = GoldenChip(chip, image)
    activity = np.concatenate([spikes.mean(axis=(0, 1)) for spikes in golden.run(events).spikes])
    assert 0.01 < activity.mean() < 0.9
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        rtl.load(image)
        for first in range(0, 1000, 50):
            part = ticks_between(events, first, first + 50)
            record = ("checksums",) if first else ("spikes", "states")
            expected, got = (
                engine.run(part, record=record, clear=first == 0) for engine in (golden, rtl)
            )
            assert got.first_difference(expected) is None, f"of 50 ticks after {first}"
            assert set(got.compared(expected)) >= {*record, "outputs", "active_axons"}


def ticks_between(events: Events, first: int, last: int) -> Events:
    """Return the events of some ticks of a single sample."""
    offsets = events.offsets[first : last + 1]
    here = slice(offsets[0], offsets[-1])
    fields = (events.core[here], events.axon[here], events.delay[here])
    return Events(1, last - first, offsets - offsets[0], *fields)
