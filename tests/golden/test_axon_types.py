"""Weights of axon types, of up to 9 bits: numpy, C and a matrix product are the same."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.destinations import joined
from spikelet.description.chip.image import ChipImage, CoreImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.errors import SpikeletError
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.golden.dense_spikes import DenseSpikes
from tests.helpers.random_types import typed_weights

CORE = CoreParams(
    600,
    200,
    neuron_model("linear"),
    weight_bits=9,
    potential_bits=24,
    lanes=8,
    synapses="axon-types",
)


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("weight_bits", [8, 9])
def test_sums_are_those_of_the_matrix(backend: str, weight_bits: int) -> None:
    """Potentials are the input of the tick; ticks with no axon, a few and all of them."""
    rng = np.random.default_rng(weight_bits)
    core = replace(CORE, weight_bits=weight_bits)
    weights = typed_weights(rng, core)
    weights[core.n_axons :, 1:5] = core.weight_min
    weights[core.n_axons :, 5:9] = core.weight_max
    chip = ChipParams((core,))
    image = ChipImage((CoreImage(weights, joined(), {}),))
    active = rng.random((2, 12, core.n_axons)) < np.array([0, 0.01, 0.2, 0.9] * 3)[:, None]
    active[0, 5] = True
    routes = np.array([(a, 0, a, 0) for a in range(core.n_axons)])
    found = GoldenChip(chip, image, backend=backend).run(
        DenseSpikes(active.astype(np.uint8), routes)
    )
    matrix = core.synapse_format.matrix(core, weights).astype(np.int64)
    assert matrix.min() == core.weight_min and matrix.max() == core.weight_max
    assert found.states is not None
    assert np.array_equal(found.states[0]["v"], active.astype(np.int64) @ matrix)


def test_what_has_no_weights_of_9_bits() -> None:
    assert (CORE.weight_min, CORE.weight_max) == (-256, 255)
    with pytest.raises(SpikeletError, match=r"unsigned weights have 1..8 bits, not 9") as error:
        replace(CORE, weight_format="unsigned")
    assert error.value.remedy == "take signed weights"
    with pytest.raises(SpikeletError, match=r"weight_bits must be an int in 1\.\.9, not 10"):
        replace(CORE, weight_bits=10)
    with pytest.raises(SpikeletError, match=r"weight_bits must be an int in 1\.\.8, not 9"):
        replace(CORE, synapses="dense")
