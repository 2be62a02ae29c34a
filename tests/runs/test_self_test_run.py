# amaranth: UnusedElaboratable=no
"""What a self-test image stores of a compiled network, and that the chip itself passes it."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import state_words
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.run.events import Events
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import StoredRun
from spikelet.golden.chip import GoldenChip
from spikelet.network.builder import PlasticNetwork
from spikelet.network.limits import PlacementLimits
from spikelet.rtl_gen.chip import Chip
from spikelet.runs.run import run as run_network
from spikelet.runs.self_test_run import stored_run, stored_samples
from spikelet.samples.samples import Samples
from tests.helpers.networks import SUBTRACT, chain


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    network = chain([6, 4, 3], neuron=SUBTRACT, scale=1 / 4, seed=1)
    return compile_network(network, limits=PlacementLimits(lanes=4))


def _samples(rate: float = 0.5) -> Samples:
    return Samples((np.random.default_rng(1).random((4, 4, 6)) < rate).astype(np.uint8))


def _passes(chip: ChipParams, run: StoredRun) -> tuple[int, int]:
    """Run the self-test on the chip; return whether it passes, and the class shown."""
    test = SelfTest(Chip(chip), chip, run)
    seen: list[int] = []

    async def watch(ctx):
        cycles = 0
        while not ctx.get(test.done):
            await ctx.tick()
            cycles += 1
        assert cycles < test.cycle_limit / 4
        seen.extend([ctx.get(test.passed), ctx.get(test.winner)])

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run()
    return seen[0], seen[1]


def test_the_chip_passes_what_golden_says_and_nothing_else(compiled: CompiledNetwork) -> None:
    sample = stored_samples(compiled, _samples(), 1)
    ran = run_network(compiled, _samples().spikes[1:2])
    trace = ran.recording
    assert sample.counts.tolist() == ran.output_counts()[0].tolist()
    packets = sum(int(core.sum()) for core in trace.spikes)  # each spike goes to one place
    assert sample.cycles == trace.cycles.sum() + 2 * packets
    assert _passes(compiled.chip, sample) == (1, ran.classify()[0])
    other = stored_samples(compiled, _samples(), 2)
    assert not np.array_equal(other.words, sample.words)
    assert _passes(compiled.chip, replace(sample, words=other.words))[0] == 0


def test_a_silent_sample_is_refused_and_one_that_spikes_is_named() -> None:
    compiled = compile_network(chain([6, 3], neuron=SUBTRACT, scale=1 / 4, seed=1))
    spikes = _samples(0.8).spikes
    spikes[:2] = 0
    with pytest.raises(SpikeletError, match=r"no output of 'chain' spikes in sample 1") as caught:
        stored_samples(compiled, Samples(spikes), 1)
    assert "the first that spikes is 2 (--sample)" in str(caught.value.remedy)
    with pytest.raises(SpikeletError) as caught:
        stored_samples(compiled, Samples(spikes[:2]), 0)
    assert "in any of the 2 samples" in str(caught.value.remedy)


@pytest.mark.parametrize("number", [-1, 4])
def test_a_sample_that_there_is_not_is_refused(compiled: CompiledNetwork, number: int) -> None:
    with pytest.raises(SpikeletError, match=rf"sample must be in 0\.\.3, not {number}"):
        stored_samples(compiled, _samples(), number)


@pytest.mark.parametrize("count", [0, 3])
def test_more_samples_than_there_are_are_refused(compiled: CompiledNetwork, count: int) -> None:
    with pytest.raises(SpikeletError, match=rf"from sample 2 on must be 1\.\.2, not {count}"):
        stored_samples(compiled, _samples(), 2, count)


def test_several_samples_are_shown_one_after_another(compiled: CompiledNetwork) -> None:
    run = stored_samples(compiled, _samples(), 1, 3)
    last = stored_samples(compiled, _samples(), 3)
    counts = run_network(compiled, _samples().spikes[1:]).output_counts()
    assert run.counts.tolist() == counts.sum(axis=0).tolist()
    assert run.words.tolist() == last.words.tolist(), "each starts from a cleared state"
    assert run.program.tolist() == last.program.tolist()
    assert _passes(compiled.chip, run) == (1, run.expected)
    assert _passes(compiled.chip, replace(run, counts=last.counts))[0] == 0
    with pytest.raises(SpikeletError, match=r"no output of 'chain' spikes in samples 0 to 1,"):
        stored_samples(compiled, Samples(0 * _samples().spikes), 0, 2)


def test_outputs_with_equally_many_spikes_are_compared_like_others(
    compiled: CompiledNetwork,
) -> None:
    sample = replace(stored_samples(compiled, _samples(), 1), counts=np.array([2, 5, 5]))
    assert sample.expected == 1


REWARDED = LearningRule(
    "dw = x1*y0 - 2^-1*x0*y1 + 2^-1*r*t - u2*(w > 3)",
    "dt = x1*y0 - 2^-1*t*u1",
    x1=TraceParams(increment=9, decay=3300, bits=5),
    y1=TraceParams(increment=3, decay_shift=2, bits=4),
    w_min=-7,
    w_max=7,
    rounding="stochastic",
    tag_bits=5,
    reward_bits=4,
)


@pytest.fixture(scope="module")
def learning() -> tuple[ChipParams, ChipImage, Events, np.ndarray]:
    """Two layers that learn with rewards and tags; three samples."""
    network = PlasticNetwork("rewarded", seed=3)
    network.inputs("in", 6)
    network.population("hidden", 4, threshold=9, decay=3000, inhibition=2)
    network.population("out", 2, threshold=5, decay=3000)
    network.project("in", "hidden", weights=(-2, 7), rule=REWARDED)
    network.project("hidden", "out", weights=(0, 7), rule=replace(REWARDED, reward_bits=6))
    network.output("out")
    plastic = compile_network(network, limits=PlacementLimits(lanes=2))
    rng = np.random.default_rng(2)
    events = Events.from_spikes(rng.random((3, 4, 6)) < 0.4, plastic.routes)
    reward = rng.integers(-8, 8, (3, 4)) * (rng.random((3, 4)) < 0.5)
    return plastic.chip, plastic.image, events, reward


Learning = tuple[ChipParams, ChipImage, Events, np.ndarray]


@pytest.fixture(scope="module")
def run(learning: Learning) -> StoredRun:
    chip, image, events, reward = learning
    return stored_run(chip, image, events, reward=reward)


def test_the_checksum_of_the_weights_differs_before_and_after_learning(
    learning: Learning, run: StoredRun
) -> None:
    chip, image, events, reward = learning
    golden = GoldenChip(chip, image)
    golden.run(events, reward=reward)
    learned = golden.snapshot().image
    assert run.program.tolist() == image.program(chip).tolist()
    before, after = run.weight_checksums(chip)
    assert before != after
    for loaded, checksum in ((image, before), (learned, after)):
        assert replace(run, program=loaded.program(chip)).weight_checksums(chip)[0] == checksum
    for core in range(2):
        assert not np.array_equal(image.cores[core].weights, learned.cores[core].weights)
    off = ChipImage(tuple(replace(core, learning=False) for core in image.cores))
    assert stored_run(chip, off, events, reward=reward).weight_checksums(chip) == (before, before)


def test_predicted_cycles_hold_visits_of_every_axon(learning: Learning, run: StoredRun) -> None:
    chip, image, events, reward = learning
    trace = GoldenChip(chip, image).run(events, reward=reward)
    packets = sum(int(core.sum()) for core in trace.spikes)  # each spike goes to one place
    expected = trace.cycles.sum() + 2 * packets
    for core, spikes in zip(chip.cores, trace.spikes, strict=True):
        for sample, tick in np.ndindex(reward.shape):
            fired = spikes[sample, tick].reshape(core.groups, core.lanes).any(axis=1).sum()
            swept = core.groups * (reward[sample, tick] != 0 or tick % 2 == 1)
            visits = (fired + swept) * (core.n_axons + 1)
            expected += visits + (13 if visits else 0)
    assert run.cycles == expected
    off = ChipImage(tuple(replace(core, learning=False) for core in image.cores))
    plain = GoldenChip(chip, off).run(events, reward=reward)
    packets = sum(int(core.sum()) for core in plain.spikes)
    assert stored_run(chip, off, events).cycles == plain.cycles.sum() + 2 * packets


def _changed(words: np.ndarray, address: int, bit: int) -> np.ndarray:
    changed = words.copy()
    changed[words[:, 0] == address, 1] ^= np.uint32(1 << bit)
    assert (changed != words).sum() == 1
    return changed


def test_a_chip_that_learns_passes_what_golden_learned_and_nothing_else(
    learning: Learning, run: StoredRun
) -> None:
    chip, _, _, reward = learning
    assert _passes(chip, run) == (1, run.expected)
    of_core = state_words(chip, ("weights",))[1]["weights"]
    weight = replace(run, words=_changed(run.words, int(of_core[-1]), bit=0))
    assert _passes(chip, weight)[0] == 0
    assert _passes(chip, replace(run, reward=np.zeros_like(reward)))[0] == 0


def test_samples_from_which_nothing_is_learned_are_refused(learning: Learning) -> None:
    chip, image, events, reward = learning
    cores = [replace(core, plastic=np.zeros_like(core.plastic)) for core in image.cores]
    with pytest.raises(SpikeletError, match=r"after all of 3 samples the weights are those that"):
        stored_run(chip, ChipImage(tuple(cores)), events, reward=reward)


def test_silent_samples_are_refused_and_bad_rewards_too(learning: Learning) -> None:
    chip, image, events, reward = learning
    silent = Events.from_spikes(np.zeros((3, 4, 6)), np.zeros((0, 4), int))
    with pytest.raises(SpikeletError, match=r"no output of 'x' spikes in any of the samples"):
        stored_run(chip, image, silent, name="'x'")
    with pytest.raises(SpikeletError, match=r"reward must have shape \(3, 4\)"):
        stored_run(chip, image, events, reward=reward[:2])
