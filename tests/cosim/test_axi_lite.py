# amaranth: UnusedElaboratable=no
"""A chip on an AXI4-Lite bus."""

import pytest

from spikelet.description.chip.bus_registers import BusParams
from spikelet.rtl_gen.axi_lite import AxiLite
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(small=BusParams(14, 8), wide=BusParams(31, 20)))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build it."""
    return Bench(AxiLite(request.param), params=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_axi_lite(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
