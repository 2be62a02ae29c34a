# amaranth: UnusedElaboratable=no
"""A core by itself: the second of a chip, so that its window is not the first."""

from dataclasses import replace

import numpy as np
import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.core import Core
from tests.cosim.support import SEEDS, Bench, cases
from tests.helpers.neuron_models import NOISY
from tests.helpers.random_chips import random_events, random_image, spiking


@pytest.fixture(
    scope="module",
    params=cases(
        delayed={
            "neuron": neuron_model("snntorch-subtract"),
            "delay_slots": 8,
            "list_entries": 40,
            "parameters": {"threshold": "neuron", "decay": "shared"},
        },
        late={
            "neuron": neuron_model("nir-euler"),
            "parameters": {"decay": "shared", "reset_potential": "neuron", "bias": "neuron"},
            "first_tick": 3,
            "pipelines": 1,
        },
        graded={
            "neuron": neuron_model("lif-multispike"),
            "parameters": {"decay": "shared", "spike_bits": 4},
            "list_entries": 40,
            "delay_slots": 4,
            "spike_bits": 3,
        },
        binary={
            "neuron": neuron_model("snntorch-zero-immediate"),
            "parameters": {"decay": "shared"},
            "weight_bits": 1,
            "weight_format": "binary",
            "weight_exponent": 5,
            "lanes": 16,
            "pipelines": 4,
            "weight_memory": "spram",
        },
        failing={  # draws of axons, so many that some just suffice, beside those of neurons
            "neuron": NOISY,
            "parameters": {"decay": "shared"},
            "n_axons": 500,
            "lanes": 16,
            "pipelines": 4,
            "transmission": True,
        },
        drawing={"neuron": NOISY, "parameters": {"decay": "shared"}, "first_tick": 1},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a core."""
    fields = {"n_axons": 37, "n_neurons": 32, "lanes": 8, "pipelines": 2, "potential_bits": 8}
    core = CoreParams(**{**fields, "weight_exponent": 2, **request.param})
    other = replace(core, n_axons=90, delay_slots=16)
    chip = ChipParams((other, core), 1, 2, 20)
    return Bench(Core(chip, 1), chip=chip, core=1, node_latency=ConfigNode.latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_core(bench, seed, tmp_path):
    rng, chip = np.random.default_rng(seed), bench.parameters["chip"]
    _, image, _ = spiking(
        lambda: (chip, random_image(rng, chip), random_events(rng, chip)), spikes=20, core=1
    )
    bench.run(seed, tmp_path, image=image)
