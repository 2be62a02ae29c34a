"""Rules that read ``p``, the chance of a probabilistic neuron to spike."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikelet
from spikelet import LearningRule, SpikeletError, TraceParams
from spikelet.compiler.compiled import CompiledNetwork
from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.chance import with_chance
from spikelet.description.neurons.model import NeuronModel, State
from spikelet.description.neurons.models import neuron_model

X1 = TraceParams(8, decay_shift=2, bits=6)
LINES, CELLS, TICKS = 5, 4, 120


def network(
    rule: LearningRule, neuron: str | NeuronModel = "probabilistic", **fields: Any
) -> spikelet.PlasticNetwork:
    found = spikelet.PlasticNetwork("chance", seed=2)
    found.inputs("lines", LINES)
    found.population("cells", CELLS, neuron=neuron, threshold=40, decay=2000, **fields)
    found.project("lines", "cells", weights=(0, 40), rule=rule)
    found.output("cells")
    return found


def test_the_rule_is_the_equation() -> None:
    """The change of a run's weights, by ``p`` and spikes as they were recorded."""
    rule = spikelet.RULES["reward_chance"](
        rate=8.0, tau=3.0, reward_bits=3, trace_bits=8, rounding="nearest"
    )
    rng = np.random.default_rng(4)  # no weight comes to its end
    spikes = rng.random((1, TICKS, LINES)) < 0.2
    reward = rng.integers(-2, 3, (1, TICKS))
    model = neuron_model("probabilistic")
    seen = replace(model, states=(*model.states, State("p", "absolute", 0, 65536)))
    compiled = spikelet.compile(network(rule, seen))
    run = spikelet.run(compiled, spikes, reward=reward, record=("spikes", "states", "learning"))
    p = run.recording.states[0]["p"][0, :, :CELLS] / 65536
    fired = run.spikes("cells")[0].astype(int)
    trace, expected = np.zeros(LINES), np.zeros((LINES, CELLS))
    for tick in range(TICKS):
        trace += spikes[0, tick]
        expected += 8.0 * reward[0, tick] * np.outer(trace, fired[tick] - p[tick])
        trace *= np.exp(-1 / 3)
    changed = run.weights("lines", "cells") - compiled.weights("lines", "cells")
    assert np.abs(expected).max() > 20 and 0.1 < fired.mean() < 0.9
    assert np.abs(changed - expected).max() < 0.25 * np.count_nonzero(reward)
    assert np.corrcoef(changed.ravel(), expected.ravel())[0, 1] > 0.97


def test_what_a_rule_reads_is_in_its_bits(tmp_path: Path) -> None:
    """``p`` alone, rounded down, and at most one less than 1; a saved network keeps it."""
    rule = LearningRule("x0*p", w_max=127, w_min=-127, error_bits=4)
    compiled = spikelet.compile(network(rule, bias=1500))
    core = compiled.chip.cores[0]
    assert core.state_ranges["e"] == (0, 7) and rule.reads_chance and rule.reads_error
    spikes = np.zeros((1, 2, LINES), bool)
    spikes[0, 1] = True
    run = spikelet.run(compiled, spikes)
    changed = run.weights("lines", "cells") - compiled.weights("lines", "cells")
    assert (changed == 7).all()
    compiled.save(tmp_path)
    assert CompiledNetwork.load(tmp_path).chip == compiled.chip
    assert LearningRule.from_dict(rule.to_dict()) == rule


def test_errors() -> None:
    rule = LearningRule("x0*p")
    with pytest.raises(SpikeletError, match=r"'snntorch-subtract' has no p of 0\.\.65536"):
        network(rule, "snntorch-subtract")
    with pytest.raises(SpikeletError, match="reads e and p, and a core gives its rule one of them"):
        LearningRule("x0*p - x0*e")
    fields = {"n_axons": 4, "n_neurons": 4, "lanes": 4, "weight_bits": 8, "learning": rule}
    model = neuron_model("probabilistic")
    for given in (model, with_chance(model, 9)):
        with pytest.raises(SpikeletError, match="reads p in 8 bits, which neurons of 'prob"):
            CoreParams(**fields, neuron=given)
    assert with_chance(with_chance(model, 8), 8) == with_chance(model, 8)
    with pytest.raises(SpikeletError, match="has 'e' already, in whose place a rule would read p"):
        with_chance(with_chance(model, 8), 9)
    with pytest.raises(SpikeletError, match="'more' has a teacher, but no rule that reads e"):
        taught = network(LearningRule("x0*y0"), error=None)
        taught.population("more", 1, threshold=4, error=spikelet.ErrorParams())
        taught.project("cells", "more", weights=1, teacher=True)
        taught.integers()
