# amaranth: UnusedElaboratable=no
"""Stochastic synapses in Amaranth's simulator: every sum is that of golden."""

from typing import Any

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.draws import Keys
from spikelet.golden.synapses.sums import drawn_sums
from tests.helpers.crossbar_ticks import crossbar_sums
from tests.helpers.random_types import typed_weights

ACTIVITIES = (0.0, 1.0, 0.5, 0.0, 0.3)


def check(seed: int, *shape: int, **fields: Any) -> None:
    """Compare a core of ``shape`` and fields with golden."""
    rng = np.random.default_rng(seed)
    core = CoreParams(
        *(*shape, neuron_model("nir-euler")),
        synapses="axon-types",
        synapse_options={"stochastic": 1},
        **fields,
    )
    weights = typed_weights(rng, core)
    weights[core.n_axons : -4, 1] = core.weight_min
    ticks = np.stack([rng.random(core.n_axons) < activity for activity in ACTIVITIES])
    keys = Keys(core.synapse_format.key(core, weights))
    expected = drawn_sums(core, ticks[None], weights, [keys.of(t) for t in range(len(ticks))])[0]
    assert crossbar_sums(core, weights, ticks, rng) == expected.tolist()


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ((9, 8), {"lanes": 4, "weight_bits": 9}),
        ((5, 3), {"lanes": 1, "weight_bits": 2}),
        ((6, 16), {"lanes": 8, "pipelines": 4, "weight_bits": 8, "weight_format": "unsigned"}),
    ],
    ids=["four lanes", "a lane", "unsigned"],
)
def test_its_sums_are_those_of_golden(shape: tuple[int, int], fields: dict[str, Any]) -> None:
    check(1, *shape, **fields)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 2, 16])
def test_its_sums_are_those_of_golden_whatever_the_core(lanes: int) -> None:
    rng = np.random.default_rng(lanes)
    shape = int(rng.integers(1, 20)), lanes * int(rng.integers(1, 4))
    check(lanes, *shape, lanes=lanes, weight_bits=int(rng.integers(2, 10)))
