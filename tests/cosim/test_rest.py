# amaranth: UnusedElaboratable=no
"""Rest, of neurons with one state and more, in one pipeline and several."""

import pytest
from amaranth import Shape

from spikelet.description.chip.core import CoreParams
from spikelet.description.neurons.models import neuron_model
from spikelet.rtl_gen.neuron_update import state_layout
from spikelet.rtl_gen.rest import Rest
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module",
    params=cases(
        single=("nir-euler", {"lanes": 1, "n_neurons": 3}, 4),
        refractory=("lif-refractory", {"lanes": 4, "pipelines": 2, "n_neurons": 8}, 1),
        counts=("lif-multispike", {"lanes": 4, "pipelines": 4, "n_neurons": 8}, 7),
    ),
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build it for one model."""
    model, fields, latency = request.param
    core = CoreParams(n_axons=4, neuron=neuron_model(model), **fields)
    members = state_layout(core).members
    layout = [(name, Shape.cast(shape).width) for name, shape in members.items()]
    return Bench(Rest(core, latency), core=core, layout=layout, latency=latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_rest(bench, seed, tmp_path):
    bench.run(seed, tmp_path)
