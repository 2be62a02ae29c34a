"""A plastic network on the generated Verilog: what golden learned, bit for bit."""

import numpy as np
import pytest

from spikelet import (
    Adaptation,
    LearningRule,
    PlacementLimits,
    PlasticNetwork,
    Samples,
    SpikeletError,
    TraceParams,
)
from spikelet.compiler.compile import compile_network
from spikelet.runs.run import run
from spikelet.runs.verify import verify

REWARDED = LearningRule(
    "2^-7*r*t + 2^-5*x1*y0 - 2^-1*x0",
    dt="x1*y0 - 2^-1*t*u2",
    x1=TraceParams(9, decay_shift=3, bits=6),
    w_max=60,
    rounding="stochastic",
    tag_bits=6,
    reward_bits=4,
)


@pytest.fixture(scope="module")
def plastic():
    """Compile two populations with a loop, delays, competition and all that a rule can use."""
    network = PlasticNetwork("loop", seed=9)
    network.inputs("lines", 6)
    network.population(
        "first", 3, threshold=60, decay=3900, inhibition=20, adaptation=Adaptation(900)
    )
    network.population("second", 3, threshold=[10, 14, 18])
    network.project("lines", "first", weights=(15, 40), rule=REWARDED)
    network.project("first", "second", weights=20, connectivity="one_to_one")
    network.project("second", "first", weights=-5, connectivity="all_but_self", delay=3)
    network.output("first")
    return compile_network(network, limits=PlacementLimits(lanes=2))


def test_rtl_is_golden(plastic):
    """With rewards, from sample to sample without clear, and on from a snapshot with arrivals."""
    generator = np.random.default_rng(0)
    spikes = generator.random((5, 12, 6)) < 0.4
    reward = generator.integers(-4, 5, (5, 12))
    before = run(plastic, spikes[:2], reward=reward[:2], clear=False)
    assert any(core.arrivals.any() for core in before.state.cores)
    options = {"clear": False, "start": before.state}
    seen = []
    result = verify(
        plastic,
        Samples(spikes[2:4].astype(np.uint8), reward=reward[2:4]),
        progress=lambda *told: seen.append(told),
        **options,
    )
    assert result.equal, result.engines[1].difference
    assert [engine.samples for engine in result.engines] == [2, 2]
    assert {"outputs", "spikes", "states", "checksums"} <= set(result.engines[1].compared)
    assert ("rtl", 2, 2) in seen
    learned, golden = (
        run(plastic, spikes[2:], e, reward=reward[2:], **options) for e in ("rtl", "golden")
    )
    assert learned.recording.engine == "rtl" and learned.recording.neurons == (3, 3)
    assert (learned.state.checksums() == golden.state.checksums()).all()
    weights = learned.weights("lines", "first")
    assert (weights == golden.weights("lines", "first")).all()
    assert (weights != before.weights("lines", "first")).any()


def test_no_compiler(plastic, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SpikeletError, match="apt-get install g"):
        run(plastic, np.zeros((1, 1, 6)), engine="rtl")
