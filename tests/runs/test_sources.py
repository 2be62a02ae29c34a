"""Spike sources on the chip: their rates, and the same spikes on golden and RTL."""

import numpy as np
import pytest

from spikelet import CompiledNetwork, PlasticNetwork, Samples, SpikeletError, compile, run, verify

RATES = np.array([0, 1000, 10000, 30000, 65535, 65536])


def noisy(lanes: int = 16) -> CompiledNetwork:
    """Return a network of six sources, each with an axon of its own, beside an input."""
    network = PlasticNetwork("noise")
    network.inputs("lines", 4)
    network.population("sources", len(RATES), neuron="source", rate=RATES)
    network.population("relays", len(RATES), neuron="nir-euler", threshold=2, decay=0)
    network.population("cells", 3, neuron="snntorch-subtract", threshold=20, decay=3500)
    network.project("sources", "relays", weights=3, connectivity="one_to_one")
    network.project("sources", "cells", weights=(1, 9))
    network.project("lines", "cells", weights=(1, 9))
    network.output("relays")
    network.output("cells")
    return compile(network, limits={"lanes": lanes})


def silent(ticks: int) -> np.ndarray:
    return np.zeros((1, ticks, 4), np.uint8)


def test_each_source_has_its_rate_without_any_input() -> None:
    ticks = 20_000
    got = run(noisy(), silent(ticks), record=("spikes",))
    mean = got.spikes("sources")[0].mean(axis=0)
    chance = RATES / 65536
    assert (np.abs(mean - chance) <= 4 * np.sqrt(chance * (1 - chance) / ticks)).all()
    relayed = got.spikes("relays")[0, 1:]
    assert (relayed == got.spikes("sources")[0, :-1]).all()
    assert got.spikes("cells").sum() > 1000


def test_lanes_change_nothing() -> None:
    first, other = (run(noisy(lanes), silent(300), record=("spikes",)) for lanes in (1, 8))
    for name in ("sources", "relays", "cells"):
        assert (first.spikes(name) == other.spikes(name)).all()


def test_a_rate_that_is_none() -> None:
    network = PlasticNetwork("noise")
    for rate in (-1, 65537):
        with pytest.raises(SpikeletError, match=rf"rate must be in 0\.\.65536, found {rate}"):
            network.population("sources", 1, neuron="source", rate=rate)


@pytest.mark.slow
def test_sources_on_the_rtl() -> None:
    samples = Samples((np.random.default_rng(1).random((2, 60, 4)) < 0.2).astype(np.uint8))
    found = verify(noisy(), samples)
    assert found.equal and found.runs["rtl"].spikes("sources").sum() > 100
