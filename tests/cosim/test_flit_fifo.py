# amaranth: UnusedElaboratable=no
"""Input queues of routers, of few places and many."""

import pytest

from spikelet.description.chip.packets import Field, Packet
from spikelet.rtl_gen.flit_fifo import FlitFifo
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(scope="module", params=cases(two=2, three=3, eight=8))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a queue."""
    flit = Packet("flit", (Field("axon", 9, ""), Field("x", 3, "")))
    return Bench(FlitFifo(flit, depth=request.param), depth=request.param)


@pytest.mark.parametrize("seed", SEEDS)
def test_flit_fifo(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
