# amaranth: UnusedElaboratable=no
"""The update pipeline of every model, with parameters of every scope."""

from typing import Any

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.adaptation import Adaptation
from spikelet.description.neurons.models import neuron_models
from spikelet.rtl_gen.neuron_update import NeuronUpdate
from tests.cosim.support import SEEDS, Bench, cases
from tests.helpers.neuron_models import ALL_MODELS, HABITUATING, NOISY, ODD

MODELS = {model.name: model for model in ALL_MODELS}

ADAPTING = Adaptation(increment=100, decay_shift=3, fraction_bits=2, bits=9).constants

VARIANTS: dict[str, dict[str, Any]] = {
    "snntorch-zero": {"parameters": {"decay": "shared"}},
    "snntorch-zero-immediate": {"parameters": {"bias": "neuron"}},
    "snntorch-subtract": {"parameters": {"decay": "neuron"}, "potential_bits": 12},
    "snntorch-subtract-immediate": {
        "parameters": {"threshold": "neuron", "decay": "shared", "inhibition": "shared"},
        "weight_exponent": 3,
    },
    "nir-euler": {
        "parameters": {
            **{"threshold": "neuron", "decay": "neuron", "bias": "neuron"},
            **{"reset_potential": "neuron", "inhibition": "neuron"},
        }
    },
    "lif-refractory": {"parameters": {"refractory_period": "neuron", "reset_potential": -3}},
    "cuba-lif": {
        "parameters": {"decay": "neuron", "decay_i": "neuron", "bias": "shared"},
        "potential_bits": 16,
    },
    "cuba-lif-ge": {"parameters": {"decay_i": "neuron", "reset_potential": "neuron"}},
    "cuba-lif-subtract-ge": {"parameters": {"decay": "neuron", "decay_i": "shared"}},
    "cuba-lif-multispike": {"parameters": {"decay": "shared", "decay_i": "neuron"}},
    "lif-multispike": {
        "parameters": {"threshold": "neuron", "spike_bits": 3, "bounded": 1, "lowest": "neuron"},
    },
    "if-subtract-half": {"parameters": {"threshold": "neuron", "bias": "neuron"}},
    "lif-ge": {"parameters": {"decay": "neuron", "threshold": "neuron"}},
    "lif-subtract": {"parameters": {"decay": "neuron"}, "potential_bits": 12},
    "lif-subtract-ge": {"parameters": {"threshold": "neuron", "bias": "neuron"}},
    "snntorch-none": {"parameters": {"decay": "shared", "bias": "neuron"}},
    "snntorch-rleaky-zero": {"parameters": {"decay": "neuron"}},
    "snntorch-synaptic-none": {"parameters": {"decay": "shared", "decay_i": "shared"}},
    "snntorch-synaptic-subtract": {"parameters": {"decay": "neuron", "decay_i": "neuron"}},
    "snntorch-synaptic-subtract-immediate": {
        "parameters": {"decay": "shared", "decay_i": "shared", "threshold": "neuron"},
    },
    "snntorch-synaptic-zero": {"parameters": {"decay_i": "neuron", "bias_i": "neuron"}},
    "spyx-cuba-lif": {"parameters": {"decay": "neuron", "decay_i": "neuron", "bias_i": "shared"}},
    "spyx-lif": {"parameters": {"decay": "neuron"}},
    "izhikevich": {
        "parameters": {"a": "neuron", "b": "neuron", "c": "neuron", "d": "neuron"},
        "potential_bits": 16,
    },
    "li": {"parameters": {"decay": "neuron", "bias": "neuron"}},
    "cuba-li": {"parameters": {"decay": "shared", "decay_i": "neuron"}},
    "linear": {"parameters": {"bias": "neuron"}},
    "threshold": {"parameters": {"threshold": "neuron", "bias": "neuron"}},
    "adlif": {"parameters": {"decay": "neuron", "a": "neuron", "b": "neuron"}},
    "alif": {"parameters": {"decay": "neuron", "decay_a": "neuron", "step": "neuron"}},
    "lif-linear-leak": {"parameters": {"leak": "neuron"}},
    "lif-stochastic": {"parameters": {"decay": "neuron", "noise": "neuron"}},
    "probabilistic": {
        "parameters": {"threshold": "neuron", "decay": "shared", "reset": "shared"},
        "potential_bits": 12,
    },
    "truenorth": {
        "parameters": dict.fromkeys(neuron_models()["truenorth"].parameter_names, "neuron"),
        "potential_bits": 12,
    },
    "source": {"parameters": {"rate": "neuron"}},
    "tinyodin-lif": {"parameters": {"threshold": "neuron", "leak": "neuron"}},
    "odin-lif": {"parameters": {"threshold": "neuron", "leak": "shared"}},
    "odin-sdsp": {
        "parameters": dict.fromkeys(neuron_models()["odin-sdsp"].parameter_names, "neuron"),
    },
    "odin-izh": {
        "parameters": {
            **dict.fromkeys(neuron_models()["odin-izh"].parameter_names, "neuron"),
            **{"reference_period": 2, "spike_bits": 2},
        },
    },
    "loihi-lif": {
        "parameters": {"decay_u": "neuron", "decay": "neuron", "bias": "neuron"},
        "potential_bits": 16,
    },
    NOISY.name: {"parameters": {"decay": "neuron", "noise": 9}},
    HABITUATING.name: {"parameters": {"threshold": "neuron"}},
    ODD.name: {"parameters": {"threshold": "neuron", "floor": "neuron"}, "weight_format": "signed"},
}

FAST = ("cuba-lif", "izhikevich", "lif-refractory", "lif-ge", "nir-euler", NOISY.name, ODD.name)
FAST += ("snntorch-subtract-immediate", "spyx-cuba-lif", "truenorth")


def test_every_model_has_a_variant():
    assert VARIANTS.keys() == MODELS.keys() >= neuron_models().keys()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(*case.values, id=case.id, marks=[*case.marks, pytest.mark.slow])
        if case.id not in FAST
        else case
        for case in cases(**{name: name for name in MODELS})
    ],
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the pipeline of one model."""
    shape = {"n_axons": 24, "n_neurons": 16, "potential_bits": 10, "weight_exponent": 1}
    core = CoreParams(**{**shape, "neuron": MODELS[request.param], **VARIANTS[request.param]})
    component = NeuronUpdate(core)
    return Bench(component, core=core, latency=component.latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_neuron_update(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
