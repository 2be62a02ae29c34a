# amaranth: UnusedElaboratable=no
"""Emission with one destination for each neuron and with several."""

import pytest

from rtl_gen.emission import Emission
from rtl_gen.layouts import CONFIG_LATENCY
from spikelet.description.memory_map import ChipMap
from spikelet.description.packets import destination_packet, flit_packet
from spikelet.description.params import ChipParams, CoreParams
from spikelet.description.profile import PROFILES
from tests.cosim.support import SEEDS, Bench, cases, image_of


@pytest.fixture(
    scope="module",
    params=cases(
        single={"pipelines": 1, "fan_out": 1},
        several={"pipelines": 4, "fan_out": 3},
        wide={"pipelines": 8, "fan_out": 5, "n_neurons": 8},
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the emission of a core among three on a mesh with an empty place."""
    profile = PROFILES["snntorch-zero"]
    core = CoreParams(
        **{"n_axons": 9, "n_neurons": 24, "profile": profile, "lanes": 8, **request.param}
    )
    other = CoreParams(n_axons=30, n_neurons=16, profile=profile, delay_slots=8)
    chip = ChipParams((core, other, other), 2, 2, 12)
    packets = {"flit": flit_packet(chip), "destination": destination_packet(chip)}
    component = Emission(core, ChipMap(chip).cores[0]["destinations"], **packets)
    return Bench(component, chip=chip, config_latency=CONFIG_LATENCY)


@pytest.mark.parametrize("seed", SEEDS)
def test_emission(bench, seed, tmp_path):
    bench.run(seed, tmp_path, image=image_of(bench.parameters["chip"], seed))
