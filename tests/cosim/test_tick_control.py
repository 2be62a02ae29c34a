# amaranth: UnusedElaboratable=no
"""Tick control of chips whose barrier takes no cycle, one, and two."""

import pytest

from spikelet.rtl_gen.tick_control import TickControl
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(at_once=0, one_cycle=1, two_cycles=2))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a tick control."""
    return Bench(TickControl(request.param), barrier_latency=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_tick_control(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
