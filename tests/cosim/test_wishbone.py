# amaranth: UnusedElaboratable=no
"""A chip on a Wishbone bus."""

import pytest

from spikelet.description.chip.bus_registers import BusParams
from spikelet.rtl_gen.wishbone import Wishbone
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(small=BusParams(14, 8), wide=BusParams(31, 20)))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build it."""
    return Bench(Wishbone(request.param), params=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_wishbone(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
