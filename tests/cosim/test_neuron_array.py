# amaranth: UnusedElaboratable=no
"""The neuron array with shared and separate parameters, few and many pipelines."""

import pytest

from rtl_gen.layouts import CONFIG_LATENCY
from rtl_gen.lif_update import LifUpdate
from rtl_gen.neuron_array import NeuronArray
from spikelet.description.memory_map import ChipMap
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES
from tests.cosim.support import SEEDS, Bench, cases, image_of


@pytest.fixture(
    scope="module",
    params=cases(
        shared={"profile": PROFILES["snntorch-zero"], "pipelines": 1},
        separate={
            "profile": PROFILES["nir-euler"],
            "pipelines": 4,
            "threshold": "neuron",
            "decay": "neuron",
            "bias": "neuron",
            "reset_potential": "neuron",
            "first_tick": 2,
        },
        residual={
            "profile": PROFILES["snntorch-subtract-immediate"],
            "pipelines": 8,
            "n_neurons": 8,
            "bias": "shared",
        },
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a neuron array."""
    fields = {"n_axons": 40, "n_neurons": 24, "lanes": 8, "potential_bits": 11}
    core = CoreParams(**{**fields, "weight_exponent": 2, **request.param})
    chip = ChipParams((core,))
    latency = 2 + LifUpdate.latency
    component = NeuronArray(core, ChipMap(chip).cores[0])
    return Bench(component, chip=chip, latency=latency, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_neuron_array(bench, seed, tmp_path):
    bench.run(seed, tmp_path, image=image_of(bench.parameters["chip"], seed))
