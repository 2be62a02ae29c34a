# amaranth: UnusedElaboratable=no
"""The host link: frames, streams, operations."""

import pytest

from spikelet.description.chip.host_link import LinkParams
from spikelet.rtl_gen.host_link import HostLink
from tests.cosim.support import SEEDS, Bench, cases

SMALL = LinkParams(
    flit_bits=14,
    spike_bits=7,
    count_bits=0,
    address_bits=13,
    structure=5,
    clock_hz=12_000_000,
    buffer_bytes=64,
)
WIDE = LinkParams(
    flit_bits=30,
    spike_bits=12,
    count_bits=5,
    address_bits=20,
    structure=0xFEDCBA98,
    clock_hz=25_000_000,
    buffer_bytes=128,
)


LINKS = {"clean": (SMALL, 0.0), "damaged": (SMALL, 0.01), "wide": (WIDE, 0.003)}


@pytest.fixture(scope="module", params=cases(("clean", "wide"), **LINKS))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a link."""
    params, rate = request.param
    return Bench(HostLink(params), params=params, rate=rate)


@pytest.mark.parametrize("seed", SEEDS)
def test_host_link(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
