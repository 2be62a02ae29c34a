"""Random neuron models: numpy and C compute what Python's own evaluation of the text does."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.model import NeuronModel
from spikelet.golden import native
from tests.helpers.neuron_models import ALL_MODELS
from tests.helpers.neuron_ticks import bare_image, native_ticks, numpy_ticks, python_ticks
from tests.helpers.random_chips import random_contents, random_core
from tests.helpers.random_models import changing_core, random_model, random_models

TICKS = 8
READERS = (numpy_ticks, native_ticks) if native.available() else (numpy_ticks,)


def compare(rng: np.random.Generator, core: CoreParams) -> float:
    """Compare all readers of a core's model in all states; return how many neurons fired."""
    parameters, kept = random_contents(rng, core)
    indices = rng.integers(0, 1 << 24, core.n_neurons)
    key = int(rng.integers(1, 1 << 32))
    image = bare_image(core, **parameters, **kept, draw_key=key, draw_indices=indices)
    low, high = core.n_axons * core.weight_min, core.n_axons * core.weight_max
    sums = rng.integers(low, high + 1, (TICKS, core.n_neurons))
    sums[::3] = rng.choice([low, 0, high], sums[::3].shape)
    expected = python_ticks(core, image, sums)
    for reader in READERS:
        got = reader(core, image, sums)
        assert got.keys() == expected.keys() >= {"v", "fired"}
        for name, values in expected.items():
            low, high = core.state_ranges[name]
            assert values.min() >= low and values.max() <= high, f"{name} left its range"
            assert np.array_equal(got[name], values), f"{reader.__name__}, {name}"
    return float(expected["fired"].mean())


def core_of(rng: np.random.Generator, model: NeuronModel) -> CoreParams | None:
    return changing_core(model, lambda: random_core(rng, model, first_tick=0))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_models(), st.integers(0, 2**32))
def test_any_model_is_read_alike(model: NeuronModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    core = core_of(rng, model)
    assume(core is not None)
    assert core is not None
    compare(rng, core)


@pytest.mark.parametrize(
    "block", [0, *(pytest.param(b, marks=pytest.mark.slow) for b in range(1, 8))]
)
def test_random_models(block: int) -> None:
    """The same on seeds that are always the same; together they fire, and draw, and keep states."""
    cores, rates = [], []
    for seed in range(block * 50, block * 50 + 50):
        rng = np.random.default_rng(seed)
        core = core_of(rng, random_model(rng))
        if core is not None:
            cores.append(core)
            rates.append(compare(rng, core))
    assert len(cores) > 40 and 0.1 < np.mean(rates) < 0.9
    assert sum(core.update.draws for core in cores) > 5
    assert sum(bool(core.update.kept) for core in cores) > 2
    wide = [name for core in cores for name, ends in core.update.ranges.items() if ends[1] >> 31]
    assert len(wide) > 5, "hardly anything needs 64 bits"


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model.name)
def test_the_models_that_are_there(model: NeuronModel) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        core = core_of(rng, model)
        assert core is not None
        compare(rng, core)
