# amaranth: UnusedElaboratable=no
"""The datapath of memristive synapses, of each kind of devices."""

import pytest

from spikelet.rtl_gen.devices import DeviceDatapath
from tests.cosim.plastic import WITH_DEVICES, plastic_chip
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module", params=cases(WITH_DEVICES[1:], **{name: name for name in WITH_DEVICES})
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the datapath of one kind of devices."""
    core = plastic_chip(request.param).cores[0]
    component = DeviceDatapath(core)
    return Bench(component, bench="devices", core=core, latency=component.latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_devices(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
