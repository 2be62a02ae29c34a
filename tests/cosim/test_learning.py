# amaranth: UnusedElaboratable=no
"""A plastic core by itself: the second of a chip, so that its window is not the first."""

import pytest

from spikelet.description import lanes
from spikelet.rtl_gen.config_chain import ConfigNode
from spikelet.rtl_gen.core import Core
from tests.cosim.plastic import CORES, WITH_DEVICES, plastic_chip, plastic_image
from tests.cosim.support import SEEDS, Bench, cases


@pytest.fixture(
    scope="module", params=cases([*WITH_DEVICES, "chance"], **{name: name for name in CORES})
)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Build a core with one rule."""
    chip = plastic_chip(request.param, cores=2)
    component = Core(chip, 1)
    return Bench(component, bench="learning", chip=chip, core=1, node_latency=ConfigNode.latency)


@pytest.mark.parametrize("seed", SEEDS)
def test_learning(bench, seed, tmp_path):
    bench.run(seed, tmp_path, image=plastic_image(bench.parameters["chip"], seed))


@pytest.mark.slow
def test_rows_that_share_a_word_learn_each_by_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(lanes, "DEEPEST_BLOCK_RAM", 32)
    chip = plastic_chip("tagged", cores=2)
    assert lanes.rows_in_word(chip.cores[1].weight_rows) > 1
    parameters = {"chip": chip, "core": 1, "node_latency": ConfigNode.latency}
    bench = Bench(Core(chip, 1), bench="learning", **parameters)
    bench.run(1, tmp_path, image=plastic_image(chip, 1))
