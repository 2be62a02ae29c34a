# amaranth: UnusedElaboratable=no
"""The LFSRs of one lane and of a few."""

import pytest

from spikelet.description.chip.memory_map import ChipMap
from spikelet.rtl_gen.layouts import CONFIG_LATENCY
from spikelet.rtl_gen.lfsr import LaneLfsrs
from tests.cosim.plastic import plastic_chip, plastic_image
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(one=1, few=4))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the LFSRs of so many lanes."""
    chip = plastic_chip("pairs", lanes=request.param, pipelines=1)
    component = LaneLfsrs(request.param, ChipMap(chip).cores[0]["random"])
    return Bench(component, bench="lfsr", chip=chip, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_lfsr(bench, seed, tmp_path):
    bench.run(seed, tmp_path, image=plastic_image(bench.parameters["chip"], seed))
