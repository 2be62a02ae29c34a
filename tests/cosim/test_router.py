# amaranth: UnusedElaboratable=no
"""A router in the middle of a mesh, at its corner with the host, and at a place without a core."""

import pytest

from rtl_gen.router import PORTS, Router
from spikelet.description.packets import flit_packet
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(
        middle=(1, 2, PORTS),
        corner=(0, 1, ("local", "north", "east", "south")),
        without_core=(1, 3, ("north", "east", "west")),
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a router of a 3x3 mesh."""
    x, y, ports = request.param
    core = CoreParams(n_axons=256, n_neurons=16, profile=PROFILES["snntorch-zero"], delay_slots=8)
    flit = flit_packet(ChipParams((core,) * 7, 3, 3))
    component = Router(flit, x=x, y=y, ports=ports)
    return Bench(component, flit=flit, x=x, y=y, ports=ports)


@pytest.mark.parametrize("seed", SEEDS)
def test_router(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
