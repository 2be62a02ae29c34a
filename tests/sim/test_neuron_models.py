"""Chips of neurons with more states, or that draw: RTL equals golden, numpy and compiled."""

import numpy as np
import pytest

from spikelet.description.chip.state_words import readable_words
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.neuron_models import NOISY
from tests.helpers.pieces import check_in_pieces
from tests.helpers.random_chips import random_chip_of, random_core, random_events, random_image

CHIPS = 40
MODELS = {name: neuron_model(name) for name in ("izhikevich", "cuba-lif")}


def check(model: NeuronModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cores = tuple(random_core(rng, model) for _ in range(rng.integers(1, 3)))
    chip = random_chip_of(rng, cores)
    spikes = 0
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network in range(3):
            image, events = random_image(rng, chip), random_events(rng, chip)
            golden = GoldenChip(chip, image, backend="numpy")
            expected = golden.run(events)
            compiled = GoldenChip(chip, image, backend="compiled").run(events)
            rtl.load(image)
            got = rtl.run(events)
            for trace in (compiled, got):
                difference = trace.first_difference(expected)
                assert difference is None, f"network {network}, {trace.engine}: {difference}"
            counters = expected.active_axons[-1].sum(axis=0), expected.merged_spikes[-1]
            addresses, words = readable_words(chip, golden.snapshot(), *counters).T
            assert (rtl.read(np.ascontiguousarray(addresses)) == words).all()
            assert expected.spikes is not None
            spikes += sum(int(fired.sum()) for fired in expected.spikes)
        check_in_pieces(rtl, GoldenChip(chip, image), seed)
    assert spikes > 0


@pytest.mark.parametrize("model", [*MODELS.values(), NOISY], ids=lambda model: model.name)
def test_rtl_is_golden(model: NeuronModel) -> None:
    check(model, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 2 + CHIPS))
@pytest.mark.parametrize("model", MODELS)
def test_rtl_is_golden_on_many_chips(model: str, seed: int) -> None:
    check(MODELS[model], seed)
