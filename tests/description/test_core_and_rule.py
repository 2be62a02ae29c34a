"""What a core refuses of a neuron model and a learning rule that are each right by themselves."""

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.errors import SpikeletError
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.model import NeuronModel, State

WIDE = NeuronModel(
    "wide",
    "v = clamp(v + current, -100000, 100000)\nfired = v > 9",
    (State("v", "absolute", low=-100000, high=100000), State("fired", "flag")),
)


def test_a_potential_that_the_rule_cannot_hold_is_refused() -> None:
    rule = LearningRule("x0*(v > 9) - x0", w_max=7)
    with pytest.raises(
        SpikeletError, match=r"-100000..100000 in 'wide' and must be within"
    ) as caught:
        CoreParams(16, 16, WIDE, learning=rule)
    assert "potential_bits" in caught.value.remedy
    assert CoreParams(16, 16, WIDE, potential_bits=18, learning=rule).learning is rule
    other = LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7)
    assert CoreParams(16, 16, WIDE, learning=other).learning is other
