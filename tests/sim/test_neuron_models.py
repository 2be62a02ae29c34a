"""Chips of neurons with more states, or that draw: RTL equals golden, numpy and compiled."""

import numpy as np
import pytest

from spikelet.description.chip.image import ChipImage
from spikelet.description.chip.params import ChipParams
from spikelet.description.chip.state_words import readable_words
from spikelet.description.neurons.model import NeuronModel
from spikelet.description.neurons.models import neuron_model
from spikelet.description.run.events import Events
from spikelet.description.run.recording import Recording
from spikelet.golden.chip import GoldenChip
from spikelet.rtl_gen.emit import to_verilog
from spikelet.rtl_gen.joined_chips import whole_chip
from spikelet.sim.engine import VerilatedChip
from spikelet.sim.verilator import Design
from tests.helpers.neuron_models import NOISY
from tests.helpers.pieces import check_in_pieces
from tests.helpers.random_chips import random_chip_of, random_core, random_events, random_image

CHIPS = 40
Run = tuple[ChipImage, Events, GoldenChip, Recording]
MODELS = {name: neuron_model(name) for name in ("izhikevich", "cuba-lif")}


def active_runs(rng: np.random.Generator, model: NeuronModel) -> tuple[ChipParams, list[Run]]:
    """Return a random chip, and three runs of golden's numpy in each of which neurons fire.

    A chip may have a threshold built in that no input reaches; such chips are left out.
    """
    while True:
        chip = random_chip_of(
            rng, tuple(random_core(rng, model) for _ in range(rng.integers(1, 3)))
        )
        runs: list[Run] = []
        for _ in range(12):
            image, events = random_image(rng, chip), random_events(rng, chip)
            golden = GoldenChip(chip, image, backend="numpy")
            trace = golden.run(events)
            assert trace.spikes is not None
            if any(fired.any() for fired in trace.spikes):
                runs.append((image, events, golden, trace))
            if len(runs) == 3:
                return chip, runs


def check(model: NeuronModel, seed: int) -> bool:
    """Return whether neurons fired in the run in pieces, too."""
    chip, runs = active_runs(np.random.default_rng(seed), model)
    with VerilatedChip(chip, Design(to_verilog(whole_chip(chip), "chip")), optimise="build") as rtl:
        for network, (image, events, golden, expected) in enumerate(runs):
            compiled = GoldenChip(chip, image, backend="native").run(events)
            rtl.load(image)
            got = rtl.run(events)
            for trace in (compiled, got):
                difference = trace.first_difference(expected)
                assert difference is None, f"network {network}, {trace.engine}: {difference}"
            counters = expected.active_axons[-1].sum(axis=0), expected.merged_spikes[-1]
            addresses, words = readable_words(chip, golden.snapshot(), *counters).T
            assert (rtl.read(np.ascontiguousarray(addresses)) == words).all()
        return check_in_pieces(rtl, GoldenChip(chip, image), seed)


@pytest.mark.parametrize("model", [*MODELS.values(), NOISY], ids=lambda model: model.name)
def test_rtl_is_golden(model: NeuronModel) -> None:
    assert check(model, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 2 + CHIPS))
@pytest.mark.parametrize("model", MODELS)
def test_rtl_is_golden_on_many_chips(model: str, seed: int) -> None:
    check(MODELS[model], seed)
