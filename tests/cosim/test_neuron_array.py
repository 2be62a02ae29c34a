# amaranth: UnusedElaboratable=no
"""The neuron array: parameters of each scope, one state and several, kept states, draws."""

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.learning.rule import LearningRule, TraceParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.error import ErrorParams, with_error
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.neuron_array import NeuronArray
from tests.cosim.support import SEEDS, Bench, cases
from tests.helpers.neuron_models import HABITUATING, NOISY, ODD
from tests.helpers.random_plastic import random_plastic_image


@pytest.fixture(
    scope="module",
    params=cases(
        shared={
            "neuron": neuron_model("snntorch-zero"),
            "pipelines": 1,
            "parameters": {"decay": "shared"},
        },
        separate={
            "neuron": neuron_model("nir-euler"),
            "pipelines": 4,
            "parameters": dict.fromkeys(
                ("threshold", "decay", "bias", "reset_potential"), "neuron"
            ),
            "first_tick": 2,
        },
        residual={
            "neuron": neuron_model("snntorch-subtract-immediate"),
            "pipelines": 8,
            "n_neurons": 8,
            "parameters": {"decay": "shared", "bias": "shared"},
        },
        adapting={
            "neuron": neuron_model("snntorch-subtract"),
            "pipelines": 2,
            "parameters": {
                **{"threshold": "neuron", "decay": "neuron", "inhibition": "shared"},
                **Adaptation(increment=100, decay_shift=3, fraction_bits=1, bits=9).constants,
            },
            "learning": LearningRule("x1*y0", x1=TraceParams(1, bits=1), w_max=7),
        },
        inhibited={
            "neuron": neuron_model("nir-euler"),
            "pipelines": 2,
            "parameters": {"threshold": "neuron", "inhibition": "shared"},
            "inhibition_axon": True,
        },
        taught={
            "neuron": with_error(
                neuron_model("snntorch-zero"), ErrorParams(bits=8, decay=3500, spike=30)
            ),
            "pipelines": 4,
            "parameters": {"decay": "shared"},
            "learning": LearningRule("x1*e", x1=TraceParams(1, bits=1), w_max=7),
            "teacher_axons": 7,
        },
        states={"neuron": ODD, "pipelines": 2, "parameters": {"threshold": "neuron"}},
        drawing={
            "neuron": NOISY,
            "pipelines": 4,
            "parameters": {"decay": "neuron"},
            "first_tick": 2,
        },
        tired={"neuron": HABITUATING, "pipelines": 1, "parameters": {"step": "neuron"}},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a neuron array."""
    fields = {"n_axons": 40, "n_neurons": 24, "lanes": 8, "potential_bits": 11}
    core = CoreParams(**{**fields, "weight_exponent": 2, **request.param})
    chip = ChipParams((core,))
    component = NeuronArray(core, ChipMap(chip).cores[0])
    latency = component.latency
    assert latency == 2 + len(core.update.lines)
    return Bench(component, chip=chip, latency=latency, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_neuron_array(bench, seed, tmp_path):
    chip = bench.parameters["chip"]
    image = random_plastic_image(np.random.default_rng(seed), chip)
    bench.run(seed, tmp_path, image=image)
