# amaranth: UnusedElaboratable=no
"""The neurons' traces: one, two, none but the potential; whole groups in a row, and parts."""

import pytest

from spikelet.description.chip.memory_map import ChipMap
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.post_traces import PostTraces
from tests.cosim.plastic import plastic_chip
from tests.cosim.support import SEEDS, Bench, cases

UPDATE_LATENCY = 9


@pytest.fixture(
    scope="module",
    params=cases(
        whole_groups=("triplets", {"lanes": 8, "pipelines": 8, "n_neurons": 24}),
        parts=("pairs", {"lanes": 8, "pipelines": 2}),
        single=("single", {}),
        potentials=("voltage", {"pipelines": 2}),
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the traces of one rule."""
    rule, fields = request.param
    chip = plastic_chip(rule, **fields)
    region = ChipMap(chip).cores[0]["post_traces"]
    component = PostTraces(chip.cores[0], region, update_latency=UPDATE_LATENCY)
    timing = {"update_latency": UPDATE_LATENCY, "config_latency": CONFIG_LATENCY}
    return Bench(component, core=chip.cores[0], **timing)


@pytest.mark.parametrize("seed", SEEDS)
def test_post_traces(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
