# amaranth: UnusedElaboratable=no
"""A core by itself: the second of a chip, so that its window is not the first."""

from dataclasses import replace

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.profile import PROFILES
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.core import Core
from tests.cosim.support import SEEDS, Bench, cases, image_of


@pytest.fixture(
    scope="module",
    params=cases(
        delayed={
            "profile": PROFILES["snntorch-subtract"],
            "delay_slots": 8,
            "list_entries": 40,
            "threshold": "neuron",
        },
        late={
            "profile": PROFILES["nir-euler"],
            "reset_potential": "neuron",
            "bias": "neuron",
            "first_tick": 3,
            "pipelines": 1,
        },
        binary={
            "profile": PROFILES["snntorch-zero-immediate"],
            "weight_bits": 1,
            "weight_format": "binary",
            "weight_exponent": 5,
            "lanes": 16,
            "pipelines": 4,
            "weight_memory": "spram",
        },
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
    bench.run(seed, tmp_path, image=image_of(bench.parameters["chip"], seed))
