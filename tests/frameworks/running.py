"""How the tests of each framework run a case."""

from pathlib import Path
from typing import Any

import numpy as np

from spikelet.network.reference import run_layers
from tests.frameworks.cases import Case, sample
from tests.helpers.nir_round_trip import check_file

__all__ = ["check_case"]


def check_case(case: Case, call: Any, folder: Path, *, time_axis: int = 0) -> Any:
    """Read a module; its float network must spike as it did, in all layers, samples and ticks.

    Its file must give the same network. Return what was imported.
    """
    given = sample(case.inputs, time_axis=time_axis)
    imported = call(case.make(), given)
    network, samples = imported.network, imported.samples
    assert tuple(p.neuron.name for p in network.populations) == case.models
    np.testing.assert_array_equal(
        samples.spikes, sample(case.inputs, time_axis=1).reshape(*samples.spikes.shape)
    )
    layers = run_layers(network, samples.spikes)
    for population, layer, theirs in zip(
        network.populations, layers, imported.agreement, strict=True
    ):
        assert population.name == theirs.layer and not theirs.different
        assert np.count_nonzero(layer.spikes) == theirs.spikes
        if population.name in network.readouts:
            values = samples.expected[population.name]
            np.testing.assert_allclose(layer.potentials, values, rtol=1e-6)
            assert values.std() > 0.1
            continue
        assert 0.02 < (layer.spikes > 0).mean() < 0.98, "a layer that is mute, or never silent"
    check_file(network, folder)
    return imported
