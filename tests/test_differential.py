"""Random chips, networks and inputs: golden, numpy and compiled, and RTL must be equal."""

from functools import cache

import numpy as np
import pytest

from spikelet.description.chip.params import TOPOLOGIES
from spikelet.description.chip.state_words import readable_words
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.neuron_models import MIXED_MODELS
from tests.helpers.random_chips import MANY, random_chip, random_events, random_image, spiking
from tests.helpers.random_plastic import random_plastic_chip, random_plastic_image, random_reward

SEEDS = range(40)
"""Of a chip each, drawn again until some neuron fires."""

FAST_CHIPS = 6
"""The first of them, for the default tests: most of a test is spent in the C++ compiler."""

MODELS = ("cuba-lif", "izhikevich", "lif-refractory")
"""Those that have 40 chips each for themselves."""

NETWORKS = 5
"""For each chip; 200 configurations in all."""

PLASTIC_CHIPS = 8
"""As many as it takes to have all of :data:`PLASTIC_TRAITS`, and some more."""

PLASTIC_TRAITS = {
    *("block", "spram", "noisy", "habituating", "izhikevich"),
    *("adaptation", "nothing kept", "one core", "two cores", "one lane", "lanes"),
    *TOPOLOGIES,
    *("nearest", "stochastic", "pre", "post", "sweep"),
    *("x1", "x2", "v", "w", "t", "r"),
}

FAST_PLASTIC_CHIPS = 1
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


def _drawn(seed, **options):
    """Return a chip, contents and input with which some neuron fires, and what draws more."""
    rng = np.random.default_rng(seed)

    def draw():
        chip = random_chip(rng, **options)
        return chip, random_image(rng, chip), random_events(rng, chip)

    return *spiking(draw), rng


@pytest.mark.parametrize("seed", _seeds(SEEDS, FAST_CHIPS))
def test_random_chip(seed):
    _check_chip(*_drawn(seed), f"seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("model", MODELS)
def test_random_chip_of_one_model(model, seed):
    _check_chip(*_drawn(seed, most_cores=2, model=neuron_model(model)), f"seed {seed}")


def _check_chip(chip, image, events, rng, where):
    """Compare numpy, C and RTL on these and more random contents and events."""
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network in range(NETWORKS):
            golden = GoldenChip(chip, image, backend="numpy")
            expected = golden.run(events)
            compiled = GoldenChip(chip, image, backend="native").run(events)
            rtl.load(image)
            got = rtl.run(events)
            for trace in (compiled, got):
                difference = trace.first_difference(expected)
                assert difference is None, f"{where}, network {network}: {difference}"
            assert set(got.compared(expected)) >= {"spikes", "states", "outputs"}
            _check_read_back(rtl, golden, expected, f"{where}, network {network}")
            image, events = random_image(rng, chip), random_events(rng, chip)


def test_the_chips_differ():
    chips = [_drawn(seed)[0] for seed in SEEDS]
    assert {chip.topology for chip in chips} == set(TOPOLOGIES)
    assert len({chip.topology for chip in chips[:FAST_CHIPS]}) > 2
    models = {core.neuron for chip in chips for core in chip.cores}
    assert models == {*MIXED_MODELS, MANY}
    assert {core.spike_bits for chip in chips for core in chip.cores} == set(range(1, 9))
    assert {chip.count_bits > 1 for chip in chips} == {True, False}
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
        self.others = (GoldenChip(chip, image, backend="native"), rtl)

    def run(self, given, where, *, clear):
        """Run the same events and rewards on all; return numpy's Recording."""
        events, reward = given
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


def random_inputs(rng, chip):
    """Return events and rewards of some samples."""
    return random_events(rng, chip, samples=2, ticks=TICKS), random_reward(rng, chip, 2, TICKS)


def _traits(chip):
    """Return what a plastic chip is an example of, of :data:`PLASTIC_TRAITS`."""
    core = chip.cores[0]
    rule = core.learning
    found = {core.weight_memory, core.neuron.name, chip.topology, rule.rounding}
    found |= {"adaptation"} if "adaptation" in core.update.kept else set()
    found |= set() if core.update.kept else {"nothing kept"}
    found.add("one core" if len(chip.cores) == 1 else "two cores")
    found.add("one lane" if core.lanes == 1 else "lanes")
    return found.union(rule.phases, rule.variables) & PLASTIC_TRAITS


def _plastic_contents(rng, chip):
    """Return contents and input with which golden spikes and learns, or None after some draws."""
    for _ in range(10):
        image, given = random_plastic_image(rng, chip), random_inputs(rng, chip)
        events, reward = given
        record = ("spikes", "learning")
        found = GoldenChip(chip, image).run(events, record=record, reward=reward)
        weights = found.learned[0]["weights"]
        if any(core.any() for core in found.spikes) and (weights[-1, -1] != weights[0, 0]).any():
            return image, given
    return None


@cache
def _plastic_chips():
    """Return (seed, chip, random source, contents, input) of chips with all traits together.

    Each has a third of those that are missing, or more; the first has an adaptation.
    """
    missing, chips = set(PLASTIC_TRAITS), []
    for seed in range(1000, 3000):
        rng = np.random.default_rng(seed)
        try:
            chip = random_plastic_chip(rng)
        except SpikeletError:  # an adaptation that nothing can raise
            continue
        traits = _traits(chip)
        if 3 * len(traits & missing) < len(missing) or not (chips or "adaptation" in traits):
            continue
        contents = _plastic_contents(rng, chip)
        if contents:
            chips.append((seed, chip, rng, *contents))
            missing -= traits
        if len(chips) == PLASTIC_CHIPS:
            break
    return chips, missing


def test_the_plastic_chips_differ():
    chips, missing = _plastic_chips()
    assert not missing
    assert len(chips) == PLASTIC_CHIPS


@pytest.mark.parametrize("place", _seeds(range(PLASTIC_CHIPS), FAST_PLASTIC_CHIPS))
def test_random_plastic_chip(place):
    """From the image, from a snapshot of another engine, and on with learning off."""
    chips, _ = _plastic_chips()
    seed, chip, rng, image, given = chips[place]
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network in range(PLASTIC_NETWORKS):
            engines = Engines(chip, image, rtl)
            where = f"seed {seed}, network {network}"
            first = engines.run(given, f"{where}, from the image", clear=True)
            states = [engine.snapshot() for engine in (engines.numpy, *engines.others)]
            for state in states:
                assert state.checksums().tolist() == first.checksums[-1].tolist(), where
            _check_read_back(rtl, engines.numpy, first, where)
            engines.run(random_inputs(rng, chip), f"{where}, in between", clear=True)
            engines.restore(states[network])
            engines.run(random_inputs(rng, chip), f"{where}, restored", clear=False)
            for engine in (engines.numpy, *engines.others):
                engine.learn(False)
            last = engines.run(random_inputs(rng, chip), f"{where}, learning off", clear=False)
            weights = last.learned[0]["weights"]
            assert (weights == weights[0, 0]).all(), f"{where}: weights moved with learning off"
            image, given = random_plastic_image(rng, chip), random_inputs(rng, chip)
