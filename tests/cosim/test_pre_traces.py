# amaranth: UnusedElaboratable=no
"""The axons' traces: one, two, none; added to and set; of few axons and of many."""

import pytest

from spikelet.description.chip.memory_map import ChipMap
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.pre_traces import PreTraces
from tests.cosim.plastic import plastic_chip
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(
        before=("triplets", 70),
        after=("tagged", 20),
        few=("pairs", 3),
        without=("voltage", 37),
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the traces of one rule for so many axons."""
    rule, n_axons = request.param
    chip = plastic_chip(rule, n_axons=n_axons)
    component = PreTraces(chip.cores[0], ChipMap(chip).cores[0])
    timing = {"latency": PreTraces.latency, "config_latency": CONFIG_LATENCY}
    return Bench(component, bench="pre_traces", core=chip.cores[0], **timing)


@pytest.mark.parametrize("seed", SEEDS)
def test_pre_traces(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
