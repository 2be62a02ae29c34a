# amaranth: UnusedElaboratable=no
"""The datapath of each kind of rule: traces, potentials, tags, rewards, every rounding."""

import pytest

from spikelet.rtl_gen.learning_rule import RuleDatapath
from tests.cosim.plastic import CORES, WITH_DEVICES, plastic_chip
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(WITH_DEVICES, **{name: name for name in CORES}))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the datapath of one rule."""
    core = plastic_chip(request.param).cores[0]
    component = RuleDatapath(core)
    stages = {"latency": component.latency, "draw_stage": component.draw_stage}
    return Bench(component, bench="learning_rule", core=core, **stages)


@pytest.mark.parametrize("seed", SEEDS)
def test_learning_rule(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
