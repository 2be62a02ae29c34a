"""The run that is kept beside a chip: from which input it is, and that its outputs spike."""

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.memory_map import ChipMap
from spikelet.network.limits import PlacementLimits
from spikelet.runs.recorded_run import record_run, stimuli
from tests.helpers.networks import chain, spikes


@pytest.fixture(scope="module")
def compiled() -> CompiledNetwork:
    """Return a network on two cores."""
    limits = PlacementLimits(max_axons=16, max_neurons=8, lanes=4)
    return compile_network(chain([6, 8, 4]), limits=limits)


def test_calibration_samples_come_first_and_those_without_output_spikes_last(compiled):
    shown = np.zeros((4, 9, 6), np.uint8)
    shown[2:] = spikes(2, 9, 6, rate=0.6)
    run = record_run(compiled, shown, "mine")
    assert (run.stimulus, run.top) == ("calibration samples", "mine")
    assert run.samples == 2 and run.outputs.any(axis=(1, 2)).all()
    assert run.ticks == 9 + compiled.output_latency
    assert len(run.flits) == compiled.events(shown[2:]).offsets[-1]


def test_random_spikes_where_calibration_samples_are_silent(compiled):
    silent = record_run(compiled, np.zeros((2, 5, 6), np.uint8))
    assert silent.stimulus == "random spikes, 0.1 a tick, seed 0" and silent.output_spikes
    again = record_run(compiled, None)
    assert again.texts() == silent.texts()


def test_a_network_that_never_spikes_says_so():
    network = chain([6, 8, 4], threshold=np.full(1, 1000.0))
    compiled = compile_network(network, limits=PlacementLimits(16, 8, 4), potential_bits=24)
    run = record_run(compiled)
    assert run.output_spikes == 0
    assert "no output spikes, with this or any other input that was tried" in run.stimulus
    assert run.values > 0 and run.flits.size
    assert len(list(stimuli(compiled, None))) > 5


def test_a_large_chip_compares_some_neurons_of_every_core(compiled, monkeypatch):
    monkeypatch.setattr("spikelet.runs.recorded_run._STATE_WORDS", 5)
    run = record_run(compiled)
    window = ChipMap(compiled.chip).window
    of_core = [int((run.probes // window == 1 + core).sum()) for core in range(2)]
    assert all(found > 1 for found in of_core)  # the counter, and a neuron at least
    assert sum(of_core) == len(run.probes) <= 2 + 6
    assert run.words.any()
