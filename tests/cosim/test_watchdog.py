# amaranth: UnusedElaboratable=no
"""Time limits of a tick and of a host's silence."""

import pytest

from spikelet.golden.watchdog import Watchdog as GoldenWatchdog
from spikelet.rtl_gen.watchdog import Watchdog
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(short=(3, 2), least=(1, 1)))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build one with short units."""
    log_unit, busy_units = request.param
    return Bench(Watchdog(log_unit, busy_units), log_unit=log_unit, busy_units=busy_units)


@pytest.mark.parametrize("seed", SEEDS)
def test_watchdog(bench, seed, tmp_path):
    bench.run(seed, tmp_path)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_silence_ends_at_its_limit_or_a_unit_later(limit: int) -> None:
    for phase in range(16):
        watchdog = GoldenWatchdog(4, 1)
        for _ in range(phase):
            watchdog.cycle(busy=False, heard=False, limit=0)
        watchdog.cycle(busy=False, heard=True, limit=limit)
        cycles = 1
        while not watchdog.cycle(busy=False, heard=False, limit=limit):
            cycles += 1
        assert 16 * limit <= cycles <= 16 * (limit + 1)


def test_a_tick_is_late_a_unit_before_its_limit_at_the_earliest() -> None:
    for phase in range(16):
        watchdog = GoldenWatchdog(4, 3)
        for _ in range(phase):
            watchdog.cycle(busy=False, heard=False, limit=0)
        cycles = 0
        while not watchdog.late:
            watchdog.cycle(busy=True, heard=False, limit=0)
            cycles += 1
        assert 16 * 2 <= cycles <= 16 * 3 + 1
