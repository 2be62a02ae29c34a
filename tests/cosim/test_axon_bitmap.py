# amaranth: UnusedElaboratable=no
"""The axon bitmap with few and many axons and delay slots."""

import pytest

from rtl_gen.axon_bitmap import AxonBitmap
from rtl_gen.layouts import CONFIG_LATENCY
from spikelet.description.memory_map import ChipMap
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(
        small={"n_axons": 5, "delay_slots": 2},
        one_word={"n_axons": 16, "delay_slots": 4},
        ragged={"n_axons": 37, "delay_slots": 16},
        wide={"n_axons": 80, "delay_slots": 8},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a bitmap."""
    core = CoreParams(n_neurons=16, profile=PROFILES["snntorch-zero"], **request.param)
    component = AxonBitmap(core, ChipMap(ChipParams((core,))).cores[0]["arrivals"])
    return Bench(component, core=core, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_axon_bitmap(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
