# amaranth: UnusedElaboratable=no
"""Tick control of chips whose barrier takes no cycle, one, and two; that stop; without a timer."""

import pytest

from spikelet.rtl_gen.tick_control import TickControl
from tests.cosim.support import SEEDS, Bench, cases

CASES = {"at_once": (0,), "one_cycle": (1,), "two_cycles": (2,)}
CASES |= {"stops_at_once": (0, True), "stops_two_cycles": (2, True)}
CASES |= {"by_strobe": (0, False, False), "by_strobe_stops": (2, True, False)}


@pytest.fixture(scope="module", params=cases(["by_strobe_stops"], **CASES))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a tick control."""
    control = TickControl(*request.param)
    names = ("barrier_latency", "early_stop", "tick_timer")
    return Bench(control, **{name: getattr(control, name) for name in names})


@pytest.mark.parametrize("seed", SEEDS)
def test_tick_control(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
