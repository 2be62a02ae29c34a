# amaranth: UnusedElaboratable=no
"""The LIF update pipeline in every profile, rounding and set of optional terms."""

from dataclasses import replace

import pytest

from spikelet.description.chip.core import CoreParams
from spikelet.description.chip.profile import PROFILES
from spikelet.rtl_gen.lif_update import LifUpdate
from tests.cosim.support import SEEDS, Bench, cases

VARIANTS = {
    "snntorch-zero": {"rounding": "nearest"},
    "snntorch-zero-immediate": {"rounding": "floor", "decay": "none", "bias": "neuron"},
    "snntorch-subtract": {"rounding": "toward_zero", "bias": "shared", "potential_bits": 12},
    "snntorch-subtract-immediate": {"rounding": "nearest", "weight_exponent": 3},
    "nir-euler": {"rounding": "toward_zero", "bias": "neuron", "reset_potential": "neuron"},
}


@pytest.fixture(scope="module", params=cases(**{name: name for name in PROFILES}))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build the pipeline of one profile."""
    options = dict(VARIANTS[request.param])
    profile = replace(PROFILES[request.param], rounding=options.pop("rounding"))
    core = CoreParams(
        **{
            "n_axons": 24,
            "n_neurons": 16,
            "profile": profile,
            "potential_bits": 10,
            "weight_exponent": 1,
            **options,
        }
    )
    component = LifUpdate(core)
    return Bench(component, core=core, latency=LifUpdate.latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_lif_update(bench, seed, tmp_path):
    bench.run(seed, tmp_path, layout=bench.parameters["layouts"]["neuron"])
