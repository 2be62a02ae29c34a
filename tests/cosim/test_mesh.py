# amaranth: UnusedElaboratable=no
"""Meshes of one place, of a row, and with places without a core."""

import pytest

from rtl_gen.mesh import Mesh
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(single=(1, 1, 1), three_of_four=(3, 2, 2), five_of_six=(5, 3, 2)),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a mesh."""
    n_cores, width, height = request.param
    core = CoreParams(n_axons=256, n_neurons=16, profile=PROFILES["snntorch-zero"], delay_slots=16)
    chip = ChipParams((core,) * n_cores, width, height)
    return Bench(Mesh(chip), chip=chip)


@pytest.mark.parametrize("seed", SEEDS)
def test_mesh(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
