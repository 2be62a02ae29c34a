# amaranth: UnusedElaboratable=no
"""The UART, and the rates that a clock can be divided to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.rtl_gen.uart import LEAST_DIVIDER, Uart, baud_divider
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(least=LEAST_DIVIDER, even=12, odd=27))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a UART."""
    return Bench(Uart(request.param), divider=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_uart(bench, seed, tmp_path):
    bench.run(seed, tmp_path)


@given(clock_hz=st.integers(1_000_000, 200_000_000), baud=st.integers(1200, 4_000_000))
def test_a_rate_is_met_within_one_percent_or_refused_with_the_nearest(
    clock_hz: int, baud: int
) -> None:
    try:
        divider = baud_divider(clock_hz, baud)
    except SpikeletError as error:
        nearest = float(error.remedy.split()[-2])
        assert baud_divider(clock_hz, round(nearest)) >= LEAST_DIVIDER
        return
    assert divider >= LEAST_DIVIDER
    assert abs(clock_hz / divider - baud) <= 0.01 * baud


def test_a_rate_that_is_missed_is_named() -> None:
    assert baud_divider(12_000_000, 1_000_000) == 12
    with pytest.raises(SpikeletError, match=r"12000000 Hz cannot be divided to 3000000 baud"):
        baud_divider(12_000_000, 3_000_000)
    with pytest.raises(SpikeletError, match=r"baud must be above 0, not 0"):
        baud_divider(12_000_000, 0)
