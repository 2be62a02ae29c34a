# amaranth: UnusedElaboratable=no
"""A node of the configuration chain: that of a core with all regions, and of one with few."""

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.memory_map import ChipMap
from spikelet.description.chip.params import ChipParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(few_regions=0, all_regions=1))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the node of one of two cores."""
    few = CoreParams(n_axons=4, n_neurons=4, lanes=4, neuron=neuron_model("snntorch-zero"))
    scopes = {"threshold": "neuron", "bias": "neuron", "reset_potential": "shared"}
    scopes |= {"decay": "shared"}
    full = CoreParams(
        n_axons=9,
        n_neurons=16,
        lanes=16,
        list_entries=40,
        neuron=neuron_model("nir-euler"),
        parameters=scopes,
    )
    chip = ChipParams((few, full), 2, 1)
    chip_map = ChipMap(chip)
    component = ConfigNode(
        window=1 + request.param,
        window_words=chip_map.window,
        address_bits=chip_map.address_bits,
        regions=chip_map.cores[request.param],
    )
    return Bench(
        component,
        bench="config_chain",
        chip=chip,
        core=request.param,
        config_latency=CONFIG_LATENCY,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_config_node(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
