# amaranth: UnusedElaboratable=no
"""The neuron array: shared and separate parameters, adaptation, few and many pipelines."""

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.lif_update import LifUpdate
from spikelet.rtl_gen.neuron_array import NeuronArray
from tests.cosim.support import SEEDS, Bench, cases
from tests.helpers.random_plastic import random_plastic_image


@pytest.fixture(
    scope="module",
    params=cases(
        shared={"neuron": neuron_model("snntorch-zero"), "pipelines": 1},
        separate={
            "neuron": neuron_model("nir-euler"),
            "pipelines": 4,
            "threshold": "neuron",
            "decay": "neuron",
            "bias": "neuron",
            "reset_potential": "neuron",
            "first_tick": 2,
        },
        residual={
            "neuron": neuron_model("snntorch-subtract-immediate"),
            "pipelines": 8,
            "n_neurons": 8,
            "bias": "shared",
        },
        adapting={
            "neuron": neuron_model("snntorch-subtract"),
            "pipelines": 2,
            "threshold": "neuron",
            "decay": "neuron",
            "inhibition": "shared",
            "learning": LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7),
            "adaptation": Adaptation(increment=100, decay_shift=3, fraction_bits=1, bits=9),
        },
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a neuron array."""
    fields = {"n_axons": 40, "n_neurons": 24, "lanes": 8, "potential_bits": 11}
    core = CoreParams(**{**fields, "weight_exponent": 2, **request.param})
    chip = ChipParams((core,))
    latency = 2 + LifUpdate.latency + (core.adaptation is not None)
    component = NeuronArray(core, ChipMap(chip).cores[0])
    return Bench(component, chip=chip, latency=latency, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_neuron_array(bench, seed, tmp_path):
    chip = bench.parameters["chip"]
    image = random_plastic_image(np.random.default_rng(seed), chip)
    bench.run(seed, tmp_path, image=image)
