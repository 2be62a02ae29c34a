# amaranth: UnusedElaboratable=no
"""Tick control of chips whose barrier takes no cycle, one, and two; and that stop at outputs."""

import pytest

from spikelet.rtl_gen.tick_control import TickControl
from tests.cosim.support import SEEDS, Bench, cases

CASES = {"at_once": (0, False), "one_cycle": (1, False), "two_cycles": (2, False)}
CASES |= {"stops_at_once": (0, True), "stops_two_cycles": (2, True)}


@pytest.fixture(scope="module", params=cases(**CASES))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a tick control."""
    latency, early_stop = request.param
    return Bench(TickControl(latency, early_stop), barrier_latency=latency, early_stop=early_stop)


@pytest.mark.parametrize("seed", SEEDS)
def test_tick_control(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
