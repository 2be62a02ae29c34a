# amaranth: UnusedElaboratable=no
"""The SPI target."""

import pytest

from spikelet.rtl_gen.spi_target import LEAST_RATIO, SpiTarget
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(least=LEAST_RATIO, slower=13.7))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a target."""
    return Bench(SpiTarget(), ratio=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_spi_target(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
