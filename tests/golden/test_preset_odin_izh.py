"""ODIN's Izhikevich neurons, ``odin-izh``, against the published Verilog under Verilator.

``tests/fixtures/presets/make_odin_izh.py`` recorded it, over the chip's own ports.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikelet.compiler.compile import compile_network
from spikelet.description.learning.rule import LearningRule
from spikelet.golden.chip import GoldenChip
from spikelet.network.builder import PlasticNetwork
from spikelet.runs.run import run
from spikelet.runs.run_result import Run
from spikelet.runs.verify import verify
from spikelet.samples.samples import Samples
from tests.fixtures.presets.make_odin_izh import BEHAVIOURS, FIELDS, PERIODS, STATES

RECORDED = Path(__file__).parents[1] / "fixtures" / "presets" / "odin_izh.npz"


RULE = LearningRule("dw = x0*e", error_bits=2, w_min=0, w_max=7)


@pytest.fixture(params=["numpy", "native"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run golden by one of its two."""
    chip = partial(GoldenChip, backend=request.param)
    monkeypatch.setattr("spikelet.runs.engines.GoldenChip", chip)
    return str(request.param)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("period", PERIODS)
def test_an_event_a_tick_is_as_in_the_published_verilog(period: int) -> None:
    """Every spike of 256 neurons in 300 ticks, and every state after the last."""
    found = _recorded(str(period))
    got = _run(found, reference_period=period)
    spikes = _spikes(found["spikes"], len(found["axons"]))
    assert np.array_equal(got.spikes("neurons")[0], spikes)
    for name in STATES:
        states = got.states("neurons")[name][0, -1]
        assert np.array_equal(states, found[f"state_{name}"]), name
    half = spikes[:, :128].sum(axis=0)
    each = [half[number :: len(BEHAVIOURS)].sum() for number in range(len(BEHAVIOURS))]
    assert min(each) > 0 and (spikes == 2).any()
    assert len(set(each)) > 12  # behaviours differ


@pytest.mark.usefixtures("backend")
def test_they_learn_as_in_the_published_verilog() -> None:
    """Every spike of 256 neurons in 160 ticks, and every weight after the last."""
    found = _recorded("learning")
    axons = len(found["learned"])
    got = _run({**found, "weights": found["weights"][:axons]}, RULE, spike_bits=1)
    spikes = _spikes(found["spikes"], len(found["axons"]))
    assert np.array_equal(got.spikes("neurons")[0], spikes > 0)
    assert np.array_equal(got.weights("axons", "neurons"), found["learned"])
    changes = found["learned"] - found["weights"][:axons].astype(np.int64)
    assert (changes > 0).sum() > 100 and (changes < 0).sum() > 100


def _recorded(which: str) -> dict[str, Any]:
    with np.load(RECORDED) as file:
        names = [name for name in file.files if name.startswith(f"{which}_")]
        return {name[len(which) + 1 :]: file[name] for name in names}


def _spikes(events: Any, ticks: int) -> Any:
    spikes = np.zeros((ticks, 256), np.int64)
    np.add.at(spikes, tuple(events.T), 1)
    return spikes


@pytest.mark.slow
@pytest.mark.parametrize("learns", [False, True])
def test_the_rtl_is_the_same(learns: bool) -> None:
    """Spikes, states and weights of two neurons of each behaviour and others, in 100 ticks."""
    found = _recorded("learning" if learns else "5")
    neurons = [*range(2 * len(BEHAVIOURS)), *range(224, 256)]
    own = {name: found[f"own_{name}"][neurons] for name in FIELDS}
    axons = 16 if learns else 48
    constants: dict[str, Any] = {"spike_bits": 1} if learns else {"reference_period": 5}
    network = PlasticNetwork("recorded", preset="odin")
    network.inputs("axons", axons)
    network.population("neurons", len(neurons), neuron="odin-izh", **own, **constants)
    weights = found["weights"][:axons, neurons]
    network.project("axons", "neurons", weights=weights, rule=RULE if learns else None)
    network.output("neurons")
    active = found["axons"][:100, None] == np.arange(axons)
    assert verify(compile_network(network), Samples(active[None].astype(np.uint8))).equal


def _run(found: dict[str, Any], rule: LearningRule | None = None, **constants: Any) -> Run:
    own = {name: found[f"own_{name}"] for name in FIELDS}
    axons = len(found["weights"])
    active = found["axons"][:, None] == np.arange(axons)
    network = PlasticNetwork("recorded", preset="odin")
    network.inputs("axons", axons)
    network.population("neurons", 256, neuron="odin-izh", **own, **constants)
    network.project("axons", "neurons", weights=found["weights"], rule=rule)
    network.output("neurons")
    return run(compile_network(network), active[None], record=("spikes", "states"))
