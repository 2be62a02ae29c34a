"""Random chips, networks and inputs: golden, numpy and compiled, and RTL must be equal."""

import numpy as np
import pytest

from spikelet.description.chip.params import TOPOLOGIES
from spikelet.description.chip.state_words import readable_words
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.random_chips import random_chip, random_events, random_image
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

CHIPS = 40
FAST_CHIPS = 14
"""The first of them, for the default tests: most of a test is spent in the C++ compiler."""

NETWORKS = 5
"""For each chip; 200 configurations in all."""

PLASTIC_SEEDS = (1006, 1011, 1021, 1034, 1052)
"""Together their chips have all that :func:`test_the_plastic_chips_differ` asks for."""

FAST_PLASTIC_CHIPS = 2
PLASTIC_NETWORKS = 3
TICKS = 16


def _seeds(seeds, fast):
    """Return all seeds, of which those behind the first ones are slow."""
    return [
        seed if place < fast else pytest.param(seed, marks=pytest.mark.slow)
        for place, seed in enumerate(seeds)
    ]


def _check_read_back(rtl, golden, trace, where):
    """Compare every word that the last sample left, as the configuration port reads it."""
    counters = trace.active_axons[-1].sum(axis=0), trace.merged_spikes[-1]
    addresses, words = readable_words(rtl.chip, golden.snapshot(), *counters).T
    different = addresses[rtl.read(np.ascontiguousarray(addresses)) != words]
    assert not len(different), f"{where}: other words at {different[:9]}"


@pytest.mark.parametrize("seed", _seeds(range(CHIPS), FAST_CHIPS))
def test_random_chip(seed):
    rng = np.random.default_rng(seed)
    chip = random_chip(rng)
    spikes = 0
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network in range(NETWORKS):
            image, events = random_image(rng, chip), random_events(rng, chip)
            golden = GoldenChip(chip, image, backend="numpy")
            expected = golden.run(events)
            compiled = GoldenChip(chip, image, backend="compiled").run(events)
            rtl.load(image)
            got = rtl.run(events)
            for trace in (compiled, got):
                difference = trace.first_difference(expected)
                assert difference is None, f"seed {seed}, network {network}: {difference}"
            assert set(got.compared(expected)) >= {"spikes", "states", "outputs"}
            _check_read_back(rtl, golden, expected, f"seed {seed}, network {network}")
            spikes += sum(int(core.sum()) for core in expected.spikes)
    assert spikes > 0, f"seed {seed}: nobody fired"


def test_the_chips_differ():
    chips = [random_chip(np.random.default_rng(seed)) for seed in range(CHIPS)]
    assert {chip.topology for chip in chips[:FAST_CHIPS]} == set(TOPOLOGIES)
    for topology in TOPOLOGIES:
        several = [c for c in chips if c.topology == topology and len(c.cores) > 1]
        assert {chip.multicast for chip in several} == {True, False}, topology
    assert {chip.fifo_depth for chip in chips} == {2, 3, 4, 8}
    assert {chip.chip_columns * chip.chip_rows > 1 for chip in chips} == {True, False}
    assert {len(chip.cores) < chip.width * chip.height for chip in chips} == {True, False}
    cores = [core for chip in chips for core in chip.cores]
    assert {core.delay_slots for core in cores} == {2, 4, 8, 16, 32}
    assert {core.list_entries > core.n_neurons for core in cores} == {True, False}
    assert any(core.list_entries == 0 for core in cores)


class Engines:
    """The same contents in numpy, compiled and RTL."""

    def __init__(self, chip, image, rtl):
        rtl.load(image)
        self.chip = chip
        self.numpy = GoldenChip(chip, image, backend="numpy")
        self.others = (GoldenChip(chip, image, backend="compiled"), rtl)

    def run(self, rng, where, *, clear):
        """Run the same events and rewards on all; return numpy's Trace."""
        events = random_events(rng, self.chip, samples=2, ticks=TICKS)
        reward = random_reward(rng, self.chip, 2, TICKS)
        record = ("spikes", "states", "learning", "checksums")
        options = {"record": record, "reward": reward, "clear": clear}
        expected = self.numpy.run(events, **options)
        for engine in self.others:
            got = engine.run(events, **options)
            difference = got.first_difference(expected)
            assert difference is None, f"{where}, {got.engine}: {difference}"
            assert set(got.compared(expected)) >= {"spikes", "learned", "checksums"}
        return expected

    def restore(self, state):
        """Restore a snapshot on all."""
        for engine in (self.numpy, *self.others):
            engine.restore(state)


def test_the_plastic_chips_differ():
    chips = [random_plastic_chip(np.random.default_rng(seed)) for seed in PLASTIC_SEEDS]
    cores = [chip.cores[0] for chip in chips]
    rules = [core.learning for core in cores]
    assert {core.weight_memory for core in cores} == {"block", "spram"}
    assert {not core.update.kept for core in cores} == {True, False}
    assert {len(chip.cores) for chip in chips} == {1, 2}
    assert {chip.topology for chip in chips} == set(TOPOLOGIES)
    assert {core.lanes == 1 for core in cores} == {True, False}
    assert {rule.rounding for rule in rules} == {"nearest", "stochastic"}
    assert set().union(*(rule.phases for rule in rules)) == {"pre", "post", "sweep"}
    assert set().union(*(rule.variables for rule in rules)) >= {"x1", "x2", "v", "w", "t", "r"}


@pytest.mark.parametrize("seed", _seeds(PLASTIC_SEEDS, FAST_PLASTIC_CHIPS))
def test_random_plastic_chip(seed):
    """From the image, from a snapshot of another engine, and on with learning off."""
    rng = np.random.default_rng(seed)
    chip = random_plastic_chip(rng)
    spikes = learned = 0
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network in range(PLASTIC_NETWORKS):
            image = random_plastic_image(rng, chip)
            engines = Engines(chip, image, rtl)
            where = f"seed {seed}, network {network}"
            first = engines.run(rng, f"{where}, from the image", clear=True)
            states = [engine.snapshot() for engine in (engines.numpy, *engines.others)]
            for state in states:
                assert state.checksums().tolist() == first.checksums[-1].tolist(), where
            _check_read_back(rtl, engines.numpy, first, where)
            engines.run(rng, f"{where}, in between", clear=True)
            engines.restore(states[network])
            engines.run(rng, f"{where}, restored", clear=False)
            for engine in (engines.numpy, *engines.others):
                engine.learn(False)
            last = engines.run(rng, f"{where}, learning off", clear=False)
            weights = last.learned[0]["weights"]
            assert (weights == weights[0, 0]).all(), f"{where}: weights moved with learning off"
            spikes += sum(int(core.sum()) for core in first.spikes)
            learned += int((weights[-1, -1] != image.cores[0].weights).sum())
    assert spikes > 0, f"seed {seed}: nobody fired"
    assert learned > 0, f"seed {seed}: nothing was learned"
