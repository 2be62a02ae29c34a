# amaranth: UnusedElaboratable=no
"""What a self-test image stores of a compiled network, and that the chip itself passes it."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikelet.compiler.compiled import CompiledNetwork, compile_network
from spikelet.compiler.place import PlacementLimits
from spikelet.description.errors import SpikeletError
from spikelet.fpga.self_test import SelfTest
from spikelet.fpga.self_test_image import Sample
from spikelet.rtl_gen.chip import Chip
from spikelet.runs.engines import simulate
from spikelet.runs.self_test_sample import stored_sample
from spikelet.samples.samples import Samples
from tests.helpers.networks import SUBTRACT, chain


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    network = chain([6, 4, 3], neuron=SUBTRACT, scale=1 / 4, seed=1)
    return compile_network(network, limits=PlacementLimits(lanes=4))


def _samples(rate: float = 0.5) -> Samples:
    return Samples((np.random.default_rng(1).random((4, 4, 6)) < rate).astype(np.uint8))


def _passes(compiled: CompiledNetwork, sample: Sample) -> tuple[int, int]:
    """Run the self-test on the chip; return whether it passes, and the class shown."""
    test = SelfTest(Chip(compiled.chip), compiled.chip, sample)
    seen: list[int] = []

    async def watch(ctx):
        while not ctx.get(test.done):
            await ctx.tick()
        seen.extend([ctx.get(test.passed), ctx.get(test.winner)])

    simulator = Simulator(test)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run()
    return seen[0], seen[1]


def test_the_chip_passes_what_golden_says_and_nothing_else(compiled: CompiledNetwork) -> None:
    sample = stored_sample(compiled, _samples(), 1)
    trace = simulate(compiled, _samples().spikes[1:2])
    assert sample.counts.tolist() == compiled.output_counts(trace)[0].tolist()
    packets = sum(int(core.sum()) for core in trace.spikes)  # each spike goes to one place
    assert sample.cycles == trace.cycles.sum() + 2 * packets
    assert _passes(compiled, sample) == (1, compiled.classify(trace)[0])
    other = stored_sample(compiled, _samples(), 2)
    assert not np.array_equal(other.words, sample.words)
    assert _passes(compiled, replace(sample, words=other.words))[0] == 0


def test_a_silent_sample_is_refused_and_one_that_spikes_is_named() -> None:
    compiled = compile_network(chain([6, 3], neuron=SUBTRACT, scale=1 / 4, seed=1))
    spikes = _samples(0.8).spikes
    spikes[:2] = 0
    with pytest.raises(SpikeletError, match=r"no output of 'chain' spikes in sample 1") as caught:
        stored_sample(compiled, Samples(spikes), 1)
    assert "the first that spikes is 2 (--sample)" in str(caught.value.remedy)
    with pytest.raises(SpikeletError) as caught:
        stored_sample(compiled, Samples(spikes[:2]), 0)
    assert "in any of the 2 samples" in str(caught.value.remedy)


@pytest.mark.parametrize("number", [-1, 4])
def test_a_sample_that_there_is_not_is_refused(compiled: CompiledNetwork, number: int) -> None:
    with pytest.raises(SpikeletError, match=rf"sample must be in 0\.\.3, not {number}"):
        stored_sample(compiled, _samples(), number)


def test_outputs_with_equally_many_spikes_are_compared_like_others(
    compiled: CompiledNetwork,
) -> None:
    sample = replace(stored_sample(compiled, _samples(), 1), counts=np.array([2, 5, 5]))
    assert sample.expected == 1
